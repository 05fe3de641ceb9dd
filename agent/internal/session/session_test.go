package session

import (
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"oauth-agent/agent/internal/cookie"
	"oauth-agent/agent/internal/secret"
)

func TestASessionFromStartToEnd(t *testing.T) {
	c := newClock()
	st := store(t, c, 0)
	first := tokens("1")
	first.Expiry = c.Now().Add(5 * time.Minute)
	b, csrf := start(t, st, first)
	if names := slices.Sorted(maps.Keys(b)); !slices.Equal(names, []string{"example-at", "example-auth", "example-csrf", "example-id"}) {
		t.Fatalf("cookies %v", names)
	}
	s := current(t, st, b)
	if !s.Access.Equal(first.Access) || !s.Refresh().Equal(first.Refresh) || !s.IDToken().Equal(first.ID) ||
		!s.CSRF().Equal(csrf) || len(csrf.Reveal()) != 43 || !s.Expiry().Equal(first.Expiry) || s.Expired() || !s.EndsAt().IsZero() {
		t.Errorf("not what was started: %+v", s)
	}
	c.Add(5 * time.Minute)
	if s = current(t, st, b); !s.Expired() {
		t.Error("the access token is not expired at its time")
	}

	second := tokens("2") // without an expiry
	old := maps.Clone(b)
	w := httptest.NewRecorder()
	if err := st.Refreshed(w, s, second); err != nil {
		t.Fatal(err)
	}
	b.keep(w)
	s = current(t, st, b)
	if !s.Access.Equal(second.Access) || !s.Refresh().Equal(second.Refresh) || !s.IDToken().Equal(second.ID) ||
		!s.CSRF().Equal(csrf) || !s.Expiry().IsZero() || s.Expired() {
		t.Errorf("not what was refreshed: %+v", s)
	}
	for name := range old {
		if old[name] == b[name] {
			t.Errorf("%s was not sealed anew", name)
		}
	}

	w = httptest.NewRecorder()
	st.End(w, b.got())
	for _, line := range b.keep(w) {
		if line.MaxAge != -1 || line.Value != "" {
			t.Errorf("not cleared: %v", line)
		}
	}
	if len(b) != 0 {
		t.Errorf("the end left %v", slices.Sorted(maps.Keys(b)))
	}
}

func TestASessionMayLackTokens(t *testing.T) {
	st := store(t, newClock(), 0)
	b, _ := start(t, st, tokens("1"))
	w := httptest.NewRecorder()
	if _, err := st.Start(w, b.got(), Tokens{Access: secret.New("only")}, NewSeed(), secret.String{}); err != nil {
		t.Fatal(err)
	}
	b.keep(w)
	if names := slices.Sorted(maps.Keys(b)); !slices.Equal(names, []string{"example-at", "example-csrf"}) {
		t.Errorf("what the earlier session had is still there: %v", names)
	}
	if s := current(t, st, b); !s.Refresh().Empty() || !s.IDToken().Empty() {
		t.Error("tokens from nowhere")
	}
}

func TestRequestsWithoutASession(t *testing.T) {
	c := newClock()
	st := store(t, c, 0)
	b, _ := start(t, st, tokens("1"))
	other, _ := start(t, st, tokens("2"))
	otherKey, _ := start(t, store(t, c, 0, keyB), tokens("1"))
	swapped := browser{"example-at": b["example-auth"], "example-auth": b["example-at"]}
	for _, tt := range []struct {
		name               string
		b                  browser
		current, renewable error
	}{
		{"no cookies", browser{}, ErrNone, ErrNone},
		{"another application's", browser{"sid": "1"}, ErrNone, ErrNone},
		{"no access token", browser{"example-auth": b["example-auth"], "example-csrf": b["example-csrf"]}, ErrNone, nil},
		{"a refresh token alone", browser{"example-auth": b["example-auth"], "example-id": b["example-id"]}, ErrNone, ErrNone},
		{"and a broken CSRF token", browser{"example-auth": b["example-auth"], "example-csrf": "x"}, ErrNone, ErrNone},
		{"and another session's CSRF token", browser{"example-auth": b["example-auth"], "example-csrf": other["example-csrf"]}, ErrNone, ErrNone},
		{"a broken access token", browser{"example-at": "x", "example-auth": b["example-auth"], "example-csrf": b["example-csrf"]}, ErrBroken, nil},
		{"no refresh token", browser{"example-at": b["example-at"]}, nil, nil},
		{"only what identifies nobody", browser{"example-csrf": b["example-csrf"], "example-id": b["example-id"]}, ErrNone, ErrNone},
		{"another key", otherKey, ErrBroken, ErrBroken},
		{"swapped", swapped, ErrBroken, ErrBroken},
		{"cut", browser{"example-at": b["example-at"][:20]}, ErrBroken, ErrBroken},
		{"empty", browser{"example-at": ""}, ErrBroken, ErrBroken},
		{"broken refresh token", browser{"example-at": b["example-at"], "example-auth": "x"}, nil, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := st.Current(tt.b.got()); !errors.Is(err, tt.current) {
				t.Errorf("Current: %v", err)
			}
			if _, err := st.Renewable(tt.b.got()); !errors.Is(err, tt.renewable) {
				t.Errorf("Renewable: %v", err)
			}
		})
	}
}

