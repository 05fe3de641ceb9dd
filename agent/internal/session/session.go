package session

import (
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"slices"
	"time"

	"oauth-agent/agent/internal/cookie"
	"oauth-agent/agent/internal/secret"
)

// The ways in which a request has no session.
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

// Store keeps sessions in cookies.
type Store struct {
	jar      *cookie.Jar
	lifetime time.Duration
	clock    func() time.Time
}

// NewStore makes a store. lifetime is the longest a session lasts, however
// often it is refreshed; zero means as long as the browser runs and the
// authorization server allows.
func NewStore(jar *cookie.Jar, lifetime time.Duration, clock func() time.Time) *Store {
	return &Store{jar: jar, lifetime: lifetime, clock: clock}
}

// Current finds the session by its access token. [ErrNone] or [ErrBroken].
func (st *Store) Current(got *cookie.RequestCookies) (*Session, error) {
	head, access, err := st.open(got, cookie.Access, func(header) bool { return true })
	if err != nil {
		return nil, err
	}
	return &Session{store: st, got: got, head: head, Access: secret.New(string(access))}, nil
}

// Renewable finds the session by its access token, or failing that by its
// refresh token together with its CSRF token. [ErrNone] or [ErrBroken].
//
// The refresh token alone is no session. Its cookie is bound to the base path, so
// it cannot be named __Host-Http-…, and a neighbour on the site can push all
// cookies out of the browser and plant that of a session of its own: the user
// would work in the neighbour's account. -at and -csrf cannot be planted.
func (st *Store) Renewable(got *cookie.RequestCookies) (*Session, error) {
	s, err := st.Current(got)
	if err == nil {
		return s, nil
	}
	vouched := map[[idSize]byte]bool{}
	_, _, _ = st.open(got, cookie.CSRF, func(h header) bool {
		vouched[h.ID] = true
		return false // there may be several, and any may be the one
	})
	head, _, noRefresh := st.open(got, cookie.Refresh, func(h header) bool { return vouched[h.ID] })
	if noRefresh != nil {
		return nil, err
	}
	return &Session{store: st, got: got, head: head}, nil
}

// open reads one cookie of a session that is not over, and that is wanted: of
// several of one name, the others may be planted.
func (st *Store) open(got *cookie.RequestCookies, k cookie.Kind, wanted func(header) bool) (head header, value []byte, err error) {
	err = st.jar.OpenThat(got, k, "", func(plain []byte) bool {
		h, v, err := readRecord(plain)
		if err != nil || st.over(h) || !wanted(h) {
			return false
		}
		head, value = h, v
		return true
	})
	switch {
	case errors.Is(err, cookie.ErrNone):
		return header{}, nil, ErrNone
	case err != nil:
		return header{}, nil, ErrBroken
	}
	return head, value, nil
}

func (st *Store) over(head header) bool {
	return st.lifetime > 0 && !st.clock().Before(head.started().Add(st.lifetime))
}

// part returns the value of another cookie of the same session, or nil.
func (s *Session) part(k cookie.Kind) []byte {
	value, _ := s.read(k)
	return value
}

// read is part with the reason: [ErrNone], or [ErrBroken] for a cookie that does
// not open as one of this session.
func (s *Session) read(k cookie.Kind) ([]byte, error) {
	_, value, err := s.store.open(s.got, k, func(h header) bool { return h.ID == s.head.ID })
	return value, err
}

// Refresh is the refresh token; empty when there is none, or when the request
// is outside its path.
func (s *Session) Refresh() secret.String { return secret.New(string(s.part(cookie.Refresh))) }

// RefreshUnreadable reports whether there is a cookie of a refresh token that does
// not open as one of this session.
func (s *Session) RefreshUnreadable() bool {
	_, err := s.read(cookie.Refresh)
	return errors.Is(err, ErrBroken)
}

// IDToken is the ID token; empty likewise.
func (s *Session) IDToken() secret.String { return secret.New(string(s.part(cookie.ID))) }

// GivenIDToken reports whether the session was given an ID token, which may have
// been lost since. A session that an older build began does not say: without any
// ID token cookie it counts as never given one.
func (s *Session) GivenIDToken() bool {
	if s.head.IDToken == idTokenUnknown {
		_, err := s.read(cookie.ID)
		return !errors.Is(err, ErrNone)
	}
	return s.head.IDToken == idTokenGiven
}

// CSRF is the CSRF token; empty when its cookie is missing or another session's.
func (s *Session) CSRF() secret.String {
	raw := s.part(cookie.CSRF)
	if len(raw) != csrfSize {
		return secret.String{}
	}
	return secret.New(base64.RawURLEncoding.EncodeToString(raw))
}

// Expiry is when the access token expires; zero when that is unknown.
func (s *Session) Expiry() time.Time { return s.head.expiry() }

// Age is how long ago the authorization server gave the access token.
func (s *Session) Age() time.Duration { return s.store.clock().Sub(time.Unix(s.head.Issued, 0)) }

// EndsAt is when the session is over whatever happens; zero: no such time.
func (s *Session) EndsAt() time.Time { return s.store.EndsAt(s.head.started()) }

// EndsAt is when a session that started then is over; zero: no such time.
func (st *Store) EndsAt(started time.Time) time.Time {
	if st.lifetime == 0 {
		return time.Time{}
	}
	return started.Add(st.lifetime)
}

