package cookie

import (
	"net/http"
	"slices"
	"strings"
)

// maxTwins is how many cookies of one name are tried.
const maxTwins = 3

// Received is the cookies of one request, parsed once.
type Received struct {
	byName   map[string][]string
	order    []string
	unopened map[Kind]bool // those that were told of
}

// Read parses the cookies of a request.
func Read(r *http.Request) *Received {
	got := &Received{byName: map[string][]string{}, unopened: map[Kind]bool{}}
	for _, c := range r.Cookies() {
		if _, seen := got.byName[c.Name]; !seen {
			got.order = append(got.order, c.Name)
		}
		got.byName[c.Name] = append(got.byName[c.Name], c.Value)
	}
	return got
}

func (got *Received) has(name string) bool { return len(got.byName[name]) > 0 }

// hasAny tells whether there is a cookie of a name, or a piece of one.
func (got *Received) hasAny(name string) bool {
	for i := range maxStale + 1 {
		if got.has(pieceName(name, i)) {
			return true
		}
	}
	return false
}

func (got *Received) names() []string { return got.order }

// values lists the joined values of a name, without repetition: first the one
// of all first pieces, then that of all second ones, and so on.
func (got *Received) values(name string) []string {
	var out []string
	for twin := range min(got.twins(name), maxTwins) {
		value, ok := got.join(name, twin)
		if ok && !slices.Contains(out, value) {
			out = append(out, value)
		}
	}
	return out
}

// twins is the largest number of cookies that share a name among the pieces.
func (got *Received) twins(name string) int {
	n := 0
	for i := range MaxPieces {
		n = max(n, len(got.byName[pieceName(name, i)]))
	}
	if !got.has(name) {
		return 0
	}
	return n
}

// join puts the pieces together that the first one announces.
func (got *Received) join(name string, twin int) (string, bool) {
	first := pick(got.byName[name], twin)
	n, value := pieces(first)
	if n == 1 {
		return value, true
	}
	var b strings.Builder
	b.WriteString(value)
	for i := 1; i < n; i++ {
		twins := got.byName[pieceName(name, i)]
		if len(twins) == 0 {
			return "", false
		}
		b.WriteString(pick(twins, twin))
	}
	return b.String(), true
}

func pick(twins []string, i int) string { return twins[min(i, len(twins)-1)] }

// split cuts a sealed value into pieces of at most room bytes. The first piece
// of several begins with their number and a dot, which no sealed value has, so
// that a stale piece is never taken for the end of this one.
func split(sealed string, room int) []string {
	if len(sealed) <= room {
		return []string{sealed}
	}
	var out []string
	for len(sealed) > room {
		out = append(out, sealed[:room])
		sealed = sealed[room:]
	}
	out = append(out, sealed)
	out[0] = string(rune('0'+len(out))) + "." + out[0]
	return out
}

// pieces reads how many pieces a value has, and takes that mark off.
func pieces(first string) (int, string) {
	if len(first) > 1 && first[1] == '.' && first[0] > '1' && first[0] <= '0'+MaxPieces {
		return int(first[0] - '0'), first[2:]
	}
	return 1, first
}
