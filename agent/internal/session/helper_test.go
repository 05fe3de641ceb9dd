package session

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"oauth-agent/agent/internal/cookie"
	"oauth-agent/agent/internal/seal"
	"oauth-agent/agent/internal/secret"
	"oauth-agent/test/double"
)

var (
	keyA = secret.New(strings.Repeat("a1", 32))
	keyB = secret.New(strings.Repeat("b2", 32))
)

// newClock starts at the real time, by which securecookie ages its values.
func newClock() *double.Clock { return double.NewClock(time.Now().Truncate(time.Second)) }

func store(t testing.TB, c *double.Clock, lifetime time.Duration, keys ...secret.String) *Store {
	t.Helper()
	if len(keys) == 0 {
		keys = []secret.String{keyA}
	}
	ring, err := seal.NewRing(keys)
	if err != nil {
		t.Fatal(err)
	}
	policy := cookie.Policy{NamePrefix: "example", BasePath: "/oauth-agent"}
	return NewStore(cookie.NewJar(policy, ring, lifetime), lifetime, c.Now)
}

// browser keeps cookies by name.
type browser map[string]string

// got is what a request brings; without names it brings all.
func (b browser) got(names ...string) *cookie.RequestCookies {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	if len(names) == 0 {
		for name := range b {
			names = append(names, name)
		}
	}
	for _, name := range names {
		r.AddCookie(&http.Cookie{Name: name, Value: b[name]})
	}
	return cookie.Read(r)
}

// keep takes the cookies of an answer in, and gives those that it set.
func (b browser) keep(w *httptest.ResponseRecorder) []*http.Cookie {
	cookies := w.Result().Cookies()
	for _, c := range cookies {
		if c.MaxAge < 0 {
			delete(b, c.Name)
			continue
		}
		b[c.Name] = c.Value
	}
	return cookies
}

// start begins a session in a new browser.
func start(t testing.TB, st *Store, tokens Tokens) (browser, secret.String) {
	t.Helper()
	b := browser{}
	w := httptest.NewRecorder()
	csrf, err := st.Start(w, b.got(), tokens, NewSeed(), secret.String{})
	if err != nil {
		t.Fatal(err)
	}
	b.keep(w)
	return b, csrf
}

func current(t testing.TB, st *Store, b browser) *Session {
	t.Helper()
	s, err := st.Current(b.got())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func tokens(name string) Tokens {
	return Tokens{Access: secret.New("access-" + name), Refresh: secret.New("refresh-" + name), ID: secret.New("id-" + name)}
}
