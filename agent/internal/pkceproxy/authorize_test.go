package pkceproxy_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"oauth-agent/agent/internal/pkceproxy"
)

// An invalid client or redirect URI is shown to the user and never redirected
// to, whatever else is wrong.
func TestUnregisteredIsNeverRedirectedTo(t *testing.T) {
	w := newWorld(t, func(c *pkceproxy.Config) { c.AllowedClientIDs = []string{clientID} })
	for _, change := range []string{
		"client_id=", "client_id=other", "client_id=Mobile-App", "client_id=mobile-app\x00", "+client_id=mobile-app",
		"client_id=" + strings.Repeat("x", 300),
		"redirect_uri=", "+redirect_uri=" + redirectURI, "+redirect_uri=https://evil.example/",
		"redirect_uri=https://evil.example/",
		"redirect_uri=https://app.example.com.evil.example/callback",
		"redirect_uri=https://app.example.com@evil.example/callback",
		"redirect_uri=https://evil.example@app.example.com/callback",
		"redirect_uri=https://evil.example/https://app.example.com/callback",
		"redirect_uri=https://xapp.example.com/callback",
		"redirect_uri=" + webURI + "/", "redirect_uri=" + webURI + "x", "redirect_uri=" + webURI + "/../x",
		"redirect_uri=" + webURI + "?", "redirect_uri=" + webURI + "?x=y",
		"redirect_uri=" + webURI + "#", "redirect_uri=" + webURI + "#f", "redirect_uri=" + webURI + "%23",
		"redirect_uri=" + webURI + " ", "redirect_uri= " + webURI, "redirect_uri=" + webURI + "\r\nX: y",
		"redirect_uri=HTTPS://app.example.com/callback", "redirect_uri=https://APP.example.com/callback",
		"redirect_uri=https://app.example.com/Callback", "redirect_uri=http://app.example.com/callback",
		"redirect_uri=https://app.example.com:443/callback", "redirect_uri=https://app.example.com./callback",
		"redirect_uri=https://app.example.com/%63allback", "redirect_uri=https://app%2eexample.com/callback",
		"redirect_uri=https://app.example.com%2f.evil.example/callback",
		"redirect_uri=https:/app.example.com/callback", "redirect_uri=//app.example.com/callback",
		`redirect_uri=https:\\app.example.com\callback`, `redirect_uri=https://evil.example\@app.example.com/callback`,
		"redirect_uri=/callback", "redirect_uri=https://app.example.com", "redirect_uri=https://аpp.example.com/callback",
		"redirect_uri=com.example.app:/cb/", "redirect_uri=com.example.app://cb", "redirect_uri=COM.example.app:/cb",
		"redirect_uri=com.example.app.evil:/cb", "redirect_uri=javascript:alert(1)", "redirect_uri=data:text/html,x",
		"redirect_uri=http://localhost/native", "redirect_uri=http://[::1]/native", "redirect_uri=http://127.0.0.2/native",
		"redirect_uri=http://127.1/native", "redirect_uri=http://2130706433/native", "redirect_uri=http://0x7f000001/native",
		"redirect_uri=https://127.0.0.1/native", "redirect_uri=http://127.0.0.1:/native", "redirect_uri=http://127.0.0.1:0/native",
		"redirect_uri=http://127.0.0.1:65536/native", "redirect_uri=http://127.0.0.1:080/native", "redirect_uri=http://127.0.0.1:+80/native",
		"redirect_uri=http://127.0.0.1:80:90/native", "redirect_uri=http://127.0.0.1:80@evil.example/native",
		"redirect_uri=http://127.0.0.1.evil.example/native", "redirect_uri=http://127.0.0.1:x@evil.example/native",
		"redirect_uri=http://127.0.0.1:8000/evil/native", "redirect_uri=http://127.0.0.1:8000/native?x",
		"redirect_uri=http://localhost:3001/dev", "redirect_uri=http://127.0.0.1:3000/dev",
	} {
		r := w.get(w.proxy.URL, "/oauth/authorization", with(goodRequest(), change))
		if r.StatusCode != http.StatusBadRequest {
			t.Errorf("%q: %d to %s", change, r.StatusCode, r.Header.Get("Location"))
		}
		wantPage(t, r)
		if strings.Contains(r.body, "evil") {
			t.Errorf("%q: the page repeats the request", change)
		}
	}
	for _, query := range []string{"", "client_id=%zz&redirect_uri=" + webURI, strings.Repeat("a", 9<<10), "client_id=a;redirect_uri=b"} {
		req, err := http.NewRequest(http.MethodGet, w.proxy.URL+"/oauth/authorization?"+query, nil)
		fatalIf(t, err)
		wantPage(t, w.do(req))
	}
	if len(w.as.got()) != 0 {
		t.Error("the AS was asked")
	}
}

