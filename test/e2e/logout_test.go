package e2e

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"sort"
	"strings"
	"testing"
	"time"

	"oauth-agent/test/idp"
)

// leave is POST /logout, and gives the URL.
func (c *client) leave() string {
	c.t.Helper()
	return c.post("/logout", "").want(http.StatusOK, "").json("url").(string)
}

// navigate follows the URL of a logout as a browser does.
func (c *client) navigate() *answer {
	c.t.Helper()
	return c.get("/logout/continue", header("Origin", ""), header("Sec-Fetch-Mode", "navigate"))
}

func TestLogoutAtTheServerToo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.client()
	browser := newBrowser(t)
	page, err := idp.Login(t.Context(), browser, c.start(), username, password)
	if err != nil {
		t.Fatal(err)
	}
	c.csrf = c.end(page).want(200, "").json("csrf").(string)
	c.leave()
	a := c.navigate().want(302, "")
	if a.Body != "" || a.Header.Get("Referrer-Policy") != "no-referrer" {
		t.Errorf("body %q, %v", a.Body, a.Header)
	}
	end, err := idp.Logout(t.Context(), browser, a.Header.Get("Location"))
	if err != nil || end != afterLogout {
		t.Fatalf("the server's logout ends at %q: %v", end, err)
	}
	// The session at the server is over: a silent login fails.
	u := c.start("prompt", "none")
	back, err := idp.Login(t.Context(), browser, u, username, password)
	if err != nil {
		t.Fatal(err)
	}
	c.end(back).want(401, "login_required")
}

func TestContinueWorksOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.login()
	c.leave()
	kept := c.clone()
	c.navigate().want(302, "")
	c.navigate().want(400, "invalid_request")
	if a := kept.navigate().want(400, "invalid_request"); a.Header.Get("Location") != "" || len(kept.jar) != 0 {
		t.Errorf("with a copy of the cookie: %v", a.Header)
	}
	w.client().navigate().want(400, "invalid_request")
}

func TestContinueLivesAMinute(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for wait, status := range map[time.Duration]int{50 * time.Second: 302, 61 * time.Second: 400} {
		c := w.login()
		c.leave()
		if age := c.cookie("example-logout").MaxAge; age != 60 {
			t.Errorf("Max-Age %d", age)
		}
		w.clock.advance(wait)
		if a := c.navigate(); a.Status != status {
			t.Errorf("after %s: %d %s", wait, a.Status, a.Body)
		}
	}
}

// Nobody can make the hint: a cookie of another kind or browser is none.
func TestContinueTakesNoOtherCookie(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.login()
	id := c.cookie("example-id").Value
	c.leave()
	good := c.cookie("example-logout").Value
	for what, value := range bad(good, id) {
		d := c.clone()
		d.put("example-logout", value)
		if a := d.navigate(); a.Status != 400 || a.Header.Get("Location") != "" || len(d.jar) != 0 {
			t.Errorf("%s: %d %v", what, a.Status, a.Header)
		}
	}
	c.navigate().want(302, "")
}

