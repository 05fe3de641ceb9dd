package e2e

import (
	"net/http"
	"testing"
	"time"

	"oauth-agent/test/idp"
)

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
	for _, kinds := range [][]string{{"csrf"}, {"at", "auth", "id"}, {"at", "auth"}, {"csrf", "id"}} {
		for _, other := range []*client{eve, again} {
			for _, token := range []string{demo.csrf, other.csrf} {
				m := mix(demo, other, kinds...)
				m.csrf = token
				m.post("/refresh", "").want(401, "unauthorized_request")
				m.post("/logout", "").want(401, "unauthorized_request")
			}
		}
	}
	// The access token says whose session it is. What is of another is not there.
	for _, kinds := range [][]string{{"auth"}, {"csrf", "at"}, {"csrf", "at", "id"}} {
		m := mix(demo, eve, kinds...)
		for _, m.csrf = range []string{demo.csrf, eve.csrf} {
			m.post("/refresh", "").want(401, "unauthorized_request")
		}
	}
	// The ID token of another session is none: nobody is shown another's claims.
	mix(demo, eve, "id").get("/claims").want(401, "unauthorized_request")
	mix(demo, eve, "at").get("/claims").want(401, "unauthorized_request")
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

// A neighbour's valid cookies, planted beside one's own and sent first, lock
// nobody out of the session.
func TestPlantedCookiesOfAnotherSession(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c, eve := w.login(), w.loginAs("eve")
	planted := func(r *http.Request) {
		theirs := ""
		for _, kind := range []string{"auth", "id", "csrf"} {
			theirs += "example-" + kind + "=" + eve.cookie("example-"+kind).Value + "; "
		}
		r.Header.Set("Cookie", theirs+r.Header.Get("Cookie"))
	}
	if sub := c.get("/claims", planted).want(200, "").json("sub"); sub != "sub-demo" {
		t.Errorf("claims of %s", sub)
	}
	c.get("/userInfo", planted).want(200, "")
	c.post("/refresh", "", planted).want(204, "")
	c.post("/logout", "", planted).want(200, "")
}

// A page that calls twice at the same time (a reload, an effect that runs
// twice) makes one session, and the code is sent once.
func TestTwoCallsEndOneLogin(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.client()
	page := w.authorize(c.start())
	w.idp.SetFault(idp.Token, idp.Fault{Delay: time.Second})
	twin := c.clone()
	answers := make(chan *answer, 2)
	for _, tab := range []*client{c, twin} {
		go func() { answers <- tab.end(page) }()
	}
	first, second := (<-answers).want(200, ""), (<-answers).want(200, "")
	if first.json("csrf") != second.json("csrf") {
		t.Error("two sessions for one login")
	}
	if n := w.idp.Counts()["authorization_code"]; n != 1 {
		t.Errorf("the code was sent %d times", n)
	}
	w.idp.ClearFaults()
	c.csrf = first.json("csrf").(string)
	c.works()
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

// A code that another user's login gave, redeemed at another replica with the same
// login cookie: what comes out is two sessions, and their cookies do not combine.
func TestOneLoginWithTwoCodes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.client()
	start := c.start()
	demo, eve := w.authorizeAs(username, start), w.authorizeAs("eve", start)
	d := c.at(w.replica())
	c.csrf = c.end(demo).want(200, "").json("csrf").(string)
	d.csrf = d.end(eve).want(200, "").json("csrf").(string)
	if c.csrf == d.csrf {
		t.Error("two users have one CSRF token")
	}
	m := mix(c, d, "at", "csrf")
	m.csrf = c.csrf
	m.post("/refresh", "").want(401, "unauthorized_request")
	m.get("/claims").want(401, "unauthorized_request")
	c.works()
	d.works()
}
