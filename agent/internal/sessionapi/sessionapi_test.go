package sessionapi_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"oauth-agent/agent/internal/authserver"
	"oauth-agent/agent/internal/cookie"
	"oauth-agent/agent/internal/httperr"
	"oauth-agent/agent/internal/roomtest"
	"oauth-agent/agent/internal/secret"
	"oauth-agent/agent/internal/session"
	"oauth-agent/agent/internal/sessionapi"
)

func TestWithoutASessionThatCanBeUsed(t *testing.T) {
	site, f := serve(t)
	for _, call := range []struct{ method, path string }{{"GET", "/userInfo"}, {"GET", "/claims"}, {"POST", "/refresh"}} {
		stranger := site.Browser()
		if got := stranger.Do(call.method, call.path, ""); !got.Is(401, "unauthorized_request") || got.Err.Reason != httperr.ReasonNoSession {
			t.Errorf("%s without cookies: %d %s", call.path, got.Status, got.Body)
		}
		broken := site.Browser()
		broken.LogIn(alice(site))
		for _, k := range []cookie.Kind{cookie.Access, cookie.Refresh} {
			broken.SetCookie(k, "", "changed")
		}
		if got := broken.Do(call.method, call.path, ""); !got.Is(401, "unauthorized_request") || got.Err.Reason != httperr.ReasonBrokenSession {
			t.Errorf("%s with cookies that do not open: %d %s", call.path, got.Status, got.Body)
		}
	}
	if len(f.askedFor)+len(f.refreshed) != 0 {
		t.Errorf("the server was asked: %v, %v", f.askedFor, f.refreshed)
	}
}

func TestCSRFToken(t *testing.T) {
	site, f := serve(t, func(opt *sessionapi.Options) {
		opt.Sessions.ReadNeedsCSRF = func(r *http.Request) bool { return r.Header.Get("X-Plain") != "" }
	})
	f.userinfo, f.renewed = `{"sub":"alice"}`, alice(site)
	for _, call := range []struct {
		method, path string
		header       []string
		status       int
	}{
		{"GET", "/userInfo", nil, 200},
		{"GET", "/claims", nil, 200},
		{"GET", "/userInfo", []string{"X-Plain", "1"}, 401},
		{"GET", "/claims", []string{"X-Plain", "1"}, 401},
		{"POST", "/refresh", nil, 401},
		{"POST", "/refresh", []string{roomtest.CSRFHeader, "wrong"}, 401},
		{"POST", "/refresh", []string{roomtest.CSRFHeader, "", roomtest.CSRFHeader, ""}, 401},
		{"GET", "/userInfo", []string{"X-Plain", "1", roomtest.CSRFHeader, "right"}, 200},
		{"GET", "/claims", []string{"X-Plain", "1", roomtest.CSRFHeader, "right"}, 200},
		{"POST", "/refresh", []string{roomtest.CSRFHeader, "right"}, 204},
		{"POST", "/refresh", []string{roomtest.CSRFHeader, "right", roomtest.CSRFHeader, "right"}, 401},
	} {
		b := site.Browser()
		csrf := b.LogIn(alice(site))
		header := strings.Split(strings.ReplaceAll(strings.Join(call.header, "\n"), "right", csrf), "\n")
		got := b.Do(call.method, call.path, "", header...)
		if got.Status != call.status || call.status == 401 && (!got.Is(401, "unauthorized_request") || got.Err.Reason != httperr.ReasonCSRF) {
			t.Errorf("%s %s %v: %d %s", call.method, call.path, call.header, got.Status, got.Body)
		}
	}
}

func TestSession(t *testing.T) {
	site, _ := serve(t)
	b := site.Browser()
	if got := b.Do("GET", "/session", ""); got.Status != 200 || strings.TrimSpace(got.Body) != `{"isLoggedIn":false}` {
		t.Errorf("without a session: %d %s", got.Status, got.Body)
	}
	csrf := b.LogIn(alice(site))
	site.Clock.Add(time.Minute)
	want := `{"isLoggedIn":true,"csrf":"` + csrf + `","accessTokenExpiresIn":240,"sessionExpiresIn":3540}`
	if got := b.Do("GET", "/session", ""); got.Status != 200 || strings.TrimSpace(got.Body) != want {
		t.Errorf("with one: %d %s, want %s", got.Status, got.Body, want)
	}
	b.SetCookie(cookie.Access, "", "changed")
	left := len(b.Cookies()) - 1
	want = `{"isLoggedIn":true,"csrf":"` + csrf + `","accessTokenExpiresIn":0,"sessionExpiresIn":3540}`
	if got := b.Do("GET", "/session", ""); strings.TrimSpace(got.Body) != want || len(b.Cookies()) != left {
		t.Errorf("with a broken access token: %s, and %d cookies stay", got.Body, len(b.Cookies()))
	}
	for _, kind := range []cookie.Kind{cookie.Access, cookie.Refresh, cookie.CSRF, cookie.ID} {
		b.SetCookie(kind, "", "changed")
	}
	if got := b.Do("GET", "/session", ""); strings.TrimSpace(got.Body) != `{"isLoggedIn":false}` || len(b.Cookies()) != 0 {
		t.Errorf("with broken ones: %s, and %v stays", got.Body, b.Cookies())
	}
}

