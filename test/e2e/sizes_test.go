package e2e

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// What is too large for one cookie is split, and joined again by every replica.
func TestLargeTokensAreSplit(t *testing.T) {
	t.Parallel()
	for _, size := range []int{1000, 2000, 2500, 4000, 8000} {
		w := newWorld(t, padding(size))
		c := w.login()
		pieces := 0
		for _, name := range c.cookieNames() {
			if strings.HasPrefix(name, "example-at") {
				pieces++
			}
		}
		if want := 1 + size/2200; pieces < want || pieces > want+2 {
			t.Errorf("%d bytes: %d pieces", size, pieces)
		}
		c.works()
		c.at(w.replica()).works()
		c.post("/logout", "").want(200, "")
		if left := c.cookieNames(); !slices.Equal(left, logouts(left)) {
			t.Errorf("%d bytes: left after logout: %v", size, left)
		}
		c.get("/logout/continue").want(302, "")
		if len(c.jar) != 0 {
			t.Errorf("%d bytes: left at the end: %v", size, c.cookieNames())
		}
	}
}

func logouts(names []string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(n string) bool { return !strings.HasPrefix(n, "example-logout") })
}

func TestStalePiecesAreCleared(t *testing.T) {
	t.Parallel()
	w := newWorld(t, padding(6000))
	c := w.login()
	had := len(c.jar)
	w.idp.SetTokenResponseFault(func(m map[string]any) {
		m["access_token"], m["refresh_token"] = "short", "shorter"
		delete(m, "id_token")
	})
	c.post("/refresh", "").want(204, "")
	names := slices.DeleteFunc(c.cookieNames(), func(n string) bool { return strings.HasPrefix(n, "example-id") })
	if !slices.Equal(names, []string{"example-at", "example-auth", "example-csrf"}) {
		t.Errorf("of %d cookies left: %v", had, names)
	}
	c.get("/claims").want(200, "") // a stale piece would have broken none of the others either
}

func TestPiecesThatDoNotBelongTogether(t *testing.T) {
	t.Parallel()
	w := newWorld(t, padding(6000))
	c := w.login()
	first := c.cookie("example-at-1").Value
	for name, spoil := range map[string]func(c *client){
		"missing":       func(c *client) { c.drop("example-at-1") },
		"first missing": func(c *client) { c.drop("example-at") },
		"swapped": func(c *client) {
			second := c.cookie("example-at-2").Value
			c.put("example-at-2", first)
			c.put("example-at-1", second)
		},
		"of the ID token": func(c *client) { c.put("example-at-1", c.cookie("example-id-1").Value) },
		"of the last refresh": func(c *client) {
			c.post("/refresh", "").want(204, "")
			c.put("example-at-1", first)
		},
		"fewer announced": func(c *client) { c.put("example-at", "2."+c.cookie("example-at").Value[2:]) },
		"more announced":  func(c *client) { c.put("example-at", "5."+c.cookie("example-at").Value[2:]) },
	} {
		d := c.clone()
		spoil(d)
		d.get("/userInfo").want(401, "unauthorized_request")
		// What is left of the access token goes, and the session is refreshed.
		a := d.end(origin+"/").want(200, "")
		left := slices.ContainsFunc(d.cookieNames(), func(cookie string) bool { return strings.HasPrefix(cookie, "example-at") })
		if a.json("isLoggedIn") != true || left {
			t.Errorf("%s: %s, stuck with %v", name, a.Body, d.cookieNames())
		}
		d.post("/refresh", "").want(204, "")
		d.get("/userInfo").want(200, "")
	}
}

// A token that cannot be kept is told by its size, and nothing of it is set.
func TestTooLargeIsToldWithItsSize(t *testing.T) {
	t.Parallel()
	names := regexp.MustCompile(`example-at .*[0-9]{5} bytes`)
	w := newWorld(t, padding(18000))
	c := w.client()
	a := c.end(w.authorize(c.start())).want(502, "authorization_server_error")
	if !names.MatchString(a.json("message").(string)) || len(c.jar) != 0 {
		t.Errorf("%s; set: %v", a.Body, c.cookieNames())
	}

	w = newWorld(t)
	c = w.login()
	w.idp.SetTokenResponseFault(func(m map[string]any) {
		m["access_token"] = strings.Repeat("x", 18000)
		delete(m, "id_token")
	})
	a = c.post("/refresh", "").want(502, "authorization_server_error")
	if !names.MatchString(a.json("message").(string)) || len(a.setCookies()) != 0 {
		t.Errorf("%s; set: %v", a.Body, a.Header)
	}
	c.get("/userInfo").want(200, "")
}

func TestSessionLifetime(t *testing.T) {
	t.Parallel()
	w := newWorld(t, with("SESSION_LIFETIME", "1h"))
	c := w.login()
	most := func(seconds int) {
		t.Helper()
		for _, cookie := range c.jar {
			if cookie.MaxAge <= seconds-20 || cookie.MaxAge > seconds {
				t.Errorf("%s: Max-Age %d, want %d", cookie.Name, cookie.MaxAge, seconds)
			}
		}
	}
	most(3600)
	w.clock.advance(40 * time.Minute)
	c.post("/refresh", "").want(204, "")
	most(1200) // a refresh does not make it longer
	c.get("/userInfo").want(200, "")
	w.clock.advance(21 * time.Minute) // a browser whose clock stands still
	c.get("/userInfo").want(401, "unauthorized_request")
	c.post("/refresh", "").want(401, "unauthorized_request")
	if c.loggedIn() || len(c.jar) != 0 {
		t.Errorf("stuck with %v", c.cookieNames())
	}
}
