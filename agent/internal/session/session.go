package session

import (
	"encoding/base64"
	"errors"
	"net/http"
	"slices"
	"time"

	"oauth-agent/agent/internal/cookie"
	"oauth-agent/agent/internal/secret"
)

// Why a request has no session, or may not use it.
var (
	ErrNone   = errors.New("no session cookie")
	ErrBroken = errors.New("the session cookie does not open")
	ErrCSRF   = errors.New("the CSRF token is missing or wrong")
)

// csrfSize is the size of a CSRF token, in bytes.
const csrfSize = 32

// Tokens are what a session holds for its user. Issued and Expiry are the access
// token's; Expiry is zero when the authorization server did not say.
type Tokens struct {
	Access, Refresh, ID secret.String
	Issued, Expiry      time.Time
}

// Session is the session of one request. The parts that few requests need are
// opened when asked for.
type Session struct {
	store *Store
	got   *cookie.RequestCookies
	head  header

	// Access is empty when the session was found by its refresh token and the
	// access token is missing.
	Access secret.String
}

// part returns the value of another cookie of the same session, or nil.
func (s *Session) part(k cookie.Kind) []byte {
	value, _ := s.read(k)
	return value
}

// read is part with an error: [ErrNone], or [ErrBroken] for a cookie that does not
// open as one of this session.
func (s *Session) read(k cookie.Kind) ([]byte, error) {
	_, value, err := s.store.open(s.got, k, func(h header) bool { return h.ID == s.head.ID })
	return value, err
}

// Refresh returns the refresh token. It is empty when there is none, and when the
// request is outside the path of its cookie.
func (s *Session) Refresh() secret.String { return secret.New(string(s.part(cookie.Refresh))) }

// RefreshUnreadable reports whether there is a cookie of a refresh token that does
// not open as one of this session.
func (s *Session) RefreshUnreadable() bool {
	_, err := s.read(cookie.Refresh)
	return errors.Is(err, ErrBroken)
}

// IDToken returns the ID token; it is empty in the same cases.
func (s *Session) IDToken() secret.String { return secret.New(string(s.part(cookie.ID))) }

// GivenIDToken reports whether the session was given an ID token, which may have
// been lost since. The cookies of an older build do not say so: without any ID token
// cookie such a session counts as one that was never given one.
func (s *Session) GivenIDToken() bool {
	if s.head.IDToken == idTokenUnknown {
		_, err := s.read(cookie.ID)
		return !errors.Is(err, ErrNone)
	}
	return s.head.IDToken == idTokenGiven
}

// CSRF returns the CSRF token; it is empty when its cookie is missing or another session's.
func (s *Session) CSRF() secret.String {
	raw := s.part(cookie.CSRF)
	if len(raw) != csrfSize {
		return secret.String{}
	}
	return secret.New(base64.RawURLEncoding.EncodeToString(raw))
}

// Expiry returns when the access token expires; the zero time when that is unknown.
func (s *Session) Expiry() time.Time { return s.head.expiry() }

// Age returns how long ago the authorization server gave the access token.
func (s *Session) Age() time.Duration { return s.store.clock().Sub(time.Unix(s.head.Issued, 0)) }

// EndsAt returns when the session is over whatever happens; the zero time if never.
func (s *Session) EndsAt() time.Time { return s.store.EndsAt(s.head.started()) }

// Expired reports whether the access token is known to be past its time.
func (s *Session) Expired() bool {
	e := s.Expiry()
	return !e.IsZero() && !s.store.clock().Before(e)
}

// CheckCSRF compares the token that a request brings with the session's, in constant
// time. It fails with [ErrCSRF].
func (s *Session) CheckCSRF(token []string) error {
	want := s.CSRF()
	if len(token) != 1 || want.Empty() || !want.Equal(secret.New(token[0])) {
		return ErrCSRF
	}
	return nil
}

// ClearUnreadable clears the access, the refresh and the ID token where their cookies
// are there and do not open. It does nothing and returns false when the session would be of no
// use without them: the refresh token is broken, and the access token past its time.
// A cookie that came several times is left alone, since a neighbour on the site may
// have planted the one that does not open.
func (s *Session) ClearUnreadable(w http.ResponseWriter) bool {
	var broken []cookie.Kind
	for _, k := range []cookie.Kind{cookie.Access, cookie.Refresh, cookie.ID} {
		_, _, err := s.store.open(s.got, k, func(header) bool { return true })
		if errors.Is(err, ErrBroken) && !s.store.jar.HasDuplicates(s.got, k) {
			broken = append(broken, k)
		}
	}
	if slices.Contains(broken, cookie.Refresh) && s.Expired() {
		return false
	}
	for _, k := range broken {
		s.store.jar.Clear(w, s.got, k, "")
	}
	return true
}
