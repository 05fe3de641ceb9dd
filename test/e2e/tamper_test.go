package e2e

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"oauth-agent/test/idp"
)

func padding(n int) func(*setup) { return server(func(c *idp.Config) { c.Padding = n }) }

// opens tells whether the agent takes the session cookies of a request to path.
// It goes to the handler itself, since there are thousands of requests.
func (c *client) opens(method, path, form string) int {
	req := httptest.NewRequestWithContext(c.t.Context(), method, c.url+path, strings.NewReader(form))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Origin", c.origin)
	req.Header.Set("X-Example-Csrf", c.csrf)
	c.addCookies(req)
	rec := httptest.NewRecorder()
	c.w.agent.Config.Handler.ServeHTTP(rec, req)
	if rec.Code >= 500 {
		c.t.Errorf("%s %s: %d %s", method, path, rec.Code, rec.Body)
	}
	return rec.Code
}

const base64url = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

// Every bit of every cookie counts, those too that base64 has left over.
func TestCookiesFlippedBitByBit(t *testing.T) {
	t.Parallel()
	// The code waits for all the others, which takes a busy machine minutes.
	w := newWorld(t, server(func(c *idp.Config) { c.CodeLifetime = time.Hour }))
	c := w.login()
	page := w.authorize(c.start())
	for _, tc := range []struct{ name, method, path, body string }{
		{"example-at", "GET", "/claims", ""}, {"example-id", "GET", "/claims", ""},
		{"example-csrf", "POST", "/logout", ""}, {"example-auth", "POST", "/refresh", ""},
		{logins(c)[0], "POST", "/login/end", "pageUrl=" + url.QueryEscape(page)},
	} {
		value := c.cookie(tc.name).Value
		step := max(1, len(value)/150) // all of the short ones; of a long one its ends, and samples
		for i := 0; i < len(value); i++ {
			if i > 40 && i < len(value)-40 && i%step != 0 {
				continue
			}
			for bit := range 6 {
				at := strings.IndexByte(base64url, value[i])
				if at < 0 {
					continue // '='
				}
				flipped := value[:i] + string(base64url[at^1<<bit]) + value[i+1:]
				c.put(tc.name, flipped)
				if code := c.opens(tc.method, tc.path, tc.body); code < 400 {
					t.Fatalf("%s: bit %d of character %d: %d", tc.name, bit, i, code)
				}
			}
		}
		c.put(tc.name, value)
	}
	c.works()
	c.end(page).want(200, "")
	c.works()
}

// bad gives values that must not open, made of a good one.
func bad(value, another string) map[string]string {
	return map[string]string{
		"empty": "", "cut at the end": value[:len(value)-1], "cut to half": value[:len(value)/2],
		"cut in front": value[1:], "one character": value[:1],
		"longer": value + "A", "twice": value + value, "padded": value + "=", "with a space": value + "%20",
		"another kind": another, "piece mark": "2." + value, "five pieces": "5." + value, "zero pieces": "0." + value,
		"dots": "....", "plain": "token", "other alphabet": strings.ToUpper(value),
		"16 KB": strings.Repeat("A", 16<<10), "line break": value[:10] + "%0A" + value[10:],
	}
}

func TestTamperedCookies(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.login()
	good := map[string]string{}
	for _, name := range c.cookieNames() {
		good[name] = c.cookie(name).Value
	}
	for name, value := range good {
		others := map[string]string{}
		for other, v := range good {
			if other != name {
				others["swapped with "+other] = v
			}
		}
		for what, v := range bad(value, good["example-at"]) {
			if v != value {
				others[what] = v
			}
		}
		for what, v := range others {
			d := c.clone()
			d.put(name, v)
			refused(t, d, name, what)
		}
	}
	c.works()
}

// refused checks that a browser whose cookie of that name is bad gets nothing
// that the cookie is for, and is not stuck.
func refused(t *testing.T, c *client, name, what string) {
	t.Helper()
	before := c.w.idp.Counts()["refresh_token"]
	switch name {
	case "example-at":
		if code := c.opens("GET", "/userInfo", ""); code != 401 {
			t.Errorf("%s, %s: userInfo %d", name, what, code)
		}
		cleared(t, c, name, what) // the session can be refreshed
	case "example-id":
		if code := c.opens("GET", "/claims", ""); code != 404 && code != 401 {
			t.Errorf("%s, %s: claims %d", name, what, code)
		}
		cleared(t, c, name, what)
	case "example-auth":
		if code := c.opens("POST", "/refresh", ""); code != 401 {
			t.Errorf("%s, %s: refresh %d", name, what, code)
		}
		cleared(t, c, name, what)
	case "example-csrf":
		if code := c.opens("POST", "/refresh", ""); code != 401 {
			t.Errorf("%s, %s: refresh %d", name, what, code)
		}
	}
	if after := c.w.idp.Counts()["refresh_token"]; after != before {
		t.Errorf("%s, %s: a refresh token was sent", name, what)
	}
}

// cleared checks that a page load takes a bad cookie away, and nothing else: the
// access token is good until it expires.
func cleared(t *testing.T, c *client, name, what string) {
	t.Helper()
	left := len(c.jar) - 1
	if a := c.end(c.origin+"/").want(200, ""); a.json("isLoggedIn") != true || slices.Contains(c.cookieNames(), name) || len(c.jar) != left {
		t.Errorf("%s, %s: %s, left %v", name, what, a.Body, c.cookieNames())
	}
}

