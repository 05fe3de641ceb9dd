package login_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"oauth-agent/agent/internal/authserver"
	"oauth-agent/agent/internal/cookie"
	"oauth-agent/agent/internal/httperr"
	"oauth-agent/agent/internal/secret"
	"oauth-agent/agent/internal/session"
	"oauth-agent/agent/internal/tokens"
)

func TestALoginFromStartToEnd(t *testing.T) {
	site, f := serve(t)
	b := site.Browser()
	state := start(t, b, `{"extraParams":[{"key":"ui_locales","value":"fr"}],"returnTo":"/orders?page=2"}`)
	request := f.request
	if request.State != state || len(state) != 43 || len(request.Nonce) != 43 || len(request.Verifier.Reveal()) != 43 ||
		!slices.Equal(request.Extra, []authserver.Param{{Key: "ui_locales", Value: "fr"}}) {
		t.Errorf("asked for %+v", request)
	}
	if !b.Has(cookie.Login) || !b.Has(cookie.Browser) || hasSession(b) {
		t.Errorf("the start set %v", b.Cookies())
	}

	got := end(t, b, redirectURI+"?code=c&state="+state)
	if !got.Handled || !got.IsLoggedIn || len(got.CSRF) != 43 || got.ReturnTo != "/orders?page=2" ||
		!strings.Contains(got.Body, `"accessTokenExpiresIn":300,"sessionExpiresIn":3600`) {
		t.Errorf("%d %s", got.Status, got.Body)
	}
	if len(f.grants) != 1 || f.grants[0].Code.Reveal() != "c" || !f.grants[0].Verifier.Equal(request.Verifier) || f.grants[0].Nonce != request.Nonce || !f.grants[0].OpenID {
		t.Errorf("redeemed %+v", f.grants)
	}
	if b.Has(cookie.Login) || b.Has(cookie.Browser) || len(b.Cookies()) != 4 {
		t.Errorf("the end left %v", b.Cookies())
	}
	if want := []string{"started", "completed https://as alice"}; !slices.Equal(f.events, want) {
		t.Errorf("events %q", f.events)
	}

	// The page loads again: first with the URL of the response, then without.
	if again := end(t, b, redirectURI+"?code=c&state="+state); !again.Is(400, "invalid_request") {
		t.Errorf("the same response again: %d %s", again.Status, again.Body)
	}
	load := end(t, b, redirectURI)
	if load.Status != 200 || load.Handled || !load.IsLoggedIn || load.CSRF != got.CSRF || load.ReturnTo != "" {
		t.Errorf("a page load: %d %s", load.Status, load.Body)
	}
}

func TestStartErrors(t *testing.T) {
	for name, tt := range map[string]struct {
		body   string
		err    error
		status int
		code   string
		event  string
	}{
		"body":        {"x", nil, 400, "invalid_request", ""},
		"returnTo":    {`{"returnTo":"//evil.example"}`, nil, 400, "invalid_request", ""},
		"extraParams": {`{"extraParams":[{"key":"a"}]}`, nil, 400, "invalid_request", ""},
		"refused":     {"", &authserver.ExtraParamsError{Reason: "state is set by the agent"}, 400, "invalid_request", httperr.EventLoginFailed},
		"outage":      {"", authserver.ErrUnavailable, 502, "authorization_server_error", httperr.EventLoginFailed},
		"our fault":   {"", errors.New("canary"), 500, "server_error", httperr.EventLoginFailed},
	} {
		site, f := serve(t)
		f.startErr = tt.err
		b := site.Browser()
		got := b.Do("POST", "/login/start", tt.body)
		if !got.Is(tt.status, tt.code) || got.Err.Event != tt.event || strings.Contains(got.Body, "canary") {
			t.Errorf("%s: %d %s", name, got.Status, got.Body)
		}
		if len(b.Cookies()) != 0 || len(f.events) != 0 {
			t.Errorf("%s: cookies %v, events %v", name, b.Cookies(), f.events)
		}
	}
}

