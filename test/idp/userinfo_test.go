package idp_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"oauth-agent/test/idp"
)

func TestUserinfo(t *testing.T) {
	p := start(t)
	token := p.tokens()["access_token"]
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		req := p.request(t.Context(), method, p.Issuer+"/userinfo", nil)
		req.Header.Set("Authorization", "bearer "+token.(string))
		a := p.send(req)
		got := a.json(t)
		if a.StatusCode != 200 || got["sub"] != "zoe-1990" || got["name"] != "Zoë Ångström 李" {
			t.Errorf("%s: %d %s", method, a.StatusCode, a.body)
		}
		if a.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("headers: %v", a.Header)
		}
	}
}

func TestUserinfoRefusals(t *testing.T) {
	p := start(t)
	tokens := p.tokens()
	for authorization, challenge := range map[string]string{
		"":               `Bearer realm="idp"`,
		"Basic YTpi":     `Bearer realm="idp"`,
		"Bearer ":        `Bearer realm="idp", error="invalid_token"`,
		"Bearer made-up": `Bearer realm="idp", error="invalid_token"`,
		"Bearer " + tokens["refresh_token"].(string): `Bearer realm="idp", error="invalid_token"`,
		"Bearer " + tokens["id_token"].(string):      `Bearer realm="idp", error="invalid_token"`,
	} {
		req := p.request(t.Context(), http.MethodGet, p.Issuer+"/userinfo", nil)
		req.Header.Set("Authorization", authorization)
		if a := p.send(req); a.StatusCode != 401 || a.Header.Get("WWW-Authenticate") != challenge {
			t.Errorf("%.20q: %d %s", authorization, a.StatusCode, a.Header.Get("WWW-Authenticate"))
		}
	}
}

// A provider that speaks plain OAuth may have such an endpoint, too.
func TestUserinfoWithoutOpenID(t *testing.T) {
	p := start(t, func(c *idp.Config) { c.NoOpenID = true })
	tokens := p.tokens("scope", "openid profile")
	if tokens["scope"] != "profile" || tokens["id_token"] != nil {
		t.Errorf("answer: %v", tokens)
	}
	if a := p.userinfo(tokens["access_token"]); a.StatusCode != 200 {
		t.Errorf("%d %s", a.StatusCode, a.body)
	}
}

func TestRevokeRefreshToken(t *testing.T) {
	p := start(t)
	bystander, tokens := p.tokens(), p.tokens()
	for range 2 { // the second time it is dead already
		form := url.Values{"token": {tokens["refresh_token"].(string)}, "token_type_hint": {"access_token"}}
		if a := p.post("/revoke", form); a.StatusCode != 200 || a.body != "" {
			t.Fatalf("%d %s", a.StatusCode, a.body)
		}
	}
	p.wantError(p.refresh(tokens["refresh_token"]), 400, "invalid_grant")
	p.wantError(p.userinfo(tokens["access_token"]), 401, "invalid_token")
	if a := p.refresh(bystander["refresh_token"]); a.StatusCode != 200 {
		t.Errorf("another login died: %d", a.StatusCode)
	}
}

func TestRevokeAccessToken(t *testing.T) {
	p := start(t)
	tokens := p.tokens()
	if a := p.post("/revoke", url.Values{"token": {tokens["access_token"].(string)}}); a.StatusCode != 200 {
		t.Fatalf("%d %s", a.StatusCode, a.body)
	}
	p.wantError(p.userinfo(tokens["access_token"]), 401, "invalid_token")
	if a := p.refresh(tokens["refresh_token"]); a.StatusCode != 200 {
		t.Errorf("the refresh token died: %d", a.StatusCode)
	}
}

func TestRevokeRefusals(t *testing.T) {
	p := start(t)
	if a := p.post("/revoke", url.Values{"token": {"made-up"}}); a.StatusCode != 200 {
		t.Errorf("an unknown token: %d", a.StatusCode)
	}
	p.wantError(p.post("/revoke", url.Values{}), 400, "invalid_request")
	token := p.tokens()["refresh_token"].(string)
	anonymous := p.request(t.Context(), http.MethodPost, p.Issuer+"/revoke", url.Values{"token": {token}})
	p.wantError(p.send(anonymous), 401, "invalid_client")
	foreign := url.Values{"token": {token}, "client_id": {"other"}, "client_secret": {"other-secret"}}
	p.wantError(p.send(p.request(t.Context(), http.MethodPost, p.Issuer+"/revoke", foreign)), 400, "unauthorized_client")
	if a := p.refresh(token); a.StatusCode != 200 {
		t.Errorf("a foreign client revoked it: %s", strings.TrimSpace(a.body))
	}
}
