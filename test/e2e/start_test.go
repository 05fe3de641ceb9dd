package e2e

import (
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"oauth-agent/test/idp"
)

// newBrowser is one that keeps its session at the authorization server.
func newBrowser(t *testing.T) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &http.Client{Jar: jar}
}

// The program serves what it can while the server is down, and all when it is up.
func TestServerDownAtStart(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	good := w.login()
	for name, f := range map[string]idp.Fault{
		"down": idp.Down(), "503": idp.HTML(503), "404": idp.Empty(404), "garbage": idp.Garbage(), "empty": idp.Empty(200),
		"redirect": {Redirect: "https://evil.example/"}, "50 MB": idp.Huge(),
	} {
		w.idp.SetFault(idp.All, f)
		c := good.at(w.replica())
		c.post("/login/start", "").want(502, "authorization_server_error")
		c.get("/userInfo").want(502, "authorization_server_error")
		if a := c.post("/refresh", "").want(502, "authorization_server_error"); len(a.setCookies()) != 0 {
			t.Errorf("%s: %v", name, a.setCookies())
		}
		c.get("/claims").want(200, "") // needs nobody
		if !c.loggedIn() {
			t.Errorf("%s: logged out", name)
		}
		w.idp.ClearFaults()
		w.clock.advance(2 * time.Second) // it is looked for again soon
		c.works()
		good = c
	}
}

func TestDiscoveryOfAnotherIssuer(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(w *world, m map[string]any){
		"another":  func(_ *world, m map[string]any) { m["issuer"] = "https://evil.example" },
		"a slash":  func(w *world, m map[string]any) { m["issuer"] = w.idp.Issuer + "/" },
		"none":     func(_ *world, m map[string]any) { delete(m, "issuer") },
		"a list":   func(w *world, m map[string]any) { m["issuer"] = []string{w.idp.Issuer} },
		"no token": func(_ *world, m map[string]any) { delete(m, "token_endpoint") },
		"no keys":  func(_ *world, m map[string]any) { delete(m, "jwks_uri") },
		"symmetric algorithms": func(_ *world, m map[string]any) {
			m["id_token_signing_alg_values_supported"] = []string{"HS256", "none"}
		},
		"not a URL": func(_ *world, m map[string]any) { m["authorization_endpoint"] = "javascript:alert(1)" },
	} {
		w := newWorld(t, func(s *setup) { s.idp.IDTokenLifetime = time.Minute })
		w.idp.MutateDiscovery(func(m map[string]any) { change(w, m) })
		c := w.client().at(w.replica())
		if a := c.post("/login/start", ""); a.Status != 502 || a.json("code") != "authorization_server_error" {
			t.Errorf("%s: %d %s", name, a.Status, a.Body)
		}
	}
}

// An issuer with a path, as Django OAuth Toolkit has it.
func TestIssuerWithAPath(t *testing.T) {
	t.Parallel()
	w := newWorld(t, server(func(c *idp.Config) { c.Path, c.HideAuthMethods, c.HidePKCE = "/o", true, true }))
	w.login().works()
}

func TestClientAuthentication(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		methods []string
		set     string
		basic   bool
	}{
		"both announced":        {nil, "auto", true},
		"post announced":        {[]string{"client_secret_post"}, "auto", false},
		"basic announced":       {[]string{"client_secret_basic"}, "auto", true},
		"post by the settings":  {nil, "post", false},
		"basic by the settings": {nil, "basic", true},
	} {
		w := newWorld(t, server(func(c *idp.Config) { c.AuthMethods = tc.methods }), with("CLIENT_AUTH_METHOD", tc.set))
		w.login()
		r, _ := w.idp.Last(idp.Token)
		if got := r.Header.Get("Authorization") != ""; got != tc.basic || r.Form.Has("client_secret") == tc.basic {
			t.Errorf("%s: %v %v", name, r.Header, r.Form)
		}
	}
}

// An authorization server that is none of OpenID Connect.
func TestPlainOAuth(t *testing.T) {
	t.Parallel()
	for name, settings := range map[string][]func(*setup){
		"by the scope":  {with("SCOPE", "profile")},
		"by the server": {with("SCOPE", "profile"), server(func(c *idp.Config) { c.NoOpenID, c.NoEndSession = true, true })},
	} {
		w := newWorld(t, settings...)
		c := w.login()
		if a := c.end(origin+"/").want(200, ""); a.json("isLoggedIn") != true {
			t.Errorf("%s: %s", name, a.Body)
		}
		c.get("/claims").want(404, "no_id_token")
		for range 2 {
			c.post("/refresh", "").want(204, "")
		}
		c.get("/claims").want(404, "no_id_token")
		if name == "by the server" {
			c.get("/userInfo").want(200, "")
		}
		c.leave()
		if len(c.jar) != 0 {
			t.Errorf("%s: left %v", name, c.cookieNames())
		}
	}
}

