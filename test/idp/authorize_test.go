package idp_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"oauth-agent/test/idp"
)

func TestAuthorizationResponse(t *testing.T) {
	p := start(t)
	got := p.login("redirect_uri", callback+"?tenant=1")
	if got.Get("state") != "st&te" || got.Get("iss") != p.Issuer || got.Get("tenant") != "1" || got.Get("code") == "" {
		t.Errorf("response: %v", got)
	}
	if p := start(t, func(c *idp.Config) { c.NoIssInResponse = true }); p.login().Has("iss") {
		t.Error("iss is there")
	}
}

// Without a client and one of its own redirect URIs nothing is redirected anywhere.
func TestNoOpenRedirector(t *testing.T) {
	p := start(t)
	for _, pairs := range [][]string{
		{"client_id", ""},
		{"client_id", "nobody"},
		{"redirect_uri", ""}, // two are registered
		{"redirect_uri", callback + "/"},
		{"redirect_uri", callback + "?x=1"},
		{"redirect_uri", strings.ToUpper(callback)},
		{"redirect_uri", "http://localhost:8080/call%62ack"},
		{"redirect_uri", "http://localhost:8080@evil.example/callback"},
		{"redirect_uri", "http://127.0.0.1:8080/callback"},
		{"client_id", "other"}, // another's redirect URI
	} {
		a := p.get(p.authorizeURL(pairs...))
		if a.StatusCode != http.StatusBadRequest || a.Header.Get("Location") != "" {
			t.Errorf("%q: %d, Location %q", pairs, a.StatusCode, a.Header.Get("Location"))
		}
	}
	twice := p.authorizeURL() + "&redirect_uri=" + url.QueryEscape("https://evil.example")
	if a := p.get(twice); a.StatusCode != http.StatusBadRequest {
		t.Errorf("two redirect URIs: %d", a.StatusCode)
	}
}

func TestAuthorizationErrors(t *testing.T) {
	p := start(t)
	for _, tc := range []struct {
		pairs []string
		code  string
	}{
		{[]string{"response_type", ""}, "invalid_request"},
		{[]string{"response_type", "token"}, "unsupported_response_type"},
		{[]string{"response_mode", "fragment"}, "invalid_request"},
		{[]string{"request", "eyJ"}, "request_not_supported"},
		{[]string{"request_uri", "https://x"}, "request_uri_not_supported"},
		{[]string{"scope", "nonsense"}, "invalid_scope"},
		{[]string{"code_challenge_method", "plain"}, "invalid_request"},
		{[]string{"code_challenge_method", "s256"}, "invalid_request"},
		{[]string{"code_challenge_method", ""}, "invalid_request"},
		{[]string{"code_challenge", ""}, "invalid_request"},
		{[]string{"code_challenge", "short"}, "invalid_request"},
		{[]string{"client_id", "spa", "code_challenge", "", "code_challenge_method", ""}, "invalid_request"},
		{[]string{"max_age", "-1"}, "invalid_request"},
		{[]string{"prompt", "none login"}, "invalid_request"},
		{[]string{"prompt", "none"}, "login_required"},
	} {
		a := p.get(p.authorizeURL(tc.pairs...))
		got := p.query(a.Header.Get("Location"))
		if a.StatusCode != http.StatusFound || got.Get("error") != tc.code {
			t.Errorf("%q: %d %v, want %s", tc.pairs, a.StatusCode, got, tc.code)
		}
		if got.Get("state") != "st&te" || got.Get("iss") != p.Issuer || got.Has("code") {
			t.Errorf("%q: response %v", tc.pairs, got)
		}
	}
	a := p.get(p.authorizeURL() + "&scope=openid")
	if got := p.query(a.Header.Get("Location")).Get("error"); got != "invalid_request" {
		t.Errorf("scope twice: %q", got)
	}
	if a := p.get(p.authorizeURL() + "&resource=https://a&resource=https://b"); a.StatusCode != http.StatusOK {
		t.Errorf("resource twice: %d", a.StatusCode)
	}
}

func TestRequirePKCE(t *testing.T) {
	p := start(t, func(c *idp.Config) { c.RequirePKCE = true })
	a := p.get(p.authorizeURL("code_challenge", "", "code_challenge_method", ""))
	if got := p.query(a.Header.Get("Location")).Get("error"); got != "invalid_request" {
		t.Errorf("error %q", got)
	}
}

func TestCancel(t *testing.T) {
	p := start(t)
	location, err := idp.LoginDenied(t.Context(), p.client, p.authorizeURL())
	if err != nil {
		t.Fatal(err)
	}
	if got := p.query(location); got.Get("error") != "access_denied" || got.Get("state") != "st&te" {
		t.Errorf("response: %v", got)
	}
}

func TestWrongPassword(t *testing.T) {
	p := start(t)
	for _, pair := range [][2]string{{"zoe", "wrong"}, {"zoe", ""}, {"nobody", "pässword"}, {"zoe", "ada"}} {
		_, err := idp.Login(t.Context(), nil, p.authorizeURL(), pair[0], pair[1])
		if err == nil || !strings.Contains(err.Error(), "Wrong user name or password") {
			t.Errorf("%q: %v", pair, err)
		}
	}
}

