package e2e

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// A neighbour on the site can push all cookies out of the browser and plant its
// own, but none that is named __Host-Http-….

// plant sets the browser the cookies of another that a neighbour could plant.
func (c *client) plant(from *client) {
	for id, cookie := range from.jar {
		if !strings.HasPrefix(id.name, "__Host-") {
			c.jar[id] = cookie
		}
	}
}

// secureWorld is one over https: some cookies of it can be planted, and some cannot.
func secureWorld(t *testing.T) *world {
	return newWorld(t, with("TRUSTED_WEB_ORIGIN", secureOrigin))
}

func TestPlantedRefreshTokenIsNoSession(t *testing.T) {
	t.Parallel()
	w := secureWorld(t)
	evil, victim := w.loginAs("eve"), w.client()
	victim.plant(evil)
	if names := victim.cookieNames(); !slices.Equal(names, []string{"__Secure-example-auth", "__Secure-example-id"}) {
		t.Fatalf("planted %v", names)
	}
	for _, a := range []*answer{victim.clone().end(secureOrigin + "/"), victim.clone().get("/session")} {
		if a.want(200, "").json("isLoggedIn") != false || a.json("csrf") != nil {
			t.Errorf("the attacker's session: %s", a.Body)
		}
	}
	for _, victim.csrf = range []string{"", evil.csrf} {
		victim.post("/refresh", "").want(401, "unauthorized_request")
		victim.post("/logout", "").want(401, "unauthorized_request")
	}
	if n := w.refreshes(); n != 0 {
		t.Errorf("%d refresh tokens were sent", n)
	}
	// The victim's own login goes on beside them.
	victim.csrf = victim.end(w.authorize(victim.start())).want(200, "").json("csrf").(string)
	victim.works()
	if sub := victim.get("/claims").json("sub"); sub != "sub-demo" {
		t.Errorf("claims of %v", sub)
	}
	evil.works()
}

// With its CSRF token a session that has lost its access token goes on.
func TestSessionWithoutAccessTokenGoesOn(t *testing.T) {
	t.Parallel()
	c := secureWorld(t).login()
	c.drop("__Host-Http-example-at")
	if a := c.end(secureOrigin+"/").want(200, ""); a.json("isLoggedIn") != true || a.json("csrf") != c.csrf {
		t.Errorf("%s", a.Body)
	}
	c.post("/refresh", "").want(204, "")
	c.works()
}

// Login CSRF: a login that the attacker began, planted in the victim's browser
// together with a link to its response.
func TestPlantedLoginIsNotTaken(t *testing.T) {
	t.Parallel()
	w := secureWorld(t)
	evil, victim := w.client(), w.client()
	page := w.authorizeAs("eve", evil.start())
	victim.plant(evil)
	if len(logins(victim)) != 1 {
		t.Fatalf("planted %v", victim.cookieNames())
	}
	elsewhere := strings.Replace(page, redirectURI, secureOrigin+"/", 1)
	if a := victim.clone().end(elsewhere).want(200, ""); a.json("handled") != false || a.json("isLoggedIn") != false {
		t.Errorf("at another page: %s", a.Body)
	}
	if a := victim.end(page).want(400, "invalid_request"); len(a.setCookies()) != 0 {
		t.Errorf("cookies: %v", a.setCookies())
	}
	victim.end(strings.Replace(page, "code=", "error=access_denied&x=", 1)).want(400, "invalid_request")
	if n := w.idp.Counts()["authorization_code"]; n != 0 {
		t.Fatalf("%d codes were redeemed", n)
	}
	// The cookie of another of the victim's own logins does not help it.
	own := w.authorize(victim.start())
	if left := logins(victim); len(left) != 1 {
		t.Errorf("the planted login counts as one: %v", left)
	}
	victim.plant(evil)
	victim.end(page).want(400, "invalid_request")
	victim.csrf = victim.end(own).want(200, "").json("csrf").(string)
	victim.works()
	evil.end(page).want(200, "") // where it was begun it is good
}

// A planted twin of a login cookie, sent first, does not hide the real one.
func TestPlantedTwinOfALogin(t *testing.T) {
	t.Parallel()
	w := secureWorld(t)
	evil, c := w.client(), w.client()
	evil.start()
	page := w.authorize(c.start())
	name := logins(c)[0]
	twin := name + "=" + evil.cookie(logins(evil)[0]).Value + "; "
	planted := twin + twin + "__Host-Http-example-browser-" + name[len("__Secure-example-login-"):] + "=x; "
	c.end(page, func(r *http.Request) { r.Header.Set("Cookie", planted+r.Header.Get("Cookie")) }).want(200, "")
}