// An ID token that nobody asked for is not taken, nor shown.
func TestIDTokenNotAskedFor(t *testing.T) {
	t.Parallel()
	w := newWorld(t, with("SCOPE", "profile"))
	w.idp.SetTokenResponseFault(func(m map[string]any) { m["id_token"] = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJldmUifQ." })
	c := w.login()
	c.get("/claims").want(404, "no_id_token")
	c.post("/refresh", "").want(204, "")
	c.get("/claims").want(404, "no_id_token")
}

func explicit(w *world, base string) []string {
	return []string{
		"AUTHORIZE_ENDPOINT=" + base + "/authorize", "TOKEN_ENDPOINT=" + base + "/token", "USERINFO_ENDPOINT=" + base + "/userinfo",
		"LOGOUT_ENDPOINT=" + base + "/end_session", "JWKS_ENDPOINT=" + base + "/jwks", "REVOCATION_ENDPOINT=" + base + "/revoke",
	}
}

// With all endpoints set, discovery may fail, and without an issuer there is none.
func TestExplicitEndpoints(t *testing.T) {
	t.Parallel()
	for _, issuer := range []string{"", "as it is"} {
		w := newWorld(t)
		w.login() // so that the first replica has no more to discover
		w.idp.SetFault(idp.Discovery, idp.Down())
		env := explicit(w, w.idp.Issuer)
		if issuer == "" {
			env = append(env, "ISSUER=")
		}
		before := w.idp.Calls(idp.Discovery)
		c := w.client().at(w.replica(env...))
		a := c.end(w.authorize(c.start())).want(200, "")
		c.csrf = a.json("csrf").(string)
		c.works()
		c.leave()
		c.navigate().want(302, "")
		if n := w.idp.Calls(idp.Discovery); (n != before) != (issuer != "") {
			t.Errorf("issuer %q: %d discovery requests", issuer, n-before)
		}
	}
}

// What the settings say must not hide what only the server says: here, that it
// takes the client's secret in the form alone.
func TestExplicitEndpointsWithDiscovery(t *testing.T) {
	t.Parallel()
	w := newWorld(t, server(func(c *idp.Config) { c.AuthMethods = []string{"client_secret_post"} }))
	c := w.client().at(w.replica(explicit(w, w.idp.Issuer)...))
	a := c.end(w.authorize(c.start())).want(200, "")
	c.csrf = a.json("csrf").(string)
	c.works()
}

// Endpoints of the settings count more than discovered ones.
func TestEndpointsOverrideDiscovery(t *testing.T) {
	t.Parallel()
	var calls atomic.Int32
	w := newWorld(t)
	own := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		calls.Add(1)
		_, _ = rw.Write([]byte(`{"sub":"sub-demo","from":"elsewhere"}`))
	}))
	t.Cleanup(own.Close)
	c := w.login().at(w.replica("USERINFO_ENDPOINT=" + own.URL))
	if a := c.get("/userInfo").want(200, ""); a.json("from") != "elsewhere" || calls.Load() != 1 {
		t.Errorf("%s", a.Body)
	}
}

func TestNoUserinfoEndpoint(t *testing.T) {
	t.Parallel()
	w := newWorld(t, server(func(c *idp.Config) { c.NoUserinfo = true }))
	c := w.login()
	c.get("/userInfo").want(404, "not_found")
	c.get("/claims").want(200, "")
}

func TestBasePaths(t *testing.T) {
	t.Parallel()
	for _, base := range []string{"/", "/api", "/api/", "/a/b/c"} {
		w := newWorld(t, with("BASE_PATH", base))
		c := w.login()
		c.works()
		if u := c.leave(); !strings.HasPrefix(u, c.url+"/") {
			t.Errorf("%s: %s", base, u)
		}
		c.navigate().want(302, "")
		c.url = w.agent.URL + "/oauth-agent"
		c.get("/claims").want(404, "not_found")
	}
}