// The second authorization is silent; prompt=login, an old login or another browser
// are not.
func TestSingleSignOn(t *testing.T) {
	p := start(t)
	p.login()
	silent := func(client *http.Client, pairs ...string) bool {
		t.Helper()
		p := &party{T: t, Server: p.Server, client: client}
		a := p.get(p.authorizeURL(pairs...))
		return a.StatusCode == http.StatusFound && p.query(a.Header.Get("Location")).Has("code")
	}
	stranger := *p.client
	stranger.Jar = nil
	p.clock.Add(time.Minute)
	for _, tc := range []struct {
		client *http.Client
		pairs  []string
		want   bool
	}{
		{p.client, nil, true},
		{p.client, []string{"prompt", "none"}, true},
		{p.client, []string{"prompt", "consent"}, true},
		{p.client, []string{"prompt", "login"}, false},
		{p.client, []string{"prompt", "select_account"}, false},
		{p.client, []string{"max_age", "0"}, false},
		{p.client, []string{"max_age", "59"}, false},
		{p.client, []string{"max_age", "61"}, true},
		{p.client, []string{"max_age", "59", "prompt", "none"}, false},
		{&stranger, nil, false},
	} {
		if got := silent(tc.client, tc.pairs...); got != tc.want {
			t.Errorf("%q: silent %v", tc.pairs, got)
		}
	}
	p.clock.Add(9 * time.Hour)
	if silent(p.client) {
		t.Error("the session never ends")
	}
}

func TestLoginPage(t *testing.T) {
	p := start(t, func(c *idp.Config) {
		c.ShowUsers, c.Path, c.Clients[0].Name = true, "/o", `Shop <b>"&`
	})
	a := p.get(p.authorizeURL("login_hint", `"><script>`))
	for _, want := range []string{
		"Shop &lt;b&gt;&#34;&amp;", `value="&#34;&gt;&lt;script&gt;"`, "pässword", `action="/o/authorize"`, `href="/o/style.css"`,
	} {
		if !strings.Contains(a.body, want) {
			t.Errorf("%s is not in\n%s", want, a.body)
		}
	}
	if a.Header.Get("Cache-Control") != "no-store" || !strings.Contains(a.Header.Get("Content-Security-Policy"), "frame-ancestors 'none'") {
		t.Errorf("headers: %v", a.Header)
	}
	if p := start(t); strings.Contains(p.get(p.authorizeURL()).body, "pässword") {
		t.Error("passwords are shown without being asked for")
	}
}

// A login form works for the browser that it was shown to, and once.
func TestLoginFormCannotBeForged(t *testing.T) {
	p := start(t)
	form := func(client *http.Client) string {
		t.Helper()
		_, rest, _ := strings.Cut((&party{T: t, Server: p.Server, client: client}).get(p.authorizeURL()).body, `name="form" value="`)
		name, _, _ := strings.Cut(rest, `"`)
		return name
	}
	submit := func(name string) int {
		t.Helper()
		fields := url.Values{"form": {name}, "username": {"zoe"}, "password": {"pässword"}}
		return p.send(p.request(t.Context(), http.MethodPost, p.Issuer+"/authorize", fields)).StatusCode
	}
	attacker := *p.client
	attacker.Jar = nil
	foreign, own := form(&attacker), form(p.client)
	for name, want := range map[string]int{"": 400, "made-up": 400, foreign: 400} {
		if got := submit(name); got != want {
			t.Errorf("form %q: %d, want %d", name, got, want)
		}
	}
	if got := submit(own); got != http.StatusSeeOther {
		t.Fatalf("the real form: %d", got)
	}
	if got := submit(own); got != http.StatusBadRequest {
		t.Errorf("the same form again: %d", got)
	}
	late := form(&attacker)
	p.clock.Add(time.Hour)
	if got := submit(late); got != http.StatusBadRequest {
		t.Errorf("an old form: %d", got)
	}
}

func TestAuthorizationRequestByPost(t *testing.T) {
	p := start(t)
	a := p.send(p.request(t.Context(), http.MethodPost, p.Issuer+"/authorize", authorization()))
	if a.StatusCode != http.StatusOK || !strings.Contains(a.body, "password") {
		t.Errorf("%d %s", a.StatusCode, a.body)
	}
}

// Two tabs log in at once, in one browser, and both complete.
func TestTwoTabs(t *testing.T) {
	p := start(t)
	first, second := p.get(p.authorizeURL("state", "1")), p.get(p.authorizeURL("state", "2"))
	for i, tab := range []answer{second, first} {
		_, rest, _ := strings.Cut(tab.body, `name="form" value="`)
		name, _, _ := strings.Cut(rest, `"`)
		fields := url.Values{"form": {name}, "username": {"zoe"}, "password": {"pässword"}}
		a := p.send(p.request(t.Context(), http.MethodPost, p.Issuer+"/authorize", fields))
		if got := p.query(a.Header.Get("Location")).Get("state"); got != []string{"2", "1"}[i] {
			t.Errorf("state %q", got)
		}
	}
}
