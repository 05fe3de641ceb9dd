package e2e

import (
	"strings"
	"testing"
	"time"

	"oauth-agent/test/idp"
)

// A server whose access tokens are meant for an API refuses every one of them at
// userinfo. A page that refreshes on token_expired and asks again must come to an
// end, and keep its session.
func TestUserinfoRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.login()
	w.idp.SetFault(idp.Userinfo, idp.OAuthError(401, "invalid_token"))
	for range 3 {
		if a := c.get("/userInfo").want(403, "userinfo_refused"); len(a.setCookies()) != 0 {
			t.Errorf("cookies: %v", a.setCookies())
		}
	}
	c.get("/claims").want(200, "")

	w.clock.advance(61 * time.Second)
	c.get("/userInfo").want(401, "token_expired")
	c.post("/refresh", "").want(204, "")
	c.get("/userInfo").want(403, "userinfo_refused")
	if n := w.refreshes(); n != 1 {
		t.Errorf("%d refreshes, want 1", n)
	}
	if n := strings.Count(w.log.String(), "userinfo refuses access tokens"); n != 1 {
		t.Errorf("%d warnings, want 1", n)
	}
	w.idp.ClearFaults()
	c.works()
}

// What counts is when the server gave the token, and not when the cookie was
// written.
func TestAgeOfARememberedToken(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.login()
	late := c.clone()
	c.post("/refresh", "").want(204, "")
	w.clock.advance(50 * time.Second)
	late.post("/refresh", "").want(204, "")
	if n := w.refreshes(); n != 1 {
		t.Fatalf("%d refreshes: the second was not answered from memory", n)
	}
	w.clock.advance(11 * time.Second)
	w.idp.SetFault(idp.Userinfo, idp.Empty(401))
	late.get("/userInfo").want(401, "token_expired")
}

// A token that lives for less than a minute has expired when its time is over.
func TestShortLivedTokenExpires(t *testing.T) {
	t.Parallel()
	w := newWorld(t, server(func(c *idp.Config) { c.AccessTokenLifetime = 30 * time.Second }))
	c := w.login()
	c.get("/userInfo").want(200, "")
	w.clock.advance(31 * time.Second)
	c.get("/userInfo").want(401, "token_expired")
	c.post("/refresh", "").want(204, "")
	c.get("/userInfo").want(200, "")
}
