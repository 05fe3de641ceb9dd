package e2e

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
)

func TestLoginUserInfoClaimsRefreshLogout(t *testing.T) {
	w := newWorld(t)
	c := w.login()
	if got := c.cookieNames(); !slices.Equal(got, []string{"example-at", "example-auth", "example-csrf", "example-id"}) {
		t.Fatalf("cookies after login: %v", got)
	}
	if name := c.get("/userInfo").want(200, "").json("name"); name != "Zoë Ångström 李" {
		t.Errorf("userInfo: name %q", name)
	}
	// Curity's Node agent decodes claims as latin1.
	if name := c.get("/claims").want(200, "").json("name"); name != "Zoë Ångström 李" {
		t.Errorf("claims: name %q", name)
	}
	before := c.cookie("example-auth").Value
	if a := c.post("/refresh", "").want(204, ""); a.Body != "" {
		t.Errorf("refresh: body %q", a.Body)
	}
	if c.cookie("example-auth").Value == before {
		t.Error("refresh did not rewrite the cookies")
	}
	c.get("/userInfo").want(200, "")

	logout := c.post("/logout", "").want(200, "").json("url").(string)
	if got := c.cookieNames(); !slices.Equal(got, []string{"example-logout"}) {
		t.Errorf("cookies after logout: %v", got)
	}
	if want := w.agent.URL + "/oauth-agent/logout/continue"; logout != want {
		t.Fatalf("logout URL %s, want %s", logout, want)
	}
	a := c.get("/logout/continue", header("Origin", ""), header("Sec-Fetch-Mode", "navigate")).want(302, "")
	location, err := url.Parse(a.Header.Get("Location"))
	if err != nil || !strings.HasPrefix(location.String(), w.idp.Issuer) {
		t.Fatalf("Location %s", location)
	}
	q := location.Query()
	if q.Get("client_id") != clientID || q.Get("post_logout_redirect_uri") != afterLogout || strings.Count(q.Get("id_token_hint"), ".") != 2 {
		t.Errorf("end-session request %v", q)
	}
	c.get("/userInfo").want(401, "unauthorized_request")
	if a := c.end(origin + "/"); a.json("isLoggedIn") != false {
		t.Errorf("still logged in: %s", a.Body)
	}
}

func TestPageLoad(t *testing.T) {
	w := newWorld(t)
	c := w.client()
	a := c.end(origin+"/anything?x=100%&code=only#frag").want(200, "")
	if a.json("handled") != false || a.json("isLoggedIn") != false || a.json("csrf") != nil {
		t.Errorf("logged out: %s", a.Body)
	}
	c = w.login()
	a = c.end(origin+"/deep/link").want(200, "")
	if a.json("handled") != false || a.json("isLoggedIn") != true || a.json("csrf") != c.csrf {
		t.Errorf("logged in: %s", a.Body)
	}
	a = c.post("/login/end", "pageUrl="+url.QueryEscape(origin+"/"), header("Content-Type", "application/x-www-form-urlencoded")).want(200, "")
	if a.json("isLoggedIn") != true {
		t.Errorf("as a form: %s", a.Body)
	}
}

func TestMethodsAndPaths(t *testing.T) {
	c := newWorld(t).client()
	for path, allow := range map[string]string{
		"/login/start": "OPTIONS, POST", "/login/end": "OPTIONS, POST", "/refresh": "OPTIONS, POST", "/logout": "OPTIONS, POST",
		"/userInfo": "GET, HEAD, OPTIONS", "/claims": "GET, HEAD, OPTIONS", "/logout/continue": "GET, OPTIONS",
	} {
		for _, method := range []string{"PUT", "DELETE", "PATCH", "TRACE", "BREW"} {
			if a := c.do(method, path, "").want(405, "method_not_allowed"); a.Header.Get("Allow") != allow {
				t.Errorf("%s %s: Allow %q, want %q", method, path, a.Header.Get("Allow"), allow)
			}
		}
		if a := c.do(http.MethodOptions, path, ""); a.Status != 204 {
			t.Errorf("OPTIONS %s: %d", path, a.Status)
		}
	}
	for _, path := range []string{"", "/", "/login", "/login/start/", "/login//start", "/x/../claims", "/%63laims", "/login%2Fstart", "/authorize", "/authorize/x", "/Claims"} {
		c.get(path).want(404, "not_found")
	}
}