func TestRenewableHasWhatCurrentHas(t *testing.T) {
	c := newClock()
	st := store(t, c, time.Hour)
	want := tokens("1")
	want.Expiry = c.Now().Add(time.Minute)
	b, csrf := start(t, st, want)
	for _, names := range [][]string{nil, {"example-at", "example-id", "example-csrf"}, {"example-auth", "example-id", "example-csrf"}} {
		s, err := st.Renewable(b.got(names...))
		if err != nil {
			t.Fatal(err)
		}
		hasAccess, hasRefresh := len(names) == 0 || names[0] == "example-at", len(names) == 0 || names[0] == "example-auth"
		if s.Access.Empty() == hasAccess || s.Refresh().Empty() == hasRefresh || !s.IDToken().Equal(want.ID) || !s.CSRF().Equal(csrf) ||
			!s.Expiry().Equal(want.Expiry) || !s.EndsAt().Equal(c.Now().Add(time.Hour)) {
			t.Errorf("with %v: %+v", names, s)
		}
	}
}

// A sibling subdomain can plant cookies of its own session beside ours.
func TestCookiesOfTwoSessionsNeverMix(t *testing.T) {
	st := store(t, newClock(), 0)
	mine, _ := start(t, st, tokens("mine"))
	planted, plantedCSRF := start(t, st, tokens("planted"))
	for _, name := range []string{"example-auth", "example-id", "example-csrf"} {
		b := maps.Clone(mine)
		b[name] = planted[name]
		s := current(t, st, b)
		if got := s.Refresh(); got.Empty() != (name == "example-auth") {
			t.Errorf("with a planted %s the refresh token is %s", name, got.Reveal())
		}
		if got := s.IDToken(); got.Empty() != (name == "example-id") {
			t.Errorf("with a planted %s the ID token is %s", name, got.Reveal())
		}
		if got := s.CSRF(); got.Empty() != (name == "example-csrf") {
			t.Errorf("with a planted %s the CSRF token is %s", name, got.Reveal())
		}
		if err := s.CheckCSRF([]string{plantedCSRF.Reveal()}); !errors.Is(err, ErrCSRF) {
			t.Errorf("with a planted %s its CSRF token is good: %v", name, err)
		}
	}
	b := maps.Clone(mine)
	b["example-auth"] = planted["example-auth"]
	if s, err := st.Renewable(b.got()); err != nil || s.Access.Reveal() != "access-mine" || !s.Refresh().Empty() {
		t.Errorf("the planted refresh token came with what is ours: %+v, %v", s, err)
	}
	// Nor is it a session without an access token: nothing that a neighbour cannot
	// plant vouches for it.
	delete(b, "example-at")
	if _, err := st.Renewable(b.got()); !errors.Is(err, ErrNone) {
		t.Errorf("the planted refresh token is a session: %v", err)
	}
	// Of several cookies the ones that fit are found, wherever they stand.
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	for _, from := range []browser{planted, mine, planted} {
		r.AddCookie(&http.Cookie{Name: "example-auth", Value: from["example-auth"]})
	}
	r.AddCookie(&http.Cookie{Name: "example-csrf", Value: mine["example-csrf"]})
	if s, err := st.Renewable(cookie.Read(r)); err != nil || s.Refresh().Reveal() != "refresh-mine" {
		t.Errorf("among planted ones: %v", err)
	}
	// A second login of the same browser is another session, too.
	w := httptest.NewRecorder()
	if _, err := st.Start(w, mine.got(), tokens("again"), NewSeed(), secret.String{}); err != nil {
		t.Fatal(err)
	}
	again := maps.Clone(mine)
	again.keep(w)
	again["example-id"] = mine["example-id"]
	if s := current(t, st, again); !s.IDToken().Empty() {
		t.Error("the ID token of the session before")
	}
}

