package e2e

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
)

const secureOrigin = "https://www.example.com"

// look is what the browser is told of one cookie.
type look struct {
	name, path, domain string
	secure             bool
}

func TestCookieNamesAndAttributes(t *testing.T) {
	t.Parallel()
	kinds := func(root, base, rootPath, basePath, domain string, secure bool) []look {
		looks := []look{
			{root + "at", rootPath, domain, secure}, {root + "csrf", rootPath, domain, secure},
			{base + "auth", basePath, domain, secure}, {base + "id", basePath, domain, secure},
			{base + "login", basePath, domain, secure}, {base + "logout", basePath, domain, secure},
		}
		if strings.HasPrefix(root, "__Host-Http-") { // it can bind a login to the browser
			looks = append(looks, look{root + "browser", "/", "", true})
		}
		return looks
	}
	https := with("TRUSTED_WEB_ORIGIN", secureOrigin)
	for name, tc := range map[string]struct {
		settings []func(*setup)
		want     []look
	}{
		"http":  {nil, kinds("example-", "example-", "/", "/oauth-agent", "", false)},
		"https": {[]func(*setup){https}, kinds("__Host-Http-example-", "__Secure-example-", "/", "/oauth-agent", "", true)},
		"https, base path /": {[]func(*setup){https, with("BASE_PATH", "/")},
			kinds("__Host-Http-example-", "__Host-Http-example-", "/", "/", "", true)},
		"https, base path /api": {[]func(*setup){https, with("BASE_PATH", "/api")},
			kinds("__Host-Http-example-", "__Secure-example-", "/", "/api", "", true)},
		"https, domain": {[]func(*setup){https, with("COOKIE_DOMAIN", "example.com")},
			kinds("__Secure-example-", "__Secure-example-", "/", "/oauth-agent", "example.com", true)},
		"https, no prefixes": {[]func(*setup){https, with("COOKIE_PREFIXES", "false")},
			kinds("example-", "example-", "/", "/oauth-agent", "", true)},
		"https, cookie path /": {[]func(*setup){https, with("COOKIE_BASE_PATH", "/")},
			kinds("__Host-Http-example-", "__Host-Http-example-", "/", "/", "", true)},
		"http, domain": {[]func(*setup){with("TRUSTED_WEB_ORIGIN", "http://www.example.com"), with("INSECURE_HTTP", "true"), with("COOKIE_DOMAIN", "example.com"), with("BASE_PATH", "/api/")},
			kinds("example-", "example-", "/", "/api", "example.com", false)},
		"one origin of two is https": {[]func(*setup){with("TRUSTED_WEB_ORIGIN", origin+","+secureOrigin)},
			kinds("__Host-Http-example-", "__Secure-example-", "/", "/oauth-agent", "", true)},
		"default prefix": {[]func(*setup){func(s *setup) { delete(s.env, "COOKIE_NAME_PREFIX") }},
			kinds("agent-", "agent-", "/", "/oauth-agent", "", false)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			testLooks(t, newWorld(t, tc.settings...), tc.want)
		})
	}
}

func testLooks(t *testing.T, w *world, want []look) {
	c := w.client()
	if w.env["COOKIE_NAME_PREFIX"] == "" {
		c.prefix = "agent"
	}
	got := map[look]bool{}
	note := func(a *answer) {
		for _, cookie := range a.setCookies() {
			name := cookie.Name
			for _, kind := range []string{"-login", "-browser"} {
				if i := strings.Index(name, kind+"-"); i >= 0 {
					name = name[:i] + kind
				}
			}
			got[look{name, cookie.Path, cookie.Domain, cookie.Secure}] = true
			if session := !strings.Contains(name, "-log") && !strings.Contains(name, "-browser"); session && cookie.MaxAge > 0 {
				t.Errorf("not a session cookie: %s", cookie.Raw)
			}
		}
	}
	start := c.post("/login/start", "").want(200, "")
	note(start)
	end := c.end(w.authorize(start.json("authorizationRequestUrl").(string))).want(200, "")
	note(end)
	c.csrf = end.json("csrf").(string)
	note(c.post("/refresh", "").want(204, ""))
	c.get("/userInfo").want(200, "")
	before := len(c.jar)
	logout := c.post("/logout", "").want(200, "")
	note(logout)
	if cleared := len(logout.cleared()); cleared != before || len(c.jar) != 1 {
		t.Errorf("logout cleared %d of %d cookies; left: %v", cleared, before, c.cookieNames())
	}
	note(c.get("/logout/continue").want(302, ""))
	if len(c.jar) != 0 {
		t.Errorf("left at the end: %v", c.cookieNames())
	}
	sorted := func(looks []look) []string {
		var s []string
		for _, l := range looks {
			s = append(s, fmt.Sprint(l))
		}
		slices.Sort(s)
		return s
	}
	if g, w := sorted(slices.Collect(maps.Keys(got))), sorted(want); !slices.Equal(g, w) {
		t.Errorf("cookies:\n%s\nwant:\n%s", strings.Join(g, "\n"), strings.Join(w, "\n"))
	}
}

// The refresh token never travels with an API call, nor to a neighbour whose
// path only begins like the agent's.
func TestPathOfTheRefreshToken(t *testing.T) {
	t.Parallel()
	c := newWorld(t).login()
	for _, path := range []string{"/", "/api/orders", "/oauth-agentx", "/oauth-agen"} {
		req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, c.w.agent.URL+path, nil)
		c.addCookies(req)
		var names []string
		for _, cookie := range req.Cookies() {
			names = append(names, cookie.Name)
		}
		if slices.Sort(names); !slices.Equal(names, []string{"example-at", "example-csrf"}) {
			t.Errorf("%s gets %v", path, names)
		}
	}
}

// Curity's agents clear with a path that the cookies were not set with, so that
// the refresh token survives the logout.
func TestDeadSessionLeavesNoCookie(t *testing.T) {
	t.Parallel()
	for name, settings := range map[string][]func(*setup){
		"http": nil, "https, domain": {with("TRUSTED_WEB_ORIGIN", secureOrigin), with("COOKIE_DOMAIN", "example.com")},
		"many pieces": {padding(4000)}, "base path /": {with("BASE_PATH", "/")},
	} {
		w := newWorld(t, settings...)
		c := w.login()
		had := c.cookieNames()
		w.idp.RevokeAll()
		a := c.post("/refresh", "").want(401, "session_expired")
		if !slices.Equal(a.cleared(), had) || len(c.jar) != 0 {
			t.Errorf("%s: had %v, cleared %v, left %v", name, had, a.cleared(), c.cookieNames())
		}
		c.get("/userInfo").want(401, "unauthorized_request")
	}
}