func TestLogoutURLs(t *testing.T) {
	t.Parallel()
	query := url.Values{"client_id": {clientID}, "post_logout_redirect_uri": {afterLogout}}.Encode()
	unset := func(s *setup) { s.env["POST_LOGOUT_REDIRECT_URI"] = "" }
	for name, tc := range map[string]struct {
		settings []func(*setup)
		want     func(w *world) string
	}{
		"continue":   {nil, func(w *world) string { return w.agent.URL + "/oauth-agent/logout/continue" }},
		"public URL": {[]func(*setup){with("PUBLIC_URL", "http://localhost:9999")}, func(*world) string { return "http://localhost:9999/oauth-agent/logout/continue" }},
		"https": {[]func(*setup){with("TRUSTED_WEB_ORIGIN", secureOrigin)}, func(w *world) string {
			return strings.Replace(w.agent.URL, "http:", "https:", 1) + "/oauth-agent/logout/continue"
		}},
		"base path /": {[]func(*setup){with("BASE_PATH", "/")}, func(w *world) string { return w.agent.URL + "/logout/continue" }},
		"direct":      {[]func(*setup){with("LOGOUT_URL", "direct")}, func(w *world) string { return w.idp.Issuer + "/end_session?" + query }},
		"direct, no redirect URI": {[]func(*setup){with("LOGOUT_URL", "direct"), unset},
			func(w *world) string { return w.idp.Issuer + "/end_session?client_id=" + clientID }},
		"own endpoint with a query": {[]func(*setup){with("LOGOUT_URL", "direct"), with("LOGOUT_ENDPOINT", "https://login.example/logout?tenant=7")},
			func(*world) string { return "https://login.example/logout?" + query + "&tenant=7" }},
		"Amazon Cognito": {[]func(*setup){with("LOGOUT_URL", "direct"), unset, with("LOGOUT_ENDPOINT", "https://login.example/logout?logout_uri=https%3A%2F%2Fwww.example.com%2F")},
			func(*world) string {
				return "https://login.example/logout?client_id=" + clientID + "&logout_uri=https%3A%2F%2Fwww.example.com%2F"
			}},
		"no end-session endpoint": {[]func(*setup){server(func(c *idp.Config) { c.NoEndSession = true })}, func(*world) string { return afterLogout }},
		"neither endpoint nor URI": {[]func(*setup){server(func(c *idp.Config) { c.NoEndSession = true }), unset},
			func(*world) string { return origin + "/" }},
		"no OpenID Connect": {[]func(*setup){with("SCOPE", "profile")}, func(w *world) string { return w.idp.Issuer + "/end_session?" + query }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, tc.settings...)
			c := w.login()
			got := c.leave()
			if want := tc.want(w); got != want {
				t.Errorf("%s\nwant %s", got, want)
			}
			if strings.HasSuffix(got, "/continue") {
				return
			}
			if len(c.jar) != 0 {
				t.Errorf("cookies left: %v", c.cookieNames())
			}
			c.navigate().want(400, "invalid_request")
		})
	}
}

// The URL is where the page's browser reaches the agent, whatever a gateway in
// between has made of Host.
func TestLogoutURLBehindAGateway(t *testing.T) {
	t.Parallel()
	const page, inside = "https://www.example.com", "oauth-agent:8080"
	proxied := with("TRUSTED_PROXIES", "127.0.0.1")
	secure := with("TRUSTED_WEB_ORIGIN", page+","+"https://app.example.org")
	public := with("PUBLIC_URL", "https://bff.example.com")
	sameOrigin, host := header("Sec-Fetch-Site", "same-origin"), func(r *http.Request) { r.Host = inside }
	for name, tc := range map[string]struct {
		settings []func(*setup)
		edits    []edit
		want     string
		warns    bool
	}{
		"same-origin":                      {nil, []edit{host, sameOrigin}, page, false},
		"same-origin, public_url":          {[]func(*setup){public}, []edit{host, sameOrigin}, page, false},
		"same-origin, another origin":      {nil, []edit{host, sameOrigin, header("Origin", "https://app.example.org")}, "https://app.example.org", false},
		"same-origin, forwarded":           {[]func(*setup){proxied}, []edit{host, sameOrigin, header("X-Forwarded-Host", "evil.example")}, page, false},
		"same-site":                        {nil, []edit{host, header("Sec-Fetch-Site", "same-site")}, "https://" + inside, true},
		"same-site, public_url":            {[]func(*setup){public}, []edit{host, header("Sec-Fetch-Site", "same-site")}, "https://bff.example.com", false},
		"said twice":                       {nil, []edit{host, func(r *http.Request) { r.Header["Sec-Fetch-Site"] = []string{"same-origin", "same-origin"} }}, "https://" + inside, true},
		"no metadata":                      {nil, []edit{host}, "https://" + inside, true},
		"the host of the page":             {nil, []edit{func(r *http.Request) { r.Host = "bff.example.com" }}, "https://bff.example.com", false},
		"a trusted proxy":                  {[]func(*setup){proxied}, []edit{host, header("X-Forwarded-Host", "bff.example.com:8443")}, "https://bff.example.com:8443", false},
		"two proxies":                      {[]func(*setup){proxied}, []edit{host, header("X-Forwarded-Host", "evil.example, bff.example.com")}, "https://bff.example.com", false},
		"a trusted proxy, and public_url":  {[]func(*setup){proxied, public}, []edit{host, header("X-Forwarded-Host", "x.example.com")}, "https://bff.example.com", false},
		"a trusted proxy that talks rot":   {[]func(*setup){proxied}, []edit{host, header("X-Forwarded-Host", "evil.example/x?")}, "https://" + inside, true},
		"a stranger's word":                {nil, []edit{host, header("X-Forwarded-Host", "evil.example")}, "https://" + inside, true},
		"Forwarded, which nobody looks at": {[]func(*setup){proxied}, []edit{host, header("Forwarded", "host=evil.example")}, "https://" + inside, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, append([]func(*setup){secure, with("REDIRECT_URI", page+"/")}, tc.settings...)...)
			c := w.login()
			got := c.post("/logout", "", tc.edits...).want(200, "").json("url")
			if want := tc.want + "/oauth-agent/logout/continue"; got != want {
				t.Errorf("%s\nwant %s", got, want)
			}
			if warned := strings.Contains(w.log.String(), "the logout URL is under a host"); warned != tc.warns {
				t.Errorf("warned: %v", warned)
			}
		})
	}
}