// Expired tells whether the access token is known to be past its time.
func (s *Session) Expired() bool {
	e := s.Expiry()
	return !e.IsZero() && !s.store.clock().Before(e)
}

// CheckCSRF compares the token that a request brings with the session's, in
// constant time. [ErrCSRF] otherwise.
func (s *Session) CheckCSRF(token []string) error {
	want := s.CSRF()
	if len(token) != 1 || want.Empty() || !want.Equal(secret.New(token[0])) {
		return ErrCSRF
	}
	return nil
}

// Seed is what a session is made of: its identifier and its CSRF token come from
// it. It is chosen when the login begins, so that two calls that end one login with
// one code make one session.
type Seed [idSize + csrfSize]byte

// NewSeed gives a random one.
func NewSeed() (s Seed) {
	_, _ = rand.Read(s[:]) // never fails, see its documentation
	return s
}

// With derives the seed of the session that a code makes (HKDF-SHA-256, RFC 5869).
// The login alone would not do: its cookie could be used at two replicas for the
// codes of two users, and their sessions would have the same identifier.
func (s Seed) With(code secret.String) Seed {
	derived, err := hkdf.Key(sha256.New, s[:], nil, "oauth-agent/session/v1/"+code.Reveal(), len(s))
	if err != nil { // only for an absurd length, which ours is not
		panic(err)
	}
	return Seed(derived)
}

// Start begins a session and gives its CSRF token: csrf when that is not empty,
// otherwise the seed's. Either all cookies are set or none.
func (st *Store) Start(w http.ResponseWriter, got *cookie.RequestCookies, t Tokens, seed Seed, csrf secret.String) (secret.String, error) {
	token, err := base64.RawURLEncoding.DecodeString(csrf.Reveal())
	if err != nil || len(token) != csrfSize {
		token = seed[idSize:]
	}
	head := header{ID: [idSize]byte(seed[:idSize]), Started: st.clock().Unix(), IDToken: idTokenNone}
	return secret.New(base64.RawURLEncoding.EncodeToString(token)), st.write(w, got, head, t, token)
}

// Refreshed rewrites the cookies of a session with new tokens. The CSRF token
// stays, and is sealed anew as the rest is: so a key that sealed no cookie for
// a session's length can be dropped.
func (st *Store) Refreshed(w http.ResponseWriter, s *Session, t Tokens) error {
	return st.write(w, s.got, s.head, t, s.part(cookie.CSRF))
}

// RestoreCSRF gives a session that has lost its CSRF cookie a new one.
func (st *Store) RestoreCSRF(w http.ResponseWriter, s *Session) (secret.String, error) {
	token := make([]byte, csrfSize)
	_, _ = rand.Read(token)
	err := st.jar.Set(w, s.got, cookie.CSRF, "", record(s.head, token), st.maxAge(s.head))
	return secret.New(base64.RawURLEncoding.EncodeToString(token)), err
}

// ClearUnreadable clears the refresh and the ID token where their cookies are there
// and do not open. It does nothing and returns false when the session would be of no
// use without them: the refresh token is broken, and the access token past its time.
// A cookie that came several times is left alone, since a neighbour on the site may
// have planted the one that does not open.
func (s *Session) ClearUnreadable(w http.ResponseWriter) bool {
	var broken []cookie.Kind
	for _, k := range []cookie.Kind{cookie.Refresh, cookie.ID} {
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

// End clears every cookie of the session that the browser sent, in the order of
// Curity's agents, which their tests rely on.
func (st *Store) End(w http.ResponseWriter, got *cookie.RequestCookies) {
	for _, k := range []cookie.Kind{cookie.Refresh, cookie.Access, cookie.ID, cookie.CSRF} {
		st.jar.Clear(w, got, k, "")
	}
}

// kinds are the cookies that make up a session.
func kinds() []cookie.Kind {
	return []cookie.Kind{cookie.Access, cookie.Refresh, cookie.ID, cookie.CSRF}
}

func (st *Store) write(w http.ResponseWriter, got *cookie.RequestCookies, head header, t Tokens, csrf []byte) error {
	head.Issued, head.Expiry = unix(t.Issued), unix(t.Expiry)
	if !t.ID.Empty() {
		head.IDToken = idTokenGiven
	}
	values := map[cookie.Kind][]byte{
		cookie.Access:  []byte(t.Access.Reveal()),
		cookie.Refresh: []byte(t.Refresh.Reveal()),
		cookie.ID:      []byte(t.ID.Reveal()),
		cookie.CSRF:    csrf,
	}
	draft := draft{}
	for _, k := range kinds() {
		if len(values[k]) == 0 {
			st.jar.Clear(draft, got, k, "")
			continue
		}
		if err := st.jar.Set(draft, got, k, "", record(head, values[k]), st.maxAge(head)); err != nil {
			return err
		}
	}
	for _, line := range draft.Header()["Set-Cookie"] {
		w.Header().Add("Set-Cookie", line)
	}
	return nil
}

// maxAge is the browser's own limit: what is left of the session's lifetime.
func (st *Store) maxAge(head header) time.Duration {
	if st.lifetime == 0 {
		return 0
	}
	return max(head.started().Add(st.lifetime).Sub(st.clock()), time.Second)
}