// A login that was started here and fails spends its cookie, leaves no session, and says
// where the user was.
func TestEndErrors(t *testing.T) {
	const code = "code=c&"
	for name, tt := range map[string]struct {
		query     string
		issuerErr error
		redeemErr error
		status    int
		code      string
		reason    string
		redeemed  int
	}{
		"code and error":       {"code=c&error=e&", nil, nil, 400, "invalid_request", httperr.ReasonResponse, 0},
		"code twice":           {"code=c&code=d&", nil, nil, 400, "invalid_request", httperr.ReasonResponse, 0},
		"another issuer":       {code, authserver.ErrIssuer, nil, 400, "invalid_request", httperr.ReasonIssuer, 0},
		"issuer not known":     {code, authserver.ErrUnavailable, nil, 502, "authorization_server_error", "", 0},
		"error of another":     {"error=access_denied&", authserver.ErrIssuer, nil, 400, "invalid_request", httperr.ReasonIssuer, 0},
		"access denied":        {"error=access_denied&error_description=x&", nil, nil, 400, "access_denied", "", 0},
		"login required":       {"error=login_required&", nil, nil, 401, "login_required", "", 0},
		"interaction required": {"error=interaction_required&", nil, nil, 401, "interaction_required", "", 0},
		"consent required":     {"error=consent_required&", nil, nil, 401, "consent_required", "", 0},
		"account selection":    {"error=account_selection_required&", nil, nil, 401, "account_selection_required", "", 0},
		"odd code":             {"error=%3Cscript%3E&", nil, nil, 400, "authorization_error", "", 0},
		"code refused":         {code, nil, authserver.ErrCodeRefused, 400, "authorization_error", httperr.ReasonCode, 1},
		"client refused":       {code, nil, authserver.ErrClientRefused, 400, "authorization_error", "", 1},
		"code spent":           {code, nil, tokens.ErrCodeSpent, 400, "invalid_request", httperr.ReasonCode, 1},
		"ID token refused":     {code, nil, authserver.ErrIDToken, 400, "invalid_request", httperr.ReasonIDToken, 1},
		"outage":               {code, nil, authserver.ErrUnavailable, 502, "authorization_server_error", "", 1},
		"our fault":            {code, nil, errors.New("canary"), 500, "server_error", "", 1},
	} {
		t.Run(name, func(t *testing.T) {
			site, f := serve(t)
			f.issuerErr, f.redeemErr = tt.issuerErr, tt.redeemErr
			b := site.Browser()
			state := start(t, b, `{"returnTo":"/orders"}`)
			got := end(t, b, redirectURI+"?"+tt.query+"state="+state)
			if !got.Is(tt.status, tt.code) || got.Err.Reason != tt.reason || got.Err.Event != httperr.EventLoginFailed || got.ReturnTo != "/orders" || strings.Contains(got.Body, "canary") {
				t.Errorf("%d %s, reason %q, event %q", got.Status, got.Body, got.Err.Reason, got.Err.Event)
			}
			if len(f.grants) != tt.redeemed || len(b.Cookies()) != 0 || len(f.events) != 1 {
				t.Errorf("redeemed %d times, cookies %v, events %v", len(f.grants), b.Cookies(), f.events)
			}
		})
	}
}

// Tokens that no cookie can hold cost the login, not the session that was there before.
func TestTokensThatAreTooLarge(t *testing.T) {
	site, f := serve(t)
	b := site.Browser()
	b.LogIn(session.Tokens{Access: secret.New("access-0")})
	f.tokens.Access = secret.New(strings.Repeat("x", 20_000))
	got := end(t, b, redirectURI+"?code=c&state="+start(t, b, ""))
	if !got.Is(502, "authorization_server_error") || got.Err.Event != httperr.EventLoginFailed || !strings.Contains(got.Err.Message, "bytes sealed") {
		t.Errorf("%d %s", got.Status, got.Body)
	}
	if load := end(t, b, redirectURI); !load.IsLoggedIn {
		t.Error("the earlier session is gone")
	}
}

// A response is handled only with the cookies of the login that it answers.
func TestResponsesOfNoLogin(t *testing.T) {
	site, f := serve(t)
	b := site.Browser()
	state := start(t, b, "")
	neighbour := site.Browser() // has the login cookie, but not the one that it is bound to
	for name, value := range b.Cookies() {
		if tag, ok := strings.CutPrefix(name, site.Jar.Name(cookie.Login, "")+"-"); ok {
			neighbour.SetCookie(cookie.Login, tag, value)
		}
	}
	if !neighbour.Has(cookie.Login) {
		t.Fatal("there is no login to plant")
	}
	for name, query := range map[string]string{
		"no state":        "?code=c",
		"a foreign state": "?code=c&state=foreign",
		"state twice":     "?code=c&state=" + state + "&state=" + state,
		"an error":        "?error=access_denied&state=foreign",
	} {
		if got := end(t, b, redirectURI+query); !got.Is(400, "invalid_request") || got.Err.Reason != httperr.ReasonResponse {
			t.Errorf("%s, at the redirect URI: %d %s", name, got.Status, got.Body)
		}
		if got := end(t, b, "https://www.example.com/elsewhere"+query); got.Status != 200 || got.Handled || got.IsLoggedIn {
			t.Errorf("%s, elsewhere: %d %s", name, got.Status, got.Body)
		}
	}
	if got := end(t, site.Browser(), redirectURI+"?code=c&state="+state); !got.Is(400, "invalid_request") {
		t.Errorf("in another browser: %d %s", got.Status, got.Body)
	}
	if got := end(t, neighbour, redirectURI+"?code=c&state="+state); !got.Is(400, "invalid_request") {
		t.Errorf("with a planted login: %d %s", got.Status, got.Body)
	}
	site.Clock.Add(15*time.Minute + time.Second)
	if got := end(t, b, redirectURI+"?code=c&state="+state); !got.Is(400, "invalid_request") {
		t.Errorf("after a quarter of an hour: %d %s", got.Status, got.Body)
	}
	if len(f.grants) != 0 {
		t.Errorf("redeemed %v", f.grants)
	}
}

