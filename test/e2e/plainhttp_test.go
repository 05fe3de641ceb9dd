package e2e

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

const intranet = "http://portal.intranet.test"

// onPlainHTTP is an agent whose page is on plain http, where browsers send neither
// Origin nor Sec-Fetch-Site with a GET.
func onPlainHTTP(s *setup) {
	s.env["TRUSTED_WEB_ORIGIN"], s.env["REDIRECT_URI"] = intranet, intranet+"/"
	s.env["INSECURE_HTTP"] = "true"
	s.idp.Clients[0].RedirectURIs = []string{intranet + "/"}
}

func TestReadsOverPlainHTTPNeedTheCSRFHeader(t *testing.T) {
	t.Parallel()
	bare := header("Origin", "")
	token := func(values ...string) edit {
		return func(r *http.Request) { r.Header["X-Example-Csrf"] = values }
	}
	w := newWorld(t, onPlainHTTP)
	api := w.api()
	w.agent = w.replica("ROUTES=/api/="+api.URL, "FORWARD_AUTH_ADDR=127.0.0.1:1")
	gateway := httptest.NewServer(w.agents[len(w.agents)-1].ForwardAuth())
	t.Cleanup(gateway.Close)
	c, other := w.login(), w.loginAs("eve")

	at := map[string]string{"/userInfo": c.url, "/claims": c.url, "/api/orders": w.agent.URL}
	for path, url := range at {
		c.url = url
		c.get(path, bare, token(c.csrf)).want(200, "")
		c.get(path, bare).want(401, "unauthorized_request")
		c.get(path, bare, token("")).want(401, "unauthorized_request")
		c.get(path, bare, token(other.csrf)).want(401, "unauthorized_request")
		c.get(path, bare, token(c.csrf, c.csrf)).want(401, "unauthorized_request")
		// It makes up for nothing that a browser does say.
		c.get(path, header("Origin", "https://evil.example"), token(c.csrf)).want(401, "unauthorized_request")
		c.get(path, sfs("cross-site"), token(c.csrf)).want(401, "unauthorized_request")
		c.get(path, sfs("none"), token(c.csrf)).want(401, "unauthorized_request")
		// Nor is it asked for where a browser says enough.
		c.get(path).want(200, "")
		c.get(path, sfs("same-origin")).want(200, "")
	}

	for status, token := range map[int]string{200: c.csrf, 401: other.csrf} {
		req, err := http.NewRequest(http.MethodGet, gateway.URL+"/oauth-agent/authorize", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("x-example-csrf", token)
		c.addCookies(req)
		resp, err := http.DefaultClient.Do(req) // its answer is for the gateway, and holds a token
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != status {
			t.Errorf("forward auth: %d, want %d", resp.StatusCode, status)
		}
	}

	// A page learns the token at /session, so that it has to bring the header alone.
	c.url = at["/claims"]
	c.get("/session", bare).want(401, "unauthorized_request")
	if a := c.get("/session", bare, token("")).want(200, ""); a.json("csrf") != c.csrf {
		t.Errorf("/session: %s", a.Body)
	}
	c.post("/refresh", "", bare).want(401, "unauthorized_request")
}

// Over https and on loopback browsers say enough, and the header opens nothing.
func TestTheCSRFHeaderIsNoOriginElsewhere(t *testing.T) {
	t.Parallel()
	for _, page := range []string{origin, "https://www.example.com"} {
		w := newWorld(t, with("TRUSTED_WEB_ORIGIN", page), with("REDIRECT_URI", page+"/"), with("INSECURE_HTTP", "true"),
			func(s *setup) { s.idp.Clients[0].RedirectURIs = []string{page + "/"} })
		c := w.login()
		c.get("/claims", header("Origin", ""), header("x-example-csrf", c.csrf)).want(401, "unauthorized_request")
	}
	w := newWorld(t, onPlainHTTP, with("CORS_ENABLED", "false"))
	w.login().get("/claims", header("Origin", "")).want(200, "")
}