// One login may end with two codes, at two replicas: these are two sessions.
func TestSessionsOfTwoCodesShareNothing(t *testing.T) {
	st := store(t, newClock(), 0)
	seed := NewSeed()
	begin := func(code string) (*Session, secret.String) {
		b := browser{}
		w := httptest.NewRecorder()
		csrf, err := st.Start(w, b.got(), tokens("1"), seed.With(secret.New(code)), secret.String{})
		if err != nil {
			t.Fatal(err)
		}
		b.keep(w)
		return current(t, st, b), csrf
	}
	first, csrf := begin("code-1")
	again, same := begin("code-1")
	second, other := begin("code-2")
	if first.head.ID != again.head.ID || !csrf.Equal(same) {
		t.Error("one code made two sessions")
	}
	if first.head.ID == second.head.ID || csrf.Equal(other) {
		t.Error("two codes made one session")
	}
}

func TestASessionKnowsWhetherItWasGivenAnIDToken(t *testing.T) {
	st := store(t, newClock(), 0)
	with, _ := start(t, st, tokens("1"))
	without, _ := start(t, st, Tokens{Access: secret.New("a"), Refresh: secret.New("r")})
	for name, tt := range map[string]struct {
		b    browser
		id   string // its cookie; empty: none
		want bool
	}{
		"given": {with, with["example-id"], true}, "lost": {with, "", true}, "broken": {with, "x", true},
		"never given": {without, "", false}, "never given, planted": {without, with["example-id"], false},
	} {
		b := maps.Clone(tt.b)
		delete(b, "example-id")
		if tt.id != "" {
			b["example-id"] = tt.id
		}
		for range 2 { // a refresh changes nothing
			s := current(t, st, b)
			if s.GivenIDToken() != tt.want {
				t.Errorf("%s: %v", name, !tt.want)
			}
			w := httptest.NewRecorder()
			if err := st.Refreshed(w, s, Tokens{Access: secret.New("a2")}); err != nil {
				t.Fatal(err)
			}
			b.keep(w)
		}
	}
}

func TestRefreshUnreadable(t *testing.T) {
	st := store(t, newClock(), 0)
	b, _ := start(t, st, tokens("1"))
	other, _ := start(t, st, tokens("2"))
	for value, want := range map[string]bool{b["example-auth"]: false, "": false, "x": true, other["example-auth"]: true} {
		b := maps.Clone(b)
		if b["example-auth"] = value; value == "" {
			delete(b, "example-auth")
		}
		if got := current(t, st, b).RefreshUnreadable(); got != want {
			t.Errorf("%q: %v", value, got)
		}
	}
}

// Curity's own tests look at the cookies of a logout by their place.
func TestCookiesAreClearedInTheOrderOfCurity(t *testing.T) {
	st := store(t, newClock(), 0)
	b, _ := start(t, st, tokens("1"))
	w := httptest.NewRecorder()
	st.End(w, b.got())
	var names []string
	for _, c := range b.keep(w) {
		names = append(names, c.Name)
	}
	if !slices.Equal(names, []string{"example-auth", "example-at", "example-id", "example-csrf"}) {
		t.Errorf("cleared %v", names)
	}
}

func TestLifetime(t *testing.T) {
	c := newClock()
	st := store(t, c, time.Hour)
	b, _ := start(t, st, tokens("1"))
	begun := c.Now()
	if s := current(t, st, b); !s.EndsAt().Equal(begun.Add(time.Hour)) {
		t.Errorf("it ends at %v", s.EndsAt())
	}
	c.Add(40 * time.Minute)
	w := httptest.NewRecorder()
	if err := st.Refreshed(w, current(t, st, b), tokens("2")); err != nil {
		t.Fatal(err)
	}
	for _, line := range b.keep(w) {
		if line.MaxAge != 20*60 {
			t.Errorf("%s lives for %d s in the browser", line.Name, line.MaxAge)
		}
	}
	c.Add(20*time.Minute - time.Second)
	if s := current(t, st, b); !s.EndsAt().Equal(begun.Add(time.Hour)) {
		t.Errorf("a refresh moved the end to %v", s.EndsAt())
	}
	c.Add(time.Second)
	if _, err := st.Current(b.got()); !errors.Is(err, ErrBroken) {
		t.Errorf("Current after the end: %v", err)
	}
	if _, err := st.Renewable(b.got()); !errors.Is(err, ErrBroken) {
		t.Errorf("Renewable after the end: %v", err)
	}
}