// The state decides, not the address: proxies change scheme, host and port.
func TestAResponseElsewhereIsHandled(t *testing.T) {
	site, _ := serve(t)
	b := site.Browser()
	if got := end(t, b, "http://localhost:3000/?code=c&state="+start(t, b, "")); !got.Handled || !got.IsLoggedIn {
		t.Errorf("%d %s", got.Status, got.Body)
	}
}

func TestEndBodies(t *testing.T) {
	site, _ := serve(t)
	const form = "application/x-www-form-urlencoded"
	for _, tt := range []struct {
		kind, body string
		status     int
	}{
		{"", `{"pageUrl":"https://www.example.com/"}`, 200}, {form, "pageUrl=https%3A%2F%2Fwww.example.com%2F", 200},
		{"", "", 400}, {"", "x", 400}, {"", `{"pageUrl":1}`, 400}, {"", `{"pageUrl":"/"}`, 400}, {form, "pageUrl=ftp://a/", 400}, {form, "", 400},
	} {
		got := site.Browser().Do("POST", "/login/end", tt.body, "Content-Type", tt.kind)
		if got.Status != tt.status || tt.status == 400 && !got.Is(400, "invalid_request") {
			t.Errorf("%s %s: %d %s", tt.kind, tt.body, got.Status, got.Body)
		}
	}
}

// Five logins may be under way; the oldest goes first, and tabs complete in any order.
func TestMakeRoom(t *testing.T) {
	site, f := serve(t)
	b := site.Browser()
	var states []string
	for range 6 {
		states = append(states, start(t, b, ""))
		site.Clock.Add(time.Second)
	}
	b.SetCookie(cookie.Login, "unreadable-1", "x")
	logins := 0
	for name := range b.Cookies() {
		if strings.HasPrefix(name, site.Jar.Name(cookie.Login, "")) {
			logins++
		}
	}
	if logins != 6 {
		t.Errorf("%d logins, with an unreadable one", logins)
	}
	if got := end(t, b, redirectURI+"?code=c&state="+states[0]); !got.Is(400, "invalid_request") {
		t.Errorf("the oldest: %d %s", got.Status, got.Body)
	}
	for _, i := range []int{3, 1, 5, 2, 4} {
		if got := end(t, b, redirectURI+"?code=c&state="+states[i]); !got.Handled {
			t.Errorf("login %d: %d %s", i, got.Status, got.Body)
		}
	}
	if len(f.grants) != 5 || !b.Has(cookie.Login) {
		t.Errorf("redeemed %d codes; the unreadable login is there: %v", len(f.grants), b.Has(cookie.Login))
	}
	start(t, b, "")
	if _, ok := b.Cookies()[site.Jar.Name(cookie.Login, "unreadable-1")]; ok {
		t.Error("a start left a login that cannot be completed")
	}
}

// The other tabs of the same user go on with their CSRF token; nobody else's is kept.
func TestCSRFTokenOfAnEarlierSession(t *testing.T) {
	for _, tt := range []struct {
		earlier, now string // subjects; empty: without an ID token
		kept         bool
	}{
		{"alice", "alice", true}, {"bob", "alice", false}, {"", "alice", false}, {"alice", "", false}, {"", "", false},
	} {
		site, f := serve(t)
		b := site.Browser()
		f.tokens = tokensOf(site, tt.earlier)
		earlier := end(t, b, redirectURI+"?code=c1&state="+start(t, b, ""))
		f.tokens = tokensOf(site, tt.now)
		now := end(t, b, redirectURI+"?code=c2&state="+start(t, b, ""))
		if !earlier.Handled || !now.Handled || (earlier.CSRF == now.CSRF) != tt.kept {
			t.Errorf("%q, then %q: %s, then %s", tt.earlier, tt.now, earlier.Body, now.Body)
		}
	}
}
