package idp_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"oauth-agent/test/idp"
)

func TestCodeExchange(t *testing.T) {
	p := start(t)
	a := p.post("/token", codeForm(p.login().Get("code")))
	got := a.json(t)
	if got["token_type"] != "Bearer" || got["expires_in"] != 300.0 || got["scope"] != "openid profile" {
		t.Errorf("answer: %s", a.body)
	}
	if a.Header.Get("Cache-Control") != "no-store" || a.Header.Get("Content-Type") != "application/json" {
		t.Errorf("headers: %v", a.Header)
	}
	for _, key := range []string{"access_token", "refresh_token", "id_token"} {
		if s, _ := got[key].(string); len(s) < 43 {
			t.Errorf("%s: %q", key, s)
		}
	}
}

func TestBadCodeExchange(t *testing.T) {
	p := start(t)
	for _, tc := range []struct {
		pairs []string
		code  string
	}{
		{[]string{"code", ""}, "invalid_request"},
		{[]string{"code", "made-up"}, "invalid_grant"},
		{[]string{"redirect_uri", ""}, "invalid_grant"},
		{[]string{"redirect_uri", callback + "?tenant=1"}, "invalid_grant"},
		{[]string{"code_verifier", ""}, "invalid_grant"},
		{[]string{"code_verifier", "short"}, "invalid_grant"},
		{[]string{"code_verifier", strings.Repeat("a", 43)}, "invalid_grant"},
		{[]string{"code_verifier", verifier + strings.Repeat("a", 100)}, "invalid_grant"},
		{[]string{"grant_type", ""}, "invalid_request"},
		{[]string{"grant_type", "password"}, "unsupported_grant_type"},
	} {
		p.wantError(p.post("/token", codeForm(p.login().Get("code"), tc.pairs...)), 400, tc.code)
	}
	double := codeForm(p.login().Get("code"))
	double.Add("code", "x")
	p.wantError(p.post("/token", double), 400, "invalid_request")

	req := p.request(t.Context(), http.MethodPost, p.Issuer+"/token", url.Values{})
	req.Header.Set("Content-Type", "application/json")
	p.wantError(p.send(req), 400, "invalid_request")
}

func TestVerifierWithoutChallenge(t *testing.T) {
	p := start(t)
	code := p.login("code_challenge", "", "code_challenge_method", "").Get("code")
	p.wantError(p.post("/token", codeForm(code)), 400, "invalid_grant")
	code = p.login("code_challenge", "", "code_challenge_method", "").Get("code")
	if a := p.post("/token", codeForm(code, "code_verifier", "")); a.StatusCode != 200 {
		t.Errorf("without PKCE: %d %s", a.StatusCode, a.body)
	}
}

func TestIgnorePKCE(t *testing.T) {
	p := start(t, func(c *idp.Config) { c.IgnorePKCE = true })
	for _, v := range []string{"", "wrong", verifier} {
		code := p.login("code_challenge_method", "nonsense").Get("code")
		if a := p.post("/token", codeForm(code, "code_verifier", v)); a.StatusCode != 200 {
			t.Errorf("verifier %q: %d %s", v, a.StatusCode, a.body)
		}
	}
}

func TestOmittedRedirectURI(t *testing.T) {
	p := start(t, func(c *idp.Config) { c.Clients[0].RedirectURIs = []string{callback} })
	code := p.login("redirect_uri", "").Get("code")
	if a := p.post("/token", codeForm(code, "redirect_uri", "")); a.StatusCode != 200 {
		t.Errorf("%d %s", a.StatusCode, a.body)
	}
}

// RFC 6749 4.1.2: a replayed code takes back what it gave.
func TestCodeReplay(t *testing.T) {
	p := start(t)
	code := p.login().Get("code")
	first := p.post("/token", codeForm(code)).json(t)
	p.wantError(p.post("/token", codeForm(code)), 400, "invalid_grant")
	p.wantError(p.userinfo(first["access_token"]), 401, "invalid_token")
	p.wantError(p.refresh(first["refresh_token"]), 400, "invalid_grant")
}

func TestCodeExpires(t *testing.T) {
	p := start(t)
	code := p.login().Get("code")
	p.clock.Add(61 * time.Second)
	p.wantError(p.post("/token", codeForm(code)), 400, "invalid_grant")
}

func TestWrongVerifierSpendsTheCode(t *testing.T) {
	p := start(t)
	code := p.login().Get("code")
	p.wantError(p.post("/token", codeForm(code, "code_verifier", strings.Repeat("b", 43))), 400, "invalid_grant")
	p.wantError(p.post("/token", codeForm(code)), 400, "invalid_grant")
}

