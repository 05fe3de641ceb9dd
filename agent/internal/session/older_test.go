package session

import (
	"encoding/json"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"oauth-agent/agent/internal/cookie"
	"oauth-agent/agent/internal/seal"
	"oauth-agent/agent/internal/secret"
)

// Sessions that older builds began go on. Each file of testdata is named after the
// commit that sealed its cookies, under keyA and with https.
func TestSessionsOfOlderBuildsGoOn(t *testing.T) {
	text, err := os.ReadFile("testdata/f7a085f.json")
	if err != nil {
		t.Fatal(err)
	}
	var sessions map[string]struct{ Cookie, CSRF string }
	if err := json.Unmarshal(text, &sessions); err != nil {
		t.Fatal(err)
	}
	ring, err := seal.NewRing([]secret.String{keyA})
	if err != nil {
		t.Fatal(err)
	}
	begun := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	c := newClock()
	c.Add(begun.Add(time.Minute).Sub(c.Now()))
	policy := cookie.Policy{NamePrefix: "example", BasePath: "/oauth-agent", Secure: true, Prefixes: true}
	st := NewStore(cookie.NewJar(policy, ring, 0), 0, c.Now)
	for name, want := range map[string]struct {
		access string
		id     string
		expiry time.Time
	}{
		"all":         {"access-1", "id-1", begun.Add(5 * time.Minute)},
		"split":       {strings.Repeat("0123456789", 500), "id-1", time.Time{}},
		"no ID token": {"access-1", "", time.Time{}},
	} {
		older := sessions[name]
		b := browser{}
		for _, pair := range strings.Split(older.Cookie, "; ") {
			key, value, _ := strings.Cut(pair, "=")
			b[key] = value
		}
		s := current(t, st, b)
		if s.Access.Reveal() != want.access || s.Refresh().Reveal() != "refresh-1" || s.IDToken().Reveal() != want.id ||
			s.CSRF().Reveal() != older.CSRF || !s.Expiry().Equal(want.expiry) || s.GivenIDToken() != (want.id != "") || !s.head.started().Equal(begun) {
			t.Errorf("%s: %+v", name, s)
		}
		if err := s.CheckCSRF([]string{older.CSRF}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for kind := range b { // whatever of the access token's is lost
			if strings.Contains(kind, "-at") {
				delete(b, kind)
			}
		}
		s, err := st.Renewable(b.got())
		if err != nil || s.Refresh().Reveal() != "refresh-1" {
			t.Fatalf("%s, without its access token: %v", name, err)
		}
		w := httptest.NewRecorder()
		if err := st.Refreshed(w, s, tokens("2")); err != nil {
			t.Fatal(err)
		}
		b.keep(w)
		if s := current(t, st, b); s.Access.Reveal() != "access-2" || s.CSRF().Reveal() != older.CSRF {
			t.Errorf("%s, refreshed: %+v", name, s)
		}
	}
}