// HTTP/1.0 knows no Host, and some health checkers and old gateways speak it.
func TestLogoutURLWithoutHost(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.login()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, c.url+"/logout", nil)
	if err != nil {
		t.Fatal(err)
	}
	c.addCookies(req)
	conn, err := net.Dial("tcp", req.URL.Host)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	_, _ = fmt.Fprintf(conn, "POST %s HTTP/1.0\r\nOrigin: %s\r\nX-Example-Csrf: %s\r\nCookie: %s\r\nContent-Length: 0\r\n\r\n",
		req.URL.Path, origin, c.csrf, req.Header.Get("Cookie"))
	text, err := io.ReadAll(conn)
	if want := `{"url":"` + origin + `/oauth-agent/logout/continue"}`; err != nil || !strings.Contains(string(text), want) {
		t.Errorf("%s %v", text, err)
	}
}

// Beyond 4 KB servers refuse the address, so that the hint is left out.
func TestLogoutWithALongIDToken(t *testing.T) {
	t.Parallel()
	for size, want := range map[int]string{1000: "id_token_hint", 6500: "logout_hint"} {
		w := newWorld(t)
		w.idp.SetIDTokenFault(claim("padding", strings.Repeat("x", size)))
		c := w.login()
		c.leave()
		to, err := url.Parse(c.navigate().want(302, "").Header.Get("Location"))
		if err != nil {
			t.Fatal(err)
		}
		q := to.Query()
		if q.Get(want) == "" || q.Has("logout_hint") == q.Has("id_token_hint") || len(to.String()) > 4096 ||
			q.Get("client_id") != clientID || q.Get("post_logout_redirect_uri") != afterLogout {
			t.Errorf("%d bytes: %.300s", size, to)
		}
		if hint := q.Get("logout_hint"); size > 4096 && hint != "sub-demo" {
			t.Errorf("logout_hint %q", hint)
		}
	}
}

// What a server wants to see as logout_hint may stand in the ID token, or in the
// address from the settings.
func TestLogoutHint(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		claim    any
		endpoint string
		want     string
	}{
		"the claim":           {"opaque-hint", "", "opaque-hint"},
		"a claim of no use":   {7, "", "sub-demo"},
		"the settings decide": {"opaque-hint", "https://login.example/logout?logout_hint=mine", "mine"},
	} {
		w := newWorld(t, with("LOGOUT_ENDPOINT", tc.endpoint))
		w.idp.SetIDTokenFault(idp.IDTokenFault{Mutate: func(m map[string]any) {
			m["padding"], m["login_hint"] = strings.Repeat("x", 6000), tc.claim
		}})
		c := w.login()
		c.leave()
		to, err := url.Parse(c.navigate().want(302, "").Header.Get("Location"))
		if err != nil || to.Query().Get("logout_hint") != tc.want || to.Query().Has("id_token_hint") {
			t.Errorf("%s: %.300s %v", name, to, err)
		}
	}
}

