package cookie

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"oauth-agent/agent/internal/seal"
)

// MaxSize is what every browser keeps of one cookie: name, value and attributes
// (RFC 6265 6.1), in bytes. MaxPieces is how many cookies one value may take.
const (
	MaxSize   = 4096
	MaxPieces = 5
)

// ErrNone is a cookie that the request does not have.
var ErrNone = errors.New("no such cookie")

// SizeError is a value that does not fit into [MaxPieces] cookies. Nothing of
// it was set: half a token would log the user in and then fail.
type SizeError struct {
	Name        string
	Size, Limit int // bytes, sealed
}

func (e *SizeError) Error() string {
	return fmt.Sprintf("the value of cookie %s takes %d bytes sealed, and %d is the most that can be kept", e.Name, e.Size, e.Limit)
}

// Jar seals values into the cookies of one policy.
type Jar struct {
	// Told, if set, is told of each value that is set, with the bytes of all its
	// cookies.
	Told func(k Kind, bytes int)
	// Unopened, if set, is told why a value did not open (see [seal.Why]): once a
	// request and kind, since a client can send any number of them.
	Unopened func(k Kind, reason string)

	policy Policy
	boxes  map[Kind]*seal.Box
	names  map[Kind]string
}

// NewJar makes a jar. maxAge bounds the age of the session's own kinds; zero
// means no limit.
func NewJar(policy Policy, ring *seal.Ring, maxAge time.Duration) *Jar {
	j := &Jar{policy: policy, boxes: map[Kind]*seal.Box{}, names: map[Kind]string{}}
	for _, k := range Kinds() {
		j.boxes[k] = ring.For(policy.NamePrefix+"-"+string(k), k.lifetime(maxAge))
		j.names[k] = policy.name(k)
	}
	return j
}

// Name is the full name of a kind; a tag tells several of one kind apart.
func (j *Jar) Name(k Kind, tag string) string {
	if tag == "" {
		return j.names[k]
	}
	return j.names[k] + "-" + tag
}

// Policy is the policy that the jar was made with.
func (j *Jar) Policy() Policy { return j.policy }

// Set seals plain and sets it, in as many cookies as it takes, and clears the
// pieces that an earlier and longer value left behind. Zero maxAge makes a
// session cookie.
func (j *Jar) Set(w http.ResponseWriter, got *Received, k Kind, tag string, plain []byte, maxAge time.Duration) error {
	cookies, err := j.cookies(k, tag, plain, maxAge)
	if err != nil {
		return err
	}
	size := 0
	for _, c := range cookies {
		line := c.String()
		size += len(line)
		w.Header().Add("Set-Cookie", line)
	}
	if j.Told != nil {
		j.Told(k, size)
	}
	j.clearPieces(w, got, k, tag, len(cookies))
	return nil
}

// Fits tells, without setting anything, whether plain can be kept.
func (j *Jar) Fits(k Kind, plain []byte) error {
	_, err := j.cookies(k, "", plain, 0)
	return err
}

func (j *Jar) cookies(k Kind, tag string, plain []byte, maxAge time.Duration) ([]*http.Cookie, error) {
	sealed, err := j.boxes[k].Seal(plain)
	if err != nil {
		return nil, err
	}
	name := j.Name(k, tag)
	room := j.room(k, name, maxAge)
	if len(sealed) > room*MaxPieces {
		return nil, &SizeError{Name: name, Size: len(sealed), Limit: room * MaxPieces}
	}
	var out []*http.Cookie
	for i, piece := range split(sealed, room) {
		c := j.policy.make(k, pieceName(name, i), piece)
		c.MaxAge = int(maxAge / time.Second)
		out = append(out, c)
	}
	return out, nil
}

// room is how many bytes of value fit beside the name and the attributes.
func (j *Jar) room(k Kind, name string, maxAge time.Duration) int {
	c := j.policy.make(k, pieceName(name, MaxPieces), "")
	c.MaxAge = int(maxAge / time.Second)
	return MaxSize - len(c.String()) - len("9.")
}

// Clear removes a cookie and all its pieces, with the attributes they were set
// with: a cookie of another path or domain would survive.
func (j *Jar) Clear(w http.ResponseWriter, got *Received, k Kind, tag string) {
	j.clearPieces(w, got, k, tag, 0)
}

// clearPieces clears those pieces from the n-th on that the browser has.
func (j *Jar) clearPieces(w http.ResponseWriter, got *Received, k Kind, tag string, n int) {
	name := j.Name(k, tag)
	for i := n; i <= maxStale; i++ {
		piece := pieceName(name, i)
		if !got.has(piece) {
			continue
		}
		c := j.policy.make(k, piece, "")
		c.MaxAge = -1
		c.Expires = time.Unix(1, 0) // for what predates Max-Age
		http.SetCookie(w, c)
	}
}

// maxStale is the last piece looked for when clearing: an older release may
// have written more of them.
const maxStale = 9

// Open finds, joins and opens the value of a kind. [ErrNone] when there is none
// at all, [seal.ErrSealed] when none opens.
func (j *Jar) Open(got *Received, k Kind, tag string) (plain []byte, err error) {
	err = j.OpenThat(got, k, tag, func(opened []byte) bool {
		plain = opened
		return true
	})
	return plain, err
}

// OpenThat is Open for a value that accept takes. A name may come twice, when
// another application of the site has planted one with another path or domain;
// it may even be one of ours, of another user. What is not taken does not open,
// and neither do pieces without the rest.
func (j *Jar) OpenThat(got *Received, k Kind, tag string, accept func(plain []byte) bool) error {
	name := j.Name(k, tag)
	if !got.hasAny(name) {
		return ErrNone
	}
	var why error
	for sealed := range got.values(name) {
		plain, err := j.boxes[k].Open(sealed)
		switch {
		case err != nil:
			why = err
		case accept(plain):
			return nil
		}
	}
	if why != nil && j.Unopened != nil && !got.unopened[k] {
		got.unopened[k] = true
		j.Unopened(k, seal.Why(why))
	}
	return seal.ErrSealed
}

// Doubled tells whether a cookie of a kind came more than once, or a piece of it.
// What does not open is then perhaps another's, and what does was not tried.
func (j *Jar) Doubled(got *Received, k Kind) bool { return got.twins(j.names[k]) > 1 }

// Tags lists the tags under which a request has cookies of a kind.
func (j *Jar) Tags(got *Received, k Kind) []string {
	var tags []string
	for _, name := range got.names() {
		if tag, ok := strings.CutPrefix(name, j.names[k]+"-"); ok && !isPiece(tag) {
			tags = append(tags, tag)
		}
	}
	return tags
}

// isPiece tells a piece's number, which is one digit, from a tag, which is longer.
func isPiece(tag string) bool { return len(tag) < 2 }

func pieceName(name string, i int) string {
	if i == 0 {
		return name
	}
	return name + "-" + strconv.Itoa(i)
}
