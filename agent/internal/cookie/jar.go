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

// ErrNone is returned when the request has no such cookie.
var ErrNone = errors.New("no such cookie")

// SizeError is returned for a value that does not fit into [MaxPieces] cookies.
// No part of it was set: half a token would log the user in and then fail.
type SizeError struct {
	Name        string
	Size, Limit int // bytes, sealed
}

func (e *SizeError) Error() string {
	return fmt.Sprintf("the value of cookie %s takes %d bytes sealed, and %d is the most that can be kept", e.Name, e.Size, e.Limit)
}

// Observer is notified of what a jar does.
type Observer interface {
	// CookieSet is called after a value was set, with the bytes of all its cookies.
	CookieSet(k Kind, bytes int)
	// UnsealFailed is called with the reason when a value did not open (see
	// [seal.Why]). It is called once for each request and kind, since a client can
	// send any number of cookies.
	UnsealFailed(k Kind, reason string)
}

// Jar seals values into the cookies of one policy.
type Jar struct {
	policy   Policy
	boxes    map[Kind]*seal.Box
	names    map[Kind]string
	observer Observer // may be nil
}

// NewJar returns a jar. maxAge bounds the age of the session's own kinds; zero
// means no limit.
func NewJar(policy Policy, ring *seal.Ring, maxAge time.Duration) *Jar {
	j := &Jar{policy: policy, boxes: map[Kind]*seal.Box{}, names: map[Kind]string{}}
	for _, k := range Kinds() {
		j.boxes[k] = ring.For(policy.NamePrefix+"-"+string(k), k.lifetime(maxAge))
		j.names[k] = policy.name(k)
	}
	return j
}

// WithObserver returns a jar like j whose use is observed by o.
func (j *Jar) WithObserver(o Observer) *Jar {
	observed := *j
	observed.observer = o
	return &observed
}

// Name returns the full name of a kind; a tag tells several of one kind apart.
func (j *Jar) Name(k Kind, tag string) string {
	if tag == "" {
		return j.names[k]
	}
	return j.names[k] + "-" + tag
}

// Policy returns the policy that the jar was made with.
func (j *Jar) Policy() Policy { return j.policy }

// Set seals plain and sets it, in as many cookies as it takes, and clears the
// pieces that an earlier and longer value left behind. Zero maxAge makes a
// session cookie.
func (j *Jar) Set(w http.ResponseWriter, got *RequestCookies, k Kind, tag string, plain []byte, maxAge time.Duration) error {
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
	if j.observer != nil {
		j.observer.CookieSet(k, size)
	}
	j.clearPieces(w, got, k, tag, len(cookies))
	return nil
}

// Fits reports, without setting anything, whether plain can be kept: the error is
// what [Jar.Set] would return.
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

// room returns how many bytes of value fit beside the name and the attributes.
func (j *Jar) room(k Kind, name string, maxAge time.Duration) int {
	c := j.policy.make(k, pieceName(name, MaxPieces), "")
	c.MaxAge = int(maxAge / time.Second)
	return MaxSize - len(c.String()) - len("9.")
}

// Clear removes a cookie and all its pieces, with the attributes they were set
// with: a cookie of another path or domain would survive.
func (j *Jar) Clear(w http.ResponseWriter, got *RequestCookies, k Kind, tag string) {
	j.clearPieces(w, got, k, tag, 0)
}

// clearPieces clears those pieces from the n-th on that the browser has.
func (j *Jar) clearPieces(w http.ResponseWriter, got *RequestCookies, k Kind, tag string, n int) {
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

// Open finds, joins and opens the value of a kind. It fails with [ErrNone] when
// there is none at all, and with [seal.ErrSealed] when none opens.
func (j *Jar) Open(got *RequestCookies, k Kind, tag string) (plain []byte, err error) {
	err = j.OpenThat(got, k, tag, func(opened []byte) bool {
		plain = opened
		return true
	})
	return plain, err
}

// OpenThat is Open for the first value that accept returns true for. A request may
// bring several cookies of one name: another application of the site may have
// planted some with another path or domain, even some that were sealed here for
// another user. Pieces of a value of which others are missing do not open.
func (j *Jar) OpenThat(got *RequestCookies, k Kind, tag string, accept func(plain []byte) bool) error {
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
	if why != nil && j.observer != nil && !got.reported[k] {
		got.reported[k] = true
		j.observer.UnsealFailed(k, seal.Why(why))
	}
	return seal.ErrSealed
}

// HasDuplicates reports whether a cookie of a kind, or a piece of it, came more than
// once. A value that does not open may then be somebody else's, and the user's own
// may not have been tried.
func (j *Jar) HasDuplicates(got *RequestCookies, k Kind) bool { return got.duplicates(j.names[k]) > 1 }

// Tags returns the tags under which a request has cookies of a kind.
func (j *Jar) Tags(got *RequestCookies, k Kind) []string {
	var tags []string
	for _, name := range got.names() {
		if tag, ok := strings.CutPrefix(name, j.names[k]+"-"); ok && !isPiece(tag) {
			tags = append(tags, tag)
		}
	}
	return tags
}

// isPiece reports whether the end of a name is the number of a piece, which has one
// digit, and not a tag, which is longer.
func isPiece(tag string) bool { return len(tag) < 2 }

func pieceName(name string, i int) string {
	if i == 0 {
		return name
	}
	return name + "-" + strconv.Itoa(i)
}
