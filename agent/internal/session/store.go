package session

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"net/http"
	"time"

	"oauth-agent/agent/internal/cookie"
	"oauth-agent/agent/internal/secret"
)

// Store keeps sessions in cookies.
type Store struct {
	jar      *cookie.Jar
	lifetime time.Duration
	clock    func() time.Time
}

// NewStore returns a store. lifetime is the longest a session lasts, however
// often it is refreshed; zero means as long as the browser runs and the
// authorization server allows.
func NewStore(jar *cookie.Jar, lifetime time.Duration, clock func() time.Time) *Store {
	return &Store{jar: jar, lifetime: lifetime, clock: clock}
}

// Current finds the session by its access token. It fails with [ErrNone] or
// [ErrBroken].
func (st *Store) Current(got *cookie.RequestCookies) (*Session, error) {
	head, access, err := st.open(got, cookie.Access, func(header) bool { return true })
	if err != nil {
		return nil, err
	}
	return &Session{store: st, got: got, head: head, Access: secret.New(string(access))}, nil
}

// Renewable finds the session by its access token, or failing that by its refresh
// token together with its CSRF token. It fails as Current does.
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
		return false // there may be several, and any of them may be the right one
	})
	head, _, noRefresh := st.open(got, cookie.Refresh, func(h header) bool { return vouched[h.ID] })
	if noRefresh != nil {
		return nil, err
	}
	return &Session{store: st, got: got, head: head}, nil
}

// open reads one cookie of a session that is not over and for which wanted returns
// true: of several cookies of one name, the others may be planted.
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

// EndsAt returns when a session that started then is over; the zero time if never.
func (st *Store) EndsAt(started time.Time) time.Time {
	if st.lifetime == 0 {
		return time.Time{}
	}
	return started.Add(st.lifetime)
}

// Start begins a session and returns its CSRF token: csrf when that is not empty,
// otherwise the seed's. Either all cookies are set or none.
func (st *Store) Start(w http.ResponseWriter, got *cookie.RequestCookies, t Tokens, seed Seed, csrf secret.String) (secret.String, error) {
	token, err := base64.RawURLEncoding.DecodeString(csrf.Reveal())
	if err != nil || len(token) != csrfSize {
		token = seed[idSize:]
	}
	head := header{ID: [idSize]byte(seed[:idSize]), Started: st.clock().Unix(), IDToken: idTokenNone}
	return secret.New(base64.RawURLEncoding.EncodeToString(token)), st.write(w, got, head, t, token)
}

// Refreshed rewrites the cookies of a session with new tokens. The CSRF token stays,
// and is sealed anew like the rest: an old key can be dropped when no session is
// left that began, or was last refreshed, under it.
func (st *Store) Refreshed(w http.ResponseWriter, s *Session, t Tokens) error {
	return st.write(w, s.got, s.head, t, s.part(cookie.CSRF))
}

// RestoreCSRF sets a new CSRF cookie for a session that has lost its own.
func (st *Store) RestoreCSRF(w http.ResponseWriter, s *Session) (secret.String, error) {
	token := make([]byte, csrfSize)
	_, _ = rand.Read(token)
	err := st.jar.Set(w, s.got, cookie.CSRF, "", record(s.head, token), st.maxAge(s.head))
	return secret.New(base64.RawURLEncoding.EncodeToString(token)), err
}

// End clears every cookie of the session that the browser sent, in the order of
// Curity's agents, which their tests rely on.
func (st *Store) End(w http.ResponseWriter, got *cookie.RequestCookies) {
	for _, k := range []cookie.Kind{cookie.Refresh, cookie.Access, cookie.ID, cookie.CSRF} {
		st.jar.Clear(w, got, k, "")
	}
}

// kinds returns the cookies that make up a session.
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

// maxAge returns how long the browser may keep the cookies: what is left of the
// session's lifetime.
func (st *Store) maxAge(head header) time.Duration {
	if st.lifetime == 0 {
		return 0
	}
	return max(head.started().Add(st.lifetime).Sub(st.clock()), time.Second)
}