func TestClientAuthentication(t *testing.T) {
	p := start(t)
	esc := url.QueryEscape(secret)
	for _, tc := range []struct {
		name                     string
		user, pass, id, inForm   string
		status                   int
		code                     string
		authorization, challenge string
	}{
		{name: "basic", user: "app", pass: esc, status: 200},
		{name: "basic and client_id", user: "app", pass: esc, id: "app", status: 200},
		{name: "post", id: "app", inForm: secret, status: 200},
		{name: "basic, not encoded", user: "app", pass: secret, status: 401, code: "invalid_client"},
		{name: "basic, wrong", user: "app", pass: "wrong", status: 401, code: "invalid_client"},
		{name: "basic, empty", user: "app", status: 401, code: "invalid_client"},
		{name: "post, wrong", id: "app", inForm: "wrong", status: 401, code: "invalid_client"},
		{name: "none", id: "app", status: 401, code: "invalid_client"},
		{name: "nobody", status: 401, code: "invalid_client"},
		{name: "both", user: "app", pass: esc, id: "app", inForm: secret, status: 400, code: "invalid_request"},
		{name: "two ids", user: "app", pass: esc, id: "other", status: 400, code: "invalid_request"},
		{name: "another's code", user: "other", pass: "other-secret", status: 400, code: "invalid_grant"},
		{name: "other scheme", authorization: "Bearer x", id: "app", inForm: secret, status: 401, code: "invalid_client"},
		{name: "public client with a secret", id: "spa", inForm: "x", status: 401, code: "invalid_client"},
		{name: "public client", id: "spa", status: 400, code: "invalid_grant"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := &party{T: t, Server: p.Server, client: p.client}
			form := codeForm(p.login().Get("code"), "client_id", tc.id, "client_secret", tc.inForm)
			req := p.request(t.Context(), http.MethodPost, p.Issuer+"/token", form)
			if tc.user != "" {
				req.SetBasicAuth(tc.user, tc.pass)
			}
			if tc.authorization != "" {
				req.Header.Set("Authorization", tc.authorization)
			}
			a := p.send(req)
			if tc.code != "" {
				p.wantError(a, tc.status, tc.code)
			} else if a.StatusCode != 200 {
				t.Fatalf("%d %s", a.StatusCode, a.body)
			}
			if tc.status == 401 && !strings.HasPrefix(a.Header.Get("WWW-Authenticate"), "Basic ") {
				t.Errorf("WWW-Authenticate: %q", a.Header.Get("WWW-Authenticate"))
			}
		})
	}
}

func TestAuthMethods(t *testing.T) {
	p := start(t, func(c *idp.Config) { c.AuthMethods = []string{"client_secret_post"} })
	p.wantError(p.post("/token", codeForm("x")), 401, "invalid_client")
	form := codeForm(p.login().Get("code"), "client_id", "app", "client_secret", secret)
	if a := p.send(p.request(t.Context(), http.MethodPost, p.Issuer+"/token", form)); a.StatusCode != 200 {
		t.Errorf("%d %s", a.StatusCode, a.body)
	}
}

func TestPublicClient(t *testing.T) {
	p := start(t)
	form := codeForm(p.login("client_id", "spa").Get("code"), "client_id", "spa")
	if a := p.send(p.request(t.Context(), http.MethodPost, p.Issuer+"/token", form)); a.StatusCode != 200 {
		t.Errorf("%d %s", a.StatusCode, a.body)
	}
}

func TestAccessTokenExpires(t *testing.T) {
	p := start(t, func(c *idp.Config) { c.AccessTokenLifetime = 7 * time.Second })
	tokens := p.tokens()
	if tokens["expires_in"] != 7.0 {
		t.Errorf("expires_in %v", tokens["expires_in"])
	}
	if a := p.userinfo(tokens["access_token"]); a.StatusCode != 200 {
		t.Errorf("%d", a.StatusCode)
	}
	p.clock.Add(7 * time.Second)
	p.wantError(p.userinfo(tokens["access_token"]), 401, "invalid_token")
}

func TestTokenResponseProfiles(t *testing.T) {
	for _, tc := range []struct {
		key     string
		profile func(*idp.Config)
	}{
		{"scope", func(c *idp.Config) { c.OmitScope = true }},
		{"expires_in", func(c *idp.Config) { c.OmitExpiresIn = true }},
		{"id_token", func(c *idp.Config) { c.NoIDToken = true }},
		{"id_token", func(c *idp.Config) { c.NoOpenID = true }},
		{"refresh_token", func(c *idp.Config) { c.NoRefreshToken = true }},
	} {
		if v, ok := start(t, tc.profile).tokens()[tc.key]; ok {
			t.Errorf("%s is there: %v", tc.key, v)
		}
	}
}

func TestScopes(t *testing.T) {
	p := start(t, func(c *idp.Config) { c.Scopes = []string{"orders"} })
	got := p.tokens("scope", "profile orders unknown orders")
	if got["scope"] != "profile orders" || got["id_token"] != nil {
		t.Errorf("answer: %v", got)
	}
	p.wantError(p.userinfo(got["access_token"]), 403, "insufficient_scope")
}

func TestPadding(t *testing.T) {
	short, long := start(t).tokens(), start(t, func(c *idp.Config) { c.Padding = 1000 }).tokens()
	for _, key := range []string{"access_token", "refresh_token", "id_token"} {
		if more := len(long[key].(string)) - len(short[key].(string)); more < 990 || more > 1050 {
			t.Errorf("%s is %d bytes longer", key, more)
		}
	}
}
