package cookie

import (
	"iter"
	"net/http"
	"strings"
)

// maxJoined bounds the work on values of several pieces in one request: a value costs
// its bytes and joinCost, since the smallest one takes its time to open as well. Pieces that
// came several times can be joined in far more ways than the header has bytes. Values
// of one piece are no more than it holds, and are not bounded.
const (
	maxJoined = 2 << 20
	joinCost  = 2 << 10
)

// RequestCookies are the cookies of one request, parsed once.
type RequestCookies struct {
	byName   map[string][]string
	order    []string
	reported map[Kind]bool // kinds of which a failure to open was reported
	left     int           // of maxJoined
}

// Read parses the cookies of a request.
func Read(r *http.Request) *RequestCookies {
	got := &RequestCookies{byName: map[string][]string{}, reported: map[Kind]bool{}, left: maxJoined}
	for _, c := range r.Cookies() {
		if _, seen := got.byName[c.Name]; !seen {
			got.order = append(got.order, c.Name)
		}
		got.byName[c.Name] = append(got.byName[c.Name], c.Value)
	}
	return got
}

func (got *RequestCookies) has(name string) bool { return len(got.byName[name]) > 0 }

// hasAny reports whether there is a cookie of a name, or a piece of one.
func (got *RequestCookies) hasAny(name string) bool {
	for i := range maxStale + 1 {
		if got.has(pieceName(name, i)) {
			return true
		}
	}
	return false
}

func (got *RequestCookies) names() []string { return got.order }

// values yields every value that the cookies of a name make, as far as [maxJoined]
// goes: a neighbour on the site may have planted any number before and behind ours.
func (got *RequestCookies) values(name string) iter.Seq[string] {
	return func(yield func(string) bool) {
		try := func(value string) bool {
			got.left -= len(value) + joinCost
			return got.left >= 0 && yield(value)
		}
		var cut []pieceSet
		firsts := got.byName[name]
		for i, first := range firsts {
			n, head := pieces(first)
			if n > 1 {
				cut = append(cut, pieceSet{head: head, before: i, behind: len(firsts) - i, rest: got.rest(name, n)})
			} else if !yield(head) {
				return
			}
		}
		for _, join := range []func(pieceSet, func(string) bool) bool{pieceSet.aligned, pieceSet.all} {
			for _, s := range cut {
				if !join(s, try) {
					return
				}
			}
		}
	}
}

// rest returns what came under the names of the second to the n-th piece.
func (got *RequestCookies) rest(name string, n int) [][]string {
	rest := make([][]string, 0, n-1)
	for i := 1; i < n; i++ {
		rest = append(rest, got.byName[pieceName(name, i)])
	}
	return rest
}

// pieceSet is a first piece and what may follow it.
type pieceSet struct {
	head           string
	before, behind int // its place among the first pieces, counted from either end
	rest           [][]string
}

// aligned yields the values whose pieces all stand at one place, counted from the
// front or from the back: ours do where whole values were planted before or behind.
// Like all, it reports whether to go on.
func (s pieceSet) aligned(yield func(string) bool) bool {
	if s.ways() == 0 {
		return true
	}
	return yield(s.join(func(duplicates []string) int { return min(s.before, len(duplicates)-1) })) &&
		yield(s.join(func(duplicates []string) int { return max(len(duplicates)-s.behind, 0) }))
}

// all yields every value that begins with this piece.
func (s pieceSet) all(yield func(string) bool) bool {
	for way := range s.ways() {
		value := s.join(func(duplicates []string) int {
			i := way % len(duplicates)
			way /= len(duplicates)
			return i
		})
		if !yield(value) {
			return false
		}
	}
	return true
}

// ways returns in how many ways the set can be joined: 0 if a piece is missing.
func (s pieceSet) ways() int {
	n := 1
	for _, duplicates := range s.rest {
		n *= len(duplicates)
	}
	return n
}

func (s pieceSet) join(choose func(duplicates []string) int) string {
	var b strings.Builder
	b.WriteString(s.head)
	for _, duplicates := range s.rest {
		b.WriteString(duplicates[choose(duplicates)])
	}
	return b.String()
}

// duplicates returns the largest number of cookies that share a name among the pieces.
func (got *RequestCookies) duplicates(name string) int {
	n := 0
	for i := range MaxPieces {
		n = max(n, len(got.byName[pieceName(name, i)]))
	}
	if !got.has(name) {
		return 0
	}
	return n
}

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

// pieces returns how many pieces a value has, and its first piece without that
// number.
func pieces(first string) (int, string) {
	if len(first) > 1 && first[1] == '.' && first[0] > '1' && first[0] <= '0'+MaxPieces {
		return int(first[0] - '0'), first[2:]
	}
	return 1, first
}
