package e2e

import "testing"

// mix is a browser with some cookies of a, the rest of b.
func mix(a, b *client, ofA ...string) *client {
	m := b.clone()
	for _, kind := range ofA {
		m.put("example-"+kind, a.cookie("example-"+kind).Value)
	}
	return m
}

// Cookies of two sessions are no session: a neighbour who may set cookies can
// make no pair of token and CSRF token that fits.
func TestCookiesOfTwoSessions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	demo, eve, again := w.login(), w.loginAs("eve"), w.login()
	if demo.csrf == eve.csrf || demo.csrf == again.csrf {
		t.Fatal("two browsers have one CSRF token")
	}
	for _, kinds := range [][]string{{"auth"}, {"csrf"}, {"at", "auth", "id"}, {"at", "auth"}, {"csrf", "id"}, {"csrf", "at"}, {"csrf", "at", "id"}} {
		for _, other := range []*client{eve, again} {
			for _, token := range []string{demo.csrf, other.csrf} {
				m := mix(demo, other, kinds...)
				m.csrf = token
				m.post("/refresh", "").want(401, "unauthorized_request")
				m.post("/logout", "").want(401, "unauthorized_request")
			}
		}
	}
	// The ID token of another session is none: nobody is shown another's claims.
	mix(demo, eve, "id").get("/claims").want(404, "no_id_token")
	mix(demo, eve, "at").get("/claims").want(404, "no_id_token")
	if n := w.refreshes(); n != 0 {
		t.Errorf("%d refresh tokens were sent", n)
	}
	// A page load gives the session that stands in -at a CSRF token of its own.
	m := mix(eve, demo, "csrf")
	a := m.end(origin+"/").want(200, "")
	if a.json("csrf") == demo.csrf || a.json("csrf") == eve.csrf {
		t.Errorf("a CSRF token of another session: %s", a.Body)
	}
	m.csrf = a.json("csrf").(string)
	m.works()
}

// A refresh is of the session of its refresh token, whole.
func TestRefreshMakesOneSessionOfTwo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	demo, eve := w.login(), w.loginAs("eve")
	for _, kinds := range [][]string{{"at"}, {"id"}, {"at", "id"}} {
		m := mix(eve, demo, kinds...)
		m.post("/refresh", "").want(204, "")
		if sub := m.get("/userInfo").want(200, "").json("sub"); sub != "sub-demo" {
			t.Errorf("%v of another: userInfo of %s", kinds, sub)
		}
		if a := m.get("/claims"); a.Status == 200 && a.json("sub") != "sub-demo" {
			t.Errorf("%v of another: claims of %s", kinds, a.json("sub"))
		}
		demo = m
		if kinds[0] == "id" {
			demo = w.login()
		}
	}
}

// A second login in the same browser: of the same user the CSRF token stays, so
// that the other tabs go on; of another user it does not.
func TestSecondLoginInOneBrowser(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.login()
	first := c.csrf
	if a := c.end(w.authorize(c.start())).want(200, ""); a.json("csrf") != first {
		t.Error("the same user: the CSRF token of the other tabs is void")
	}
	c.works()
	a := c.end(w.authorizeAs("eve", c.start())).want(200, "")
	if a.json("csrf") == first {
		t.Error("another user: the CSRF token stayed")
	}
	c.post("/refresh", "").want(401, "unauthorized_request")
	c.csrf = a.json("csrf").(string)
	c.works()
	if sub := c.get("/claims").json("sub"); sub != "sub-eve" {
		t.Errorf("claims of %s", sub)
	}
}