func TestWithoutLifetimeCookiesAreOfTheBrowsersSession(t *testing.T) {
	c := newClock()
	st := store(t, c, 0)
	w := httptest.NewRecorder()
	if _, err := st.Start(w, browser{}.got(), tokens("1"), NewSeed(), secret.String{}); err != nil {
		t.Fatal(err)
	}
	for _, line := range w.Header().Values("Set-Cookie") {
		if strings.Contains(line, "Max-Age") || strings.Contains(line, "Expires") {
			t.Errorf("%s", line)
		}
	}
	b := browser{}
	b.keep(w)
	c.Add(10 * 365 * 24 * time.Hour)
	current(t, st, b)
}

func TestEitherAllCookiesAreSetOrNone(t *testing.T) {
	st := store(t, newClock(), 0)
	huge := secret.New(strings.Repeat("x", 5*4096))
	for name, tooLarge := range map[string]Tokens{
		"access":  {Access: huge, Refresh: secret.New("r"), ID: secret.New("i")},
		"refresh": {Access: secret.New("a"), Refresh: huge, ID: secret.New("i")},
		"id":      {Access: secret.New("a"), Refresh: secret.New("r"), ID: huge},
	} {
		b, _ := start(t, st, tokens("1"))
		w := httptest.NewRecorder()
		_, err := st.Start(w, b.got(), tooLarge, NewSeed(), secret.String{})
		var size *cookie.SizeError
		if !errors.As(err, &size) || size.Size <= size.Limit || w.Header().Get("Set-Cookie") != "" {
			t.Errorf("start, %s: %v, %d cookies set", name, err, len(w.Header()["Set-Cookie"]))
		}
		if err := st.Refreshed(w, current(t, st, b), tooLarge); !errors.As(err, &size) || w.Header().Get("Set-Cookie") != "" {
			t.Errorf("refresh, %s: %v, %d cookies set", name, err, len(w.Header()["Set-Cookie"]))
		}
		if s := current(t, st, b); s.Access.Reveal() != "access-1" {
			t.Errorf("%s: the session before is gone", name)
		}
	}
}

func TestALargeTokenIsSplitAndJoined(t *testing.T) {
	st := store(t, newClock(), 0)
	large := Tokens{Access: secret.New(strings.Repeat("0123456789", 500)), Refresh: secret.New("r")}
	b, _ := start(t, st, large)
	if s := current(t, st, b); !s.Access.Equal(large.Access) {
		t.Error("another token came back")
	}
	w := httptest.NewRecorder()
	if err := st.Refreshed(w, current(t, st, b), tokens("small")); err != nil {
		t.Fatal(err)
	}
	b.keep(w)
	if b["example-at-1"] != "" || len(b) != 4 {
		t.Errorf("stale pieces: %v", slices.Sorted(maps.Keys(b)))
	}
}

// A key can be dropped once every session was refreshed under the next one.
func TestRefreshSealsUnderTheNewestKey(t *testing.T) {
	c := newClock()
	b, csrf := start(t, store(t, c, 0, keyA), tokens("1"))
	both := store(t, c, 0, keyB, keyA)
	w := httptest.NewRecorder()
	if err := both.Refreshed(w, current(t, both, b), tokens("2")); err != nil {
		t.Fatal(err)
	}
	b.keep(w)
	s := current(t, store(t, c, 0, keyB), b)
	if s.Refresh().Empty() || s.IDToken().Empty() || !s.CSRF().Equal(csrf) {
		t.Error("a cookie is still under the old key")
	}
	if _, err := store(t, c, 0, keyA).Current(b.got()); !errors.Is(err, ErrBroken) {
		t.Errorf("the access token is under the old key: %v", err)
	}
}

func TestDraftWritesNothing(t *testing.T) {
	// A draft is where headers wait, and no more than that.
	d := draft{}
	d.WriteHeader(http.StatusTeapot)
	if n, err := d.Write([]byte("abc")); n != 3 || err != nil || len(d) != 0 {
		t.Errorf("%d, %v, %v", n, err, d)
	}
}