func TestLogoutRevokes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.login()
	other := c.clone()
	c.leave()
	if r, ok := w.idp.Last(idp.Revocation); !ok || r.Form.Get("token_type_hint") != "refresh_token" || !strings.HasPrefix(r.Form.Get("token"), "rt_") {
		t.Errorf("the server was told nothing, or the wrong thing: %v", r.Form)
	}
	other.get("/userInfo").want(403, "userinfo_refused") // revoked with its family, and new
	before := w.refreshes()
	other.post("/refresh", "").want(401, "session_expired")
	if len(other.jar) != 0 || w.refreshes() != before {
		t.Errorf("a late refresh: cookies %v, %d exchanges", other.cookieNames(), w.refreshes()-before)
	}
}

// A refresh under way when the user leaves does not bring the session back.
func TestRefreshUnderWayAtLogout(t *testing.T) {
	t.Parallel()
	w := newWorld(t, server(func(c *idp.Config) { c.NoRevocation = true })) // it is ours to say no
	c := w.login()
	tab := c.clone()
	arrived, left := make(chan struct{}), make(chan struct{})
	w.idp.SetFault(idp.Token, idp.Fault{Times: 1, Before: func(*http.Request) {
		close(arrived)
		<-left
	}})
	done := make(chan *answer)
	go func() { done <- tab.post("/refresh", "") }()
	<-arrived
	c.leave()
	close(left)
	(<-done).want(401, "session_expired")
	if len(tab.jar) != 0 {
		t.Errorf("cookies: %v", tab.cookieNames())
	}
}

// Neither an expired access token nor a server that fails keeps anybody in.
func TestLogoutWhateverTheServerDoes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, impatient)
	for name, spoil := range map[string]func(c *client){
		"expired access token": func(*client) { w.idp.KillAccessTokens() },
		"no access token":      func(c *client) { c.drop("example-at") },
		"all revoked":          func(*client) { w.idp.RevokeAll() },
		"server down":          func(*client) { w.idp.SetFault(idp.All, idp.Down()) },
		"server hangs":         func(*client) { w.idp.SetFault(idp.All, idp.Fault{Hang: true}) },
		"server 503":           func(*client) { w.idp.SetFault(idp.All, idp.HTML(503)) },
		"revocation 400":       func(*client) { w.idp.SetFault(idp.Revocation, idp.OAuthError(400, "unsupported_token_type")) },
		"revocation 50 MB":     func(*client) { w.idp.SetFault(idp.Revocation, idp.Huge()) },
	} {
		c := w.login()
		spoil(c)
		c.leave()
		if len(c.jar) != 1 {
			t.Errorf("%s: left %v", name, c.cookieNames())
		}
		c.navigate().want(302, "")
		w.idp.ClearFaults()
	}
	c := w.login()
	w.clock.advance(time.Hour)
	c.leave()
}

// Each lost cookie is looked at by itself: what is left is enough to leave.
func TestLogoutWithCookiesMissing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, lost := range [][]string{{"example-auth"}, {"example-id"}, {"example-at"}, {"example-auth", "example-id"}, {"example-at", "example-id"}} {
		c := w.login()
		c.drop(lost...)
		c.leave()
		if left := logouts(c.cookieNames()); len(left) != len(c.jar) {
			t.Errorf("without %v: left %v", lost, c.cookieNames())
		}
	}
}

// An ID token that its cookie just holds may not fit into that of the logout,
// whose name is longer. That costs the hint and nothing else.
func TestLogoutWithTheLargestIDToken(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	login := func(size int) (*client, bool) {
		w.idp.SetIDTokenFault(claim("padding", strings.Repeat("x", size)))
		c := w.client()
		a := c.end(w.authorize(c.start()))
		if a.Status == http.StatusOK {
			c.csrf = a.json("csrf").(string)
		}
		return c, a.Status == http.StatusOK
	}
	most := sort.Search(12000, func(size int) bool { _, ok := login(size); return !ok }) - 1
	c, ok := login(most)
	if !ok || most < 4000 {
		t.Fatalf("the largest padding is %d bytes", most)
	}
	if u := c.leave(); !strings.HasPrefix(u, w.idp.Issuer+"/end_session?") || len(c.jar) != 0 {
		t.Errorf("%s, left %v", u, c.cookieNames())
	}
}