// A session that cannot be refreshed any more is over when its access token is.
func TestBrokenRefreshTokenLeavesNobodyStuck(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.login()
	c.put("example-auth", c.cookie("example-at").Value)
	w.clock.advance(time.Hour)
	if a := c.end(c.origin+"/").want(200, ""); a.json("isLoggedIn") != false || len(c.jar) != 0 {
		t.Errorf("%s, left %v", a.Body, c.cookieNames())
	}
	c.csrf = c.end(w.authorize(c.start())).want(200, "").json("csrf").(string)
	c.works()
}

// Any number of cookies that a neighbour plants, before or behind the real one,
// hide nothing: not from a refresh, and not from the revocation at logout.
func TestPlantedCookiesHideNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	planted := strings.Repeat("example-auth=x; example-id=x; example-csrf=x; example-at=x; ", 100)
	for _, plant := range []edit{
		func(r *http.Request) { r.Header.Set("Cookie", planted+r.Header.Get("Cookie")) },
		func(r *http.Request) { r.Header.Set("Cookie", r.Header.Get("Cookie")+"; "+planted) },
	} {
		c := w.login()
		c.get("/claims", plant).want(200, "")
		c.post("/refresh", "", plant).want(204, "")
		c.post("/logout", "", plant).want(200, "")
		if r, ok := w.idp.Last(idp.Revocation); !ok || r.Form.Get("token_type_hint") != "refresh_token" || !strings.HasPrefix(r.Form.Get("token"), "rt_") {
			t.Errorf("the refresh token was not revoked: %v", r.Form)
		}
	}
}

// Cookies of a neighbour hide the one that opens at a page load alone, whose path
// is longer. It is not theirs to end the session.
func TestPlantedCookiesEndNoSession(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, later := range []time.Duration{0, time.Hour} {
		c := w.login()
		w.clock.advance(later)
		a := c.post("/login/end", `{"pageUrl":"`+c.origin+`/"}`, func(r *http.Request) {
			r.Header.Set("Cookie", "example-auth=a; example-auth=b; example-auth=c; example-id=a; example-id=b; example-id=c; "+r.Header.Get("Cookie"))
		})
		if a.want(200, "").json("isLoggedIn") != true || len(c.jar) != 4 {
			t.Errorf("after %v: %s, left %v", later, a.Body, c.cookieNames())
		}
		c.post("/refresh", "").want(204, "")
		c.works()
	}
}

// A name may come twice, when a neighbour has planted one with another path:
// the one that opens counts, wherever it stands.
func TestDoubledCookies(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.login()
	for _, planted := range []string{"x", "", c.cookie("example-id").Value, "2.AAAA"} {
		twin := func(first bool) edit {
			return func(r *http.Request) {
				line := r.Header.Get("Cookie")
				if first {
					r.Header.Set("Cookie", "example-at="+planted+"; "+line)
				} else {
					r.Header.Set("Cookie", line+"; example-at="+planted)
				}
			}
		}
		c.get("/userInfo", twin(true)).want(200, "")
		c.get("/userInfo", twin(false)).want(200, "")
	}
}

func TestCookiesOfAnotherKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.login()
	d := c.at(w.replica("COOKIE_ENCRYPTION_KEY=" + keyB))
	d.get("/userInfo").want(401, "unauthorized_request")
	d.post("/refresh", "").want(401, "unauthorized_request")
	d.post("/logout", "").want(401, "unauthorized_request")
	a := d.end(origin+"/").want(200, "")
	if a.json("isLoggedIn") != false || len(d.jar) != 0 {
		t.Errorf("%s, stuck with %v", a.Body, d.cookieNames())
	}
	c.works()
}

// Names are part of what is sealed: another application with the same key and
// another prefix is another application.
func TestCookiesOfAnotherPrefix(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	d := w.login().at(w.replica("COOKIE_NAME_PREFIX=other"))
	for _, kind := range []string{"at", "auth", "id", "csrf"} {
		renamed := *d.cookie("example-" + kind)
		renamed.Name = "other-" + kind
		d.jar[cookieID{renamed.Name, renamed.Domain, renamed.Path}] = &renamed
	}
	d.prefix = "other"
	d.get("/userInfo").want(401, "unauthorized_request")
	d.post("/refresh", "").want(401, "unauthorized_request")
}

// The first key seals and all open: keys change, and nobody is logged out.
func TestKeysChangeWithoutLogout(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.login()
	login := w.client()
	page := w.authorize(login.start())

	both := w.replica("COOKIE_ENCRYPTION_KEY=" + keyB + "," + keyA)
	c = c.at(both)
	c.works() // with a refresh, which seals by the new key
	login = login.at(both)
	login.end(page).want(200, "")

	c = c.at(w.replica("COOKIE_ENCRYPTION_KEY=" + keyB))
	c.works()
	c.at(w.agent).get("/userInfo").want(401, "unauthorized_request")
	if got := c.cookieNames(); !slices.Equal(got, []string{"example-at", "example-auth", "example-csrf", "example-id"}) {
		t.Errorf("cookies: %v", got)
	}
}
