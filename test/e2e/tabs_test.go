package e2e

import (
	"net/http"
	"net/url"
	"slices"
	"testing"
	"time"
)

// Tabs share their cookies: each starts a login, and all complete, in any order.
// Curity's agents have one login cookie, so that the second start kills the first.
func TestTabsLogInInAnyOrder(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, order := range [][]int{{0, 1}, {1, 0}, {2, 0, 1}, {4, 3, 2, 1, 0}, {0, 2, 4, 1, 3}} {
		c := w.client()
		pages := make([]string, len(order))
		for i := range pages {
			pages[i] = w.authorize(c.start())
		}
		csrf := ""
		for _, i := range order {
			a := c.end(pages[i]).want(200, "")
			if a.json("handled") != true || a.json("isLoggedIn") != true {
				t.Errorf("%v: tab %d: %s", order, i, a.Body)
			}
			c.csrf = a.json("csrf").(string)
			if csrf != "" && c.csrf != csrf {
				t.Errorf("%v: tab %d: the tabs have two CSRF tokens", order, i)
			}
			csrf = c.csrf
		}
		if left := logins(c); len(left) != 0 {
			t.Errorf("%v: logins left: %v", order, left)
		}
		c.works()
	}
}

func TestFiveLoginsAndTheOldestGoesFirst(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.client()
	var pages []string
	for range 7 {
		pages = append(pages, w.authorize(c.start()))
		w.clock.advance(2 * time.Second)
		if n := len(logins(c)); n > 5 {
			t.Fatalf("%d login cookies", n)
		}
	}
	slices.Reverse(pages) // newest first
	for i, page := range pages {
		if i < 5 {
			c.end(page).want(200, "")
		} else {
			c.end(page).want(400, "invalid_request")
		}
	}
}

// Cookies that a neighbour planted under the names of logins do not crowd out
// the real ones, and do not stay.
func TestPlantedLoginsAreCleared(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.client()
	first := w.authorize(c.start())
	w.clock.advance(2 * time.Second)
	value := c.newLogin(func() { c.start() }).Value
	for _, tag := range []string{"AAAAAAAAAAAA", "BBBBBBBBBBBB", "CCCCCCCCCCCC", "DDDDDDDDDDDD", "EEEEEEEEEEEE", "FFFFFFFFFFFF"} {
		planted := *c.cookie(logins(c)[0])
		planted.Name, planted.Value = "example-login-"+tag, value // good, but another login's
		c.jar[cookieID{planted.Name, planted.Domain, planted.Path}] = &planted
	}
	second := w.authorize(c.start())
	if n := len(logins(c)); n != 3 {
		t.Errorf("%d login cookies, want 3", n)
	}
	c.end(first).want(200, "")
	c.end(second).want(200, "")
}

// newLogin is the login cookie that start adds.
func (c *client) newLogin(start func()) *http.Cookie {
	before := logins(c)
	start()
	for _, name := range logins(c) {
		if !slices.Contains(before, name) {
			return c.cookie(name)
		}
	}
	c.t.Fatal("no new login cookie")
	return nil
}

// Login CSRF: the attacker's response, opened in the victim's browser.
func TestAnotherBrowsersResponse(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	attacker, victim := w.client(), w.login()
	page := w.authorize(attacker.start())
	victim.start()
	victim.end(page).want(400, "invalid_request")
	if !victim.loggedIn() || w.idp.Counts()["authorization_code"] != 1 {
		t.Error("the attacker's code was redeemed")
	}
	// The state renamed to a login of the victim: its verifier is another one.
	own := state(victim.start())
	victim.end(withState(page, own)).want(400, "authorization_error")
	attacker.end(page).want(400, "invalid_request") // and now the code is spent
}

// withState is page with another state.
func withState(page, state string) string {
	u, err := url.Parse(page)
	if err != nil {
		return ""
	}
	q := u.Query()
	q.Set("state", state)
	u.RawQuery = q.Encode()
	return u.String()
}