func TestRegisteredRedirectURIs(t *testing.T) {
	w := newWorld(t)
	for _, uri := range []string{
		redirectURI, webURI, "https://app.example.com/q?a=b", "http://localhost:3000/dev",
		"http://127.0.0.1/native", "http://127.0.0.1:1/native", "http://127.0.0.1:65535/native",
	} {
		state := w.authorize("redirect_uri=" + uri)
		r := w.get(w.proxy.URL, "/callback", url.Values{"state": {state}, "code": {"c"}})
		separator := "?"
		if strings.Contains(uri, "?") {
			separator = "&"
		}
		if got := r.Header.Get("Location"); !strings.HasPrefix(got, uri+separator+"code=") {
			t.Errorf("%s: redirected to %s", uri, got)
		}
	}
}

// Any other fault goes back to the client (RFC 6749 4.1.2.1).
func TestFaultsGoBackToTheClient(t *testing.T) {
	w := newWorld(t)
	for _, tt := range []struct{ change, code string }{
		{"response_type=", "invalid_request"},
		{"response_type=token", "unsupported_response_type"},
		{"response_type=code id_token", "unsupported_response_type"},
		{"response_mode=form_post", "invalid_request"},
		{"response_mode=fragment", "invalid_request"},
		{"response_mode=query.jwt", "invalid_request"},
		{"request=e30.e30.", "request_not_supported"},
		{"request_uri=urn:x", "request_uri_not_supported"},
		{"code_challenge=", "invalid_request"},
		{"code_challenge=" + challenge[1:], "invalid_request"},
		{"code_challenge=" + challenge + "A", "invalid_request"},
		{"code_challenge=" + challenge + "=", "invalid_request"},
		{"code_challenge=+" + challenge[1:], "invalid_request"},
		{"code_challenge=." + challenge[1:], "invalid_request"},
		{"code_challenge=" + challenge[:42] + "\x00", "invalid_request"},
		{"code_challenge_method=", "invalid_request"},
		{"code_challenge_method=s256", "invalid_request"},
		{"code_challenge_method=plain", "invalid_request"},
		{"code_challenge_method=none", "invalid_request"},
		{"code_challenge_method=S512", "invalid_request"},
		{"+code_challenge=" + challenge, "invalid_request"},
		{"+code_challenge_method=plain", "invalid_request"},
		{"+response_type=code", "invalid_request"},
		{"+scope=b", "invalid_request"},
		{"+scope=", "invalid_request"},
	} {
		r := w.get(w.proxy.URL, "/oauth/authorization", with(goodRequest(), tt.change))
		to, q := w.location(r)
		if to != redirectURI || q.Get("error") != tt.code || q.Get("state") != clientState || q.Get("iss") != "https://pkce.example.com" {
			t.Errorf("%q: to %s %v, want %s", tt.change, to, q, tt.code)
		}
		if q.Get("error_description") == "" || q.Get("code") != "" {
			t.Errorf("%q: %v", tt.change, q)
		}
	}
}

func TestClientState(t *testing.T) {
	w := newWorld(t)
	for _, tt := range []struct {
		name, state string
		ok          bool
	}{
		{"2048 bytes", strings.Repeat("s", 2048), true},
		{"2049 bytes", strings.Repeat("s", 2049), false},
		{"2048 quotes", strings.Repeat(`"`, 2048), true},
		{"2048 angles", strings.Repeat("<", 2048), true},
		{"not UTF-8", "a\xffb", false},
		{"control", "a\x00b", false},
		{"line break", "a\r\nSet-Cookie: b", false},
		{"unicode", "été/?#[]@!$&'()*+,;= %41", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := w.get(w.proxy.URL, "/oauth/authorization", with(goodRequest(), "state="+tt.state))
			to, q := w.location(r)
			if tt.ok {
				_, q = w.location(w.get(w.proxy.URL, "/callback", url.Values{"state": {q.Get("state")}, "code": {"c"}}))
			} else if to != redirectURI || q.Get("error") != "invalid_request" {
				t.Errorf("to %s %v", to, q)
			}
			if q.Get("state") != tt.state {
				t.Errorf("state %q came back", q.Get("state"))
			}
		})
	}
	// Twice is none; without one, none comes back.
	_, q := w.location(w.get(w.proxy.URL, "/oauth/authorization", with(goodRequest(), "+state=b")))
	if q.Has("state") || q.Get("error") != "invalid_request" {
		t.Error("state twice", q)
	}
	_, q = w.location(w.get(w.proxy.URL, "/callback", url.Values{"state": {w.authorize("state=")}, "code": {"c"}}))
	if q.Has("state") || q.Get("code") == "" {
		t.Error("no state", q)
	}
}

func TestParametersWithoutValueAreOmitted(t *testing.T) {
	w := newWorld(t)
	request := goodRequest()
	request["response_mode"], request["request"], request["prompt"] = []string{""}, []string{""}, []string{""}
	_, q := w.location(w.get(w.proxy.URL, "/oauth/authorization", request))
	q.Del("state")
	want := url.Values{"client_id": {"proxy client"}, "redirect_uri": {"https://pkce.example.com/callback"},
		"response_type": {"code"}, "scope": {"openid a"}}
	if diff := cmp.Diff(want, q); diff != "" {
		t.Error(diff)
	}
}
