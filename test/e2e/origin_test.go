package e2e

import (
	"net/http"
	"strings"
	"testing"
)

// endpoints are all that the SPA calls.
var endpoints = []struct{ method, path string }{
	{"POST", "/login/start"}, {"POST", "/login/end"}, {"POST", "/refresh"}, {"POST", "/logout"},
	{"GET", "/userInfo"}, {"GET", "/claims"}, {"GET", "/session"}, {"HEAD", "/userInfo"}, {"HEAD", "/claims"},
}

// badOrigins are what is not http://localhost:3000, however alike.
var badOrigins = [][]string{
	{"https://evil.example"}, {"null"}, {""}, {" "}, {"http://localhost"}, {"https://localhost:3000"}, {"http://localhost:30000"},
	{"http://localhost:300"}, {"http://localhost:3000/"}, {"http://localhost:3000.evil.example"}, {"http://evil.localhost:3000"},
	{"http://LOCALHOST:3000"}, {"HTTP://localhost:3000"}, {"http://localhost:3000@evil.example"}, {"http://localhost:3000#"},
	{"localhost:3000"}, {"http://127.0.0.1:3000"}, {"http://localhost:3000,http://localhost:3000"},
	{"http://localhost:3000 https://evil.example"}, {origin, origin}, {origin, "https://evil.example"}, {"*"},
}

// sfs is the Sec-Fetch-Site of a request without Origin.
func sfs(values ...string) edit {
	return func(r *http.Request) {
		r.Header.Del("Origin")
		r.Header["Sec-Fetch-Site"] = values
	}
}

// TestOrigins tells nothing of what is answered behind the guard but that it is
// not the guard's answer.
func TestOrigins(t *testing.T) {
	t.Parallel()
	for _, cors := range []string{"true", "false"} {
		t.Run("CORS "+cors, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, with("CORS_ENABLED", cors))
			for _, e := range endpoints {
				get := e.method != "POST"
				check := func(what string, in bool, edits ...edit) {
					t.Helper()
					body := ""
					if e.path == "/login/end" {
						body = `{"pageUrl":"` + origin + `/"}`
					}
					c := w.client()
					a := c.do(e.method, e.path, body, edits...)
					let := a.Status != 401 || e.method != "HEAD" && a.json("message") != nil && !guarded(a)
					if e.method == "HEAD" {
						return // its body is not there to be read; GET has the same handler
					}
					if let != in {
						t.Errorf("%s %s, %s: %d %s", e.method, e.path, what, a.Status, a.Body)
					}
				}
				check("trusted", true)
				for i, bad := range badOrigins {
					check(strings.Join(bad, " and "), false, func(r *http.Request) { r.Header["Origin"] = bad })
					if i > 3 {
						continue
					}
					// Nothing makes up for an Origin that is not trusted.
					check("same-origin and "+bad[0], false, sfs("same-origin"), func(r *http.Request) { r.Header["Origin"] = bad })
				}
				check("no Origin", get && cors == "false", header("Origin", ""))
				check("same-origin, no Origin", get, sfs("same-origin"))
				for _, site := range []string{"same-site", "cross-site", "none", "", "Same-Origin", "same-origin, cross-site"} {
					check(site+", no Origin", false, sfs(site))
				}
				check("two sites, no Origin", false, sfs("same-origin", "cross-site"))
			}
		})
	}
}

// guarded tells the guard's refusals from those behind it.
func guarded(a *answer) bool {
	message := a.json("message").(string)
	return a.json("code") == "unauthorized_request" && (strings.Contains(message, "Origin") || strings.Contains(message, "origin"))
}

func TestSecondTrustedOrigin(t *testing.T) {
	t.Parallel()
	w := newWorld(t, with("TRUSTED_WEB_ORIGIN", origin+",http://127.0.0.1:3001"))
	c := w.client()
	c.origin = "http://127.0.0.1:3001"
	c.start()
	c.origin = "http://127.0.0.1:3002"
	c.post("/login/start", "").want(401, "unauthorized_request")
}

func TestPreflight(t *testing.T) {
	t.Parallel()
	for _, cors := range []string{"true", "false"} {
		w := newWorld(t, with("CORS_ENABLED", cors))
		c := w.client()
		for _, e := range append(endpoints, struct{ method, path string }{"GET", "/logout/continue"}) {
			for _, from := range []string{origin, "https://evil.example", "null", ""} {
				a := c.do("OPTIONS", e.path, "", header("Origin", from), header("Access-Control-Request-Method", e.method),
					header("Access-Control-Request-Headers", "content-type,x-example-csrf"))
				if a.Status != 204 || a.Body != "" || len(a.setCookies()) != 0 {
					t.Errorf("preflight of %s from %q: %d %q", e.path, from, a.Status, a.Body)
				}
				headers := a.Header.Get("Access-Control-Allow-Headers")
				if from == origin && cors == "true" {
					if !strings.Contains(headers, "x-example-csrf") || !strings.Contains(headers, "content-type") ||
						!strings.Contains(a.Header.Get("Access-Control-Allow-Methods"), e.method) {
						t.Errorf("preflight of %s: %v", e.path, a.Header)
					}
				}
				if a := c.do("OPTIONS", e.path, "", header("Origin", from)); a.Status != 204 || len(a.setCookies()) != 0 {
					t.Errorf("OPTIONS %s from %q: %d", e.path, from, a.Status)
				}
			}
		}
	}
}

// /logout/continue has neither rule: it answers navigations, which have no
// Origin, and nothing that a script sends.
func TestLogoutContinueIsForNavigations(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.login()
	c.post("/logout", "").want(200, "")
	for _, mode := range []string{"cors", "no-cors", "same-origin", "websocket", "", "Navigate", "navigate, cors"} {
		a := c.get("/logout/continue", func(r *http.Request) { r.Header["Sec-Fetch-Mode"] = []string{mode} }).want(401, "unauthorized_request")
		if a.Header.Get("Location") != "" || len(a.setCookies()) != 0 {
			t.Errorf("mode %q: %v", mode, a.Header)
		}
	}
	c.get("/logout/continue", func(r *http.Request) { r.Header["Sec-Fetch-Mode"] = []string{"navigate", "cors"} }).want(401, "unauthorized_request")
	// A navigation from wherever, with an Origin of wherever, and the header of a page of another site.
	c.get("/logout/continue", header("Origin", "null"), header("Sec-Fetch-Site", "cross-site"), header("Sec-Fetch-Mode", "navigate")).want(302, "")

	c = w.login()
	c.post("/logout", "").want(200, "")
	c.get("/logout/continue", header("Origin", "")).want(302, "") // an old browser
}
