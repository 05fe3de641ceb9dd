package e2e

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"oauth-agent/test/idp"
)

func TestSessionIsToldToThePage(t *testing.T) {
	w := newWorld(t, with("SESSION_LIFETIME", "1h"), with("SESSION_CLAIMS", "true"),
		server(func(c *idp.Config) { c.AccessTokenLifetime = 5 * time.Minute }))
	a := w.client().get("/session").want(200, "")
	if strings.TrimSpace(a.Body) != `{"isLoggedIn":false}` {
		t.Errorf("logged out: %s", a.Body)
	}
	c := w.login()
	w.clock.advance(time.Minute)
	a = c.get("/session").want(200, "")
	if a.json("isLoggedIn") != true || a.json("csrf") != c.csrf {
		t.Errorf("logged in: %s", a.Body)
	}
	if s := a.json("accessTokenExpiresIn").(float64); s < 230 || s > 240 {
		t.Errorf("accessTokenExpiresIn %v", s)
	}
	if s := a.json("sessionExpiresIn").(float64); s < 3530 || s > 3540 {
		t.Errorf("sessionExpiresIn %v", s)
	}
	if claims := a.json("claims").(map[string]any); claims["sub"] != "sub-demo" {
		t.Errorf("claims %v", claims)
	}
	w.clock.advance(time.Hour)
	if a := c.get("/session").want(200, ""); a.json("isLoggedIn") != false || len(a.cleared()) == 0 {
		t.Errorf("past its lifetime: %s, cleared %v", a.Body, a.cleared())
	}
}

func TestClaimsAreToldBySettingAlone(t *testing.T) {
	if a := newWorld(t).login().get("/session").want(200, ""); a.json("claims") != nil || a.json("sessionExpiresIn") != nil {
		t.Errorf("%s", a.Body)
	}
}

// Others led elsewhere: oauth2-proxy to any URL, and by white space to another
// host (CVE-2020-5233, CVE-2020-11053), mod_auth_openidc by a tab between two
// slashes (CVE-2022-23527), vouch-proxy to a host of the user's choice until 0.11.
// Since then that one refuses a path with a URL in its query (#409), which is a
// good one.
func TestReturnToWhereTheUserWas(t *testing.T) {
	w := newWorld(t)
	c := w.client()
	start := func(returnTo any) *answer {
		body, _ := json.Marshal(map[string]any{"returnTo": returnTo})
		return c.post("/login/start", string(body))
	}
	const deep = "/orders/7?page=2&q=%C3%A9&from=https://www.example.org/?a=b#top"
	url := start(deep).want(200, "").json("authorizationRequestUrl").(string)
	if got := c.end(w.authorize(url)).want(200, "").json("returnTo"); got != deep {
		t.Errorf("returnTo %q", got)
	}
	if got := c.end(origin+"/").want(200, "").json("returnTo"); got != nil {
		t.Errorf("returnTo on a page load: %q", got)
	}
	for _, bad := range []any{
		"https://evil.example/", "//evil.example", `/\evil.example`, `\\evil.example`, "/\t/evil.example", "/\n/evil.example", "/%2f/evil.example\r",
		"/ /evil.example\u00a0\x00", "https:/evil.example", "///evil.example", "/./\\evil.example",
		"javascript:alert(1)", "orders", "?x", " /orders", "/" + strings.Repeat("x", 1024), 7, []string{"/"}, map[string]string{},
	} {
		start(bad).want(400, "invalid_request")
	}
}