// Each login has a cookie to which it is bound, so that tabs do not disturb each
// other, and both go when it ends, well or badly.
func TestBoundLoginsOfSeveralTabs(t *testing.T) {
	t.Parallel()
	w := secureWorld(t)
	c := w.client()
	one, two := c.clone(), c.clone() // two tabs at the same moment
	first, second := w.authorize(one.start()), w.authorize(two.start())
	maps.Copy(c.jar, one.jar)
	maps.Copy(c.jar, two.jar)
	failing := w.response(c.start(), "error=access_denied")
	if n := len(bindings(c)); n != 3 {
		t.Fatalf("%d cookies that bind logins: %v", n, c.cookieNames())
	}
	c.end(second).want(200, "")
	c.end(failing).want(400, "access_denied")
	a := c.end(first).want(200, "")
	if len(logins(c)) != 0 || len(bindings(c)) != 0 {
		t.Errorf("left: %v", c.cookieNames())
	}
	c.csrf = a.json("csrf").(string)
	c.works()
	for range 7 {
		c.start()
		w.clock.advance(1e9)
	}
	if len(logins(c)) != 5 || len(bindings(c)) != 5 {
		t.Errorf("%d logins, bound by %d cookies", len(logins(c)), len(bindings(c)))
	}
	c.drop(logins(c)...) // what was bound is gone: the next start clears the rest
	c.start()
	if len(logins(c)) != 1 || len(bindings(c)) != 1 {
		t.Errorf("%d logins, bound by %d cookies", len(logins(c)), len(bindings(c)))
	}
}

func bindings(c *client) []string {
	return slices.DeleteFunc(c.cookieNames(), func(name string) bool { return !strings.HasPrefix(name, "__Host-Http-example-browser-") })
}

// Where every cookie can be planted nothing is bound, and logins work.
func TestLoginsWithoutGuardedNames(t *testing.T) {
	t.Parallel()
	for _, settings := range [][]func(*setup){
		nil,
		{with("TRUSTED_WEB_ORIGIN", secureOrigin), with("COOKIE_DOMAIN", "example.com")},
		{with("TRUSTED_WEB_ORIGIN", secureOrigin), with("COOKIE_PREFIXES", "false")},
	} {
		c := newWorld(t, settings...).client()
		page := c.w.authorize(c.start())
		if len(c.jar) != 1 {
			t.Errorf("%v", c.cookieNames())
		}
		c.csrf = c.end(page).want(200, "").json("csrf").(string)
		c.works()
	}
}

// Whether there is an ID token stands in the session: one that is lost or does not
// open does not look like one that was never given.
func TestClaimsWithoutAnIDTokenCookie(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, spoil := range []func(c *client){
		func(c *client) { c.drop("example-id") },
		func(c *client) { c.put("example-id", "x") },
		func(c *client) { c.put("example-id", c.cookie("example-at").Value) },
		func(c *client) { c.put("example-id", w.loginAs("eve").cookie("example-id").Value) },
	} {
		c := w.login()
		spoil(c)
		c.get("/claims").want(401, "unauthorized_request")
		c.post("/refresh", "").want(204, "")
		c.get("/claims").want(401, "unauthorized_request")
	}
	plain := newWorld(t, with("SCOPE", "profile"))
	c := plain.login()
	c.get("/claims").want(404, "no_id_token")
	c.post("/refresh", "").want(204, "")
	c.get("/claims").want(404, "no_id_token")
}

// A refresh token that cannot be read is logged, and the rest ends.
func TestLogoutWithAnUnreadableRefreshToken(t *testing.T) {
	t.Parallel()
	const told = "the refresh token could not be read at logout"
	w := newWorld(t)
	c := w.login()
	c.leave()
	c = w.login()
	c.drop("example-auth")
	c.leave()
	if strings.Contains(w.log.String(), told) {
		t.Errorf("told where there is none: %s", w.log.String())
	}
	for _, value := range []string{"x", w.loginAs("eve").cookie("example-auth").Value} {
		before := strings.Count(w.log.String(), told)
		c := w.login()
		c.put("example-auth", value)
		c.leave()
		if strings.Count(w.log.String(), told) != before+1 {
			t.Errorf("not told: %s", w.log.String())
		}
		if left := logouts(c.cookieNames()); len(left) != len(c.jar) {
			t.Errorf("left %v", c.cookieNames())
		}
	}
}
