package e2e

import (
	"net/http"
	"slices"
	"strings"
)

// check is what holds for every answer of the agent, whatever the test is about.
func (c *client) check(req *http.Request, a *answer) {
	c.t.Helper()
	if a.Status == http.StatusInternalServerError {
		c.t.Errorf("a 500: %s", a.Body)
	}
	caching := "no-store"
	if !strings.HasPrefix(req.URL.Path, c.base+"/") && len(a.setCookies()) > 0 {
		caching = "private, no-store" // an API's answer that carries cookies of ours
	}
	if got := a.Header.Get("Cache-Control"); got != caching {
		c.t.Errorf("%s %s: %d: Cache-Control %q", req.Method, req.URL.Path, a.Status, got)
	}
	c.checkCORS(req, a)
	c.checkCookies(a)
	c.checkCanaries(req, a)
}

// checkCORS: headers for one trusted origin, on errors too; none for any other.
func (c *client) checkCORS(req *http.Request, a *answer) {
	c.t.Helper()
	origins := req.Header["Origin"]
	trusted := len(origins) == 1 && slices.Contains(strings.Split(c.w.env["TRUSTED_WEB_ORIGIN"], ","), origins[0])
	h := a.Header
	if req.Method == http.MethodTrace || req.Method == "BREW" {
		return // no script can send these: Fetch forbids one, the preflight the other
	}
	if trusted && c.w.env["CORS_ENABLED"] != "false" {
		if h.Get("Access-Control-Allow-Origin") != origins[0] || h.Get("Access-Control-Allow-Credentials") != "true" {
			c.t.Errorf("%s %s: %d: CORS headers for a trusted origin: %v", req.Method, req.URL.Path, a.Status, h)
		}
		if !strings.Contains(strings.Join(h.Values("Vary"), ","), "Origin") {
			c.t.Errorf("%s %s: Vary %q", req.Method, req.URL.Path, h.Values("Vary"))
		}
		return
	}
	for name := range h {
		if strings.HasPrefix(name, "Access-Control-") {
			c.t.Errorf("%s %s from %q: %s: %s", req.Method, req.URL.Path, origins, name, h.Get(name))
		}
	}
}

// checkCookies: the attributes that every cookie has, and those that its name
// vouches for (RFC 6265bis 4.1.3), without which a browser drops it.
func (c *client) checkCookies(a *answer) {
	c.t.Helper()
	seen := map[string]bool{}
	for _, cookie := range a.setCookies() {
		if !cookie.HttpOnly || cookie.SameSite != http.SameSiteStrictMode || seen[cookie.Name] || len(cookie.Raw) > 4096 {
			c.t.Errorf("a cookie that should not be: %.100s… (%d bytes)", cookie.Raw, len(cookie.Raw))
		}
		if strings.HasPrefix(cookie.Name, "__") && !cookie.Secure {
			c.t.Errorf("a browser drops this: %s", cookie.Raw)
		}
		if strings.HasPrefix(cookie.Name, "__Host-") && (cookie.Path != "/" || cookie.Domain != "") {
			c.t.Errorf("a browser drops this: %s", cookie.Raw)
		}
		seen[cookie.Name] = true
	}
}

// checkCanaries greps the answer. /logout/continue alone may send the ID token,
// in its Location, which no script can read.
func (c *client) checkCanaries(req *http.Request, a *answer) {
	c.t.Helper()
	visible := a.Body
	for name, values := range a.Header {
		if name != "Location" || !strings.HasSuffix(req.URL.Path, "/logout/continue") {
			visible += "\n" + strings.Join(values, "\n")
		}
	}
	for _, leaked := range c.w.leaked(visible) {
		c.t.Errorf("%s %s: the answer has a secret, %q:\n%s", req.Method, req.URL.Path, leaked, visible)
	}
}
