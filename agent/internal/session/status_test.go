package session

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"oauth-agent/agent/internal/cookie"
	"oauth-agent/agent/internal/httperr"
	"oauth-agent/agent/internal/secret"
)

// What a page learns when it loads, and which cookies the answer changes.
func TestLoadStatus(t *testing.T) {
	for _, tt := range []struct {
		name     string
		change   func(browser)
		passed   time.Duration
		loggedIn bool
		expires  int64 // the access token
		changed  []string
	}{
		{"everything", func(browser) {}, time.Minute, true, 240, nil},
		{"an expired access token", func(browser) {}, 6 * time.Minute, true, -60, nil},
		{"no cookies", func(b browser) { clear(b) }, 0, false, 0, nil},
		{"no access token", func(b browser) { delete(b, "example-at") }, time.Minute, true, 0, nil},
		{"no access nor CSRF token", func(b browser) { delete(b, "example-at"); delete(b, "example-csrf") }, 0, false, 0, []string{"example-auth", "example-id"}},
		{"no CSRF token", func(b browser) { delete(b, "example-csrf") }, 0, true, 300, []string{"example-csrf"}},
		{"a broken CSRF token", func(b browser) { b["example-csrf"] = "x" }, 0, true, 300, []string{"example-csrf"}},
		{"a broken ID token", func(b browser) { b["example-id"] = "x" }, 0, true, 300, []string{"example-id"}},
		{"a broken refresh token", func(b browser) { b["example-auth"] = "x" }, 0, true, 300, []string{"example-auth"}},
		{"a broken refresh token at the end", func(b browser) { b["example-auth"] = "x" }, 6 * time.Minute, false, 0, []string{"example-at", "example-auth", "example-csrf", "example-id"}},
		{"a broken access token", func(b browser) { b["example-at"] = "x" }, 0, true, 0, []string{"example-at"}},
		{"a broken access token alone", func(b browser) { clear(b); b["example-at"] = "x" }, 0, false, 0, []string{"example-at"}},
		{"the end of the session", func(browser) {}, time.Hour, false, 0, []string{"example-at", "example-auth", "example-csrf", "example-id"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := newClock()
			st := store(t, c, time.Hour)
			given := tokens("1")
			given.Expiry = c.Now().Add(5 * time.Minute)
			b, csrf := start(t, st, given)
			tt.change(b)
			c.Add(tt.passed)
			w := httptest.NewRecorder()
			s, status, err := st.LoadStatus(w, b.got())
			if err != nil || status.IsLoggedIn != tt.loggedIn || (s != nil) != tt.loggedIn {
				t.Fatalf("%+v, %v, %v", status, s, err)
			}
			var changed []string
			for _, line := range b.keep(w) {
				changed = append(changed, line.Name)
			}
			slices.Sort(changed)
			if !slices.Equal(changed, tt.changed) {
				t.Errorf("changed %v, not %v", changed, tt.changed)
			}
			if !tt.loggedIn {
				if status != (Status{}) {
					t.Errorf("%+v", status)
				}
				return
			}
			if *status.AccessTokenExpiresIn != tt.expires || *status.SessionExpiresIn != int64((time.Hour-tt.passed)/time.Second) {
				t.Errorf("the token expires in %d, the session in %d", *status.AccessTokenExpiresIn, *status.SessionExpiresIn)
			}
			restored := slices.Contains(tt.changed, "example-csrf")
			if (status.CSRF == csrf.Reveal()) == restored || len(status.CSRF) != 43 {
				t.Errorf("the CSRF token is %q, was %q", status.CSRF, csrf.Reveal())
			}
			if again := renewable(t, st, b); again.CheckCSRF([]string{status.CSRF}) != nil {
				t.Error("the CSRF token of the answer is of no use")
			}
		})
	}
}