func TestSessionWithClaims(t *testing.T) {
	site, _ := serve(t, func(opt *sessionapi.Options) { opt.Claims = true })
	withoutID, unreadable := alice(site), alice(site)
	withoutID.ID, unreadable.ID = secret.String{}, secret.New("garbage")
	for name, tt := range map[string]struct {
		tokens session.Tokens
		want   string
	}{
		"an ID token": {alice(site), `"claims":{"sub":"alice"}`}, "none": {withoutID, ""}, "an unreadable one": {unreadable, ""},
	} {
		b := site.Browser()
		b.LogIn(tt.tokens)
		got := b.Do("GET", "/session", "")
		if got.Status != 200 || !strings.Contains(got.Body, tt.want) || strings.Contains(got.Body, "claims") != (tt.want != "") {
			t.Errorf("%s: %d %s", name, got.Status, got.Body)
		}
	}
	if got := site.Browser().Do("GET", "/session", ""); strings.TrimSpace(got.Body) != `{"isLoggedIn":false}` {
		t.Errorf("without a session: %s", got.Body)
	}
}

func TestUserInfo(t *testing.T) {
	site, f := serve(t)
	f.userinfo = `{"name": "Älice",  "sub":"alice"}`
	b := site.Browser()
	b.LogIn(alice(site))
	got := b.Do("GET", "/userInfo", "")
	if got.Status != 200 || got.Body != f.userinfo || got.Header.Get("Content-Type") != "application/json" {
		t.Errorf("%d %v %q", got.Status, got.Header, got.Body)
	}
	withoutID := alice(site)
	withoutID.ID = secret.String{}
	b = site.Browser()
	b.LogIn(withoutID)
	if got := b.Do("GET", "/userInfo", ""); got.Status != 200 {
		t.Errorf("without an ID token: %d %s", got.Status, got.Body)
	}
	if want := "access-1 alice;access-1 "; strings.Join(f.askedFor, ";") != want {
		t.Errorf("asked for %q", f.askedFor)
	}
	unreadable := alice(site)
	unreadable.ID = secret.New("garbage")
	b = site.Browser()
	b.LogIn(unreadable)
	if got := b.Do("GET", "/userInfo", ""); !got.Is(401, "unauthorized_request") || len(f.askedFor) != 2 {
		t.Errorf("with an unreadable ID token: %d %s", got.Status, got.Body)
	}
}

func TestUserInfoErrors(t *testing.T) {
	for name, tt := range map[string]struct {
		err    error
		age    time.Duration // of the access token
		status int
		code   string
	}{
		"refused when new":     {authserver.ErrTokenExpired, 59 * time.Second, 403, "userinfo_refused"},
		"refused when older":   {authserver.ErrTokenExpired, time.Minute, 401, "token_expired"},
		"refused when expired": {authserver.ErrTokenExpired, 6 * time.Minute, 401, "token_expired"},
		"forbidden":            {authserver.ErrForbidden, 0, 400, "authorization_error"},
		"no endpoint":          {authserver.ErrNoUserinfo, 0, 404, "not_found"},
		"outage":               {authserver.ErrUnavailable, 0, 502, "authorization_server_error"},
	} {
		t.Run(name, func(t *testing.T) {
			site, f := serve(t)
			f.userinfoErr = tt.err
			b := site.Browser()
			b.LogIn(alice(site))
			before := len(b.Cookies())
			site.Clock.Add(tt.age)
			for range 2 {
				if got := b.Do("GET", "/userInfo", ""); !got.Is(tt.status, tt.code) {
					t.Errorf("%d %s", got.Status, got.Body)
				}
			}
			if len(b.Cookies()) != before {
				t.Errorf("only %v are left of the cookies", b.Cookies())
			}
			if warned := strings.Count(site.Log.String(), "pages should ask for /claims"); (tt.status == 403) != (warned == 1) {
				t.Errorf("logged %d times", warned)
			}
		})
	}
}