// renewable finds a session by whatever token it has.
func renewable(t *testing.T, st *Store, b browser) *Session {
	t.Helper()
	s, err := st.Renewable(b.got())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Times that are not known are absent.
func TestStatusWithoutTimes(t *testing.T) {
	st := store(t, newClock(), 0)
	b, _ := start(t, st, tokens("1"))
	_, status, err := st.LoadStatus(httptest.NewRecorder(), b.got())
	if err != nil || !status.IsLoggedIn || status.AccessTokenExpiresIn != nil || status.SessionExpiresIn != nil {
		t.Errorf("%+v, %v", status, err)
	}
	if status := st.NewStatus(secret.New("csrf"), time.Time{}); !status.IsLoggedIn || status.CSRF != "csrf" || status.AccessTokenExpiresIn != nil || status.SessionExpiresIn != nil {
		t.Errorf("new: %+v", status)
	}
}

func TestFinder(t *testing.T) {
	st := store(t, newClock(), 0)
	f := Finder{Store: st, CSRFHeader: "X-Example-Csrf", ReadNeedsCSRF: func(r *http.Request) bool { return r.URL.Path == "/strict" }}
	whole, csrf := start(t, st, tokens("1"))
	noAccess := maps.Clone(whole)
	delete(noAccess, "example-at")
	for _, tt := range []struct {
		name         string
		b            browser
		path         string
		csrf         []string
		update, read string // reasons of the refusal; empty: the session is found
	}{
		{"no cookies", browser{}, "/", nil, httperr.ReasonNoSession, httperr.ReasonNoSession},
		{"a broken session", browser{"example-at": "x"}, "/", nil, httperr.ReasonBrokenSession, httperr.ReasonBrokenSession},
		{"no CSRF header", whole, "/", nil, httperr.ReasonCSRF, ""},
		{"a wrong one", whole, "/", []string{"x"}, httperr.ReasonCSRF, ""},
		{"two", whole, "/strict", []string{csrf.Reveal(), csrf.Reveal()}, httperr.ReasonCSRF, httperr.ReasonCSRF},
		{"no CSRF header where reading needs it", whole, "/strict", nil, httperr.ReasonCSRF, httperr.ReasonCSRF},
		{"the CSRF header", whole, "/strict", []string{csrf.Reveal()}, "", ""},
		{"no access token", noAccess, "/", []string{csrf.Reveal()}, "", httperr.ReasonNoSession},
	} {
		r := httptest.NewRequest(http.MethodPost, tt.path, nil)
		for name, value := range tt.b {
			r.AddCookie(&http.Cookie{Name: name, Value: value})
		}
		r.Header["X-Example-Csrf"] = tt.csrf
		s, err := f.ForUpdate(r, cookie.Read(r))
		wantRefusal(t, tt.name+", update", s, err, tt.update)
		s, err = f.ForRead(r)
		wantRefusal(t, tt.name+", read", s, err, tt.read)
	}
	f.ReadNeedsCSRF = nil
	r := httptest.NewRequest(http.MethodGet, "/strict", nil)
	r.AddCookie(&http.Cookie{Name: "example-at", Value: whole["example-at"]})
	if _, err := f.ForRead(r); err != nil {
		t.Errorf("without a rule for reading: %v", err)
	}
}

func wantRefusal(t *testing.T, name string, s *Session, err error, reason string) {
	t.Helper()
	if reason == "" {
		if s == nil || err != nil {
			t.Errorf("%s: %v", name, err)
		}
		return
	}
	var e *httperr.Error
	if s != nil || !errors.As(err, &e) || e.Status != 401 || e.Code != httperr.UnauthorizedRequest || e.Reason != reason {
		t.Errorf("%s: %v", name, err)
	}
}

func TestToHTTPError(t *testing.T) {
	var e *httperr.Error
	tooLarge := fmt.Errorf("canary: %w", &cookie.SizeError{Name: "example-at", Size: 30000, Limit: 20000})
	if !errors.As(ToHTTPError(tooLarge), &e) || e.Status != 502 || e.Code != httperr.AuthorizationServerError || strings.Contains(e.Message, "canary") {
		t.Errorf("too large: %v", e)
	}
	if unknown := errors.New("unknown"); ToHTTPError(unknown) != unknown {
		t.Error("an unknown error must stay what it is")
	}
}