// A token that lives for less than a minute is expired, however new it is.
func TestUserInfoOfATokenThatLivesShort(t *testing.T) {
	site, f := serve(t)
	f.userinfoErr = authserver.ErrTokenExpired
	short := alice(site)
	short.Expiry = site.Clock.Now().Add(10 * time.Second)
	b := site.Browser()
	b.LogIn(short)
	site.Clock.Add(20 * time.Second)
	if got := b.Do("GET", "/userInfo", ""); !got.Is(401, "token_expired") {
		t.Errorf("%d %s", got.Status, got.Body)
	}
}

func TestClaims(t *testing.T) {
	site, _ := serve(t)
	withoutID, unreadable := alice(site), alice(site)
	withoutID.ID, unreadable.ID = secret.String{}, secret.New("garbage")
	for name, tt := range map[string]struct {
		tokens session.Tokens
		cookie string // in the place of the ID token's: "" keeps it, "-" removes it
		status int
		code   string
	}{
		"an ID token":          {alice(site), "", 200, ""},
		"never given one":      {withoutID, "", 404, "no_id_token"},
		"lost":                 {alice(site), "-", 401, "unauthorized_request"},
		"does not open":        {alice(site), "changed", 401, "unauthorized_request"},
		"opens, unreadable":    {unreadable, "", 401, "unauthorized_request"},
		"never given, planted": {withoutID, "changed", 404, "no_id_token"},
	} {
		b := site.Browser()
		b.LogIn(tt.tokens)
		if tt.cookie != "" {
			b.SetCookie(cookie.ID, "", strings.Trim(tt.cookie, "-"))
		}
		got := b.Do("GET", "/claims", "")
		if tt.code == "" && (got.Status != 200 || got.Body != `{"sub": "alice"}`) || tt.code != "" && !got.Is(tt.status, tt.code) {
			t.Errorf("%s: %d %s", name, got.Status, got.Body)
		}
	}
}

func TestRefresh(t *testing.T) {
	site, f := serve(t)
	b := site.Browser()
	csrf := b.LogIn(alice(site))
	before := b.Cookies()
	site.Clock.Add(10 * time.Minute)
	f.renewed = session.Tokens{
		Access: secret.New("access-2"), Refresh: secret.New("refresh-2"), ID: secret.New("id-alice"), Expiry: site.Clock.Now().Add(time.Minute),
	}
	if got := b.Do("POST", "/refresh", "", roomtest.CSRFHeader, csrf); got.Status != 204 || got.Body != "" {
		t.Fatalf("%d %s", got.Status, got.Body)
	}
	if len(f.refreshed) != 1 || f.refreshed[0].Refresh.Reveal() != "refresh-1" || f.refreshed[0].Access.Reveal() != "access-1" || f.refreshed[0].ID.Reveal() != "id-alice" {
		t.Errorf("renewed %v", f.refreshed)
	}
	for name, value := range b.Cookies() {
		if before[name] == value || before[name] == "" {
			t.Errorf("%s was not sealed anew", name)
		}
	}
	want := `{"isLoggedIn":true,"csrf":"` + csrf + `","accessTokenExpiresIn":60,"sessionExpiresIn":3000}`
	if got := b.Do("GET", "/session", ""); strings.TrimSpace(got.Body) != want {
		t.Errorf("%s, want %s", got.Body, want)
	}
	b.SetCookie(cookie.Refresh, "", "")
	if got := b.Do("POST", "/refresh", "", roomtest.CSRFHeader, csrf); !got.Is(401, "unauthorized_request") || len(f.refreshed) != 1 {
		t.Errorf("without a refresh token: %d %s", got.Status, got.Body)
	}
}

// Only the server's verdict about the refresh token ends a session.
func TestRefreshErrors(t *testing.T) {
	for name, tt := range map[string]struct {
		err    error
		status int
		code   string
		ends   bool
	}{
		"dead":           {authserver.ErrSessionOver, 401, "session_expired", true},
		"client refused": {authserver.ErrClientRefused, 400, "authorization_error", false},
		"outage":         {authserver.ErrUnavailable, 502, "authorization_server_error", false},
		"too large":      {nil, 502, "authorization_server_error", false},
	} {
		site, f := serve(t)
		f.refreshErr = tt.err
		f.renewed = session.Tokens{Access: secret.New(strings.Repeat("x", 20_000))}
		b := site.Browser()
		csrf := b.LogIn(alice(site))
		got := b.Do("POST", "/refresh", "", roomtest.CSRFHeader, csrf)
		if !got.Is(tt.status, tt.code) {
			t.Errorf("%s: %d %s", name, got.Status, got.Body)
		}
		if tt.err != nil && got.Err.Event != httperr.EventRefreshFailed {
			t.Errorf("%s: the event is %q", name, got.Err.Event)
		}
		if left := len(b.Cookies()); tt.ends != (left == 0) || !tt.ends && left != 4 {
			t.Errorf("%s: %d cookies are left", name, left)
		}
	}
}
