package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"oauth-agent/test/idp"
)

// api is a business API that believes the authorization server alone.
func (w *world) api() *httptest.Server {
	srv := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("Cache-Control", "no-store")
		token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		sub, ok := w.idp.Subject(token)
		if !ok {
			rw.WriteHeader(http.StatusUnauthorized)
			return
		}
		_, _ = fmt.Fprintf(rw, `{"sub":%q,"path":%q,"cookie":%q}`, sub, r.URL.RequestURI(), r.Header.Get("Cookie"))
	}))
	w.t.Cleanup(srv.Close)
	return srv
}

func TestAPICallsByCookie(t *testing.T) {
	var upstream http.Handler = http.NotFoundHandler()
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { upstream.ServeHTTP(w, r) }))
	t.Cleanup(front.Close)
	w := newWorld(t, with("ROUTES", "/api/="+front.URL+"/base/"),
		server(func(c *idp.Config) { c.AccessTokenLifetime = 5 * time.Minute }))
	upstream = w.api().Config.Handler
	c := w.login()
	agentURL := c.url
	at := func() { c.url = w.agent.URL }
	back := func() { c.url = agentURL }

	at()
	a := c.get("/api/orders?x=1").want(200, "")
	if a.json("sub") != "sub-demo" || a.json("path") != "/base/api/orders?x=1" || a.json("cookie") != "" {
		t.Errorf("upstream saw %s", a.Body)
	}
	c.post("/api/orders", "{}").want(200, "")
	c.post("/api/orders", "{}", header("x-example-csrf", "")).want(401, "unauthorized_request")
	c.get("/api/orders", header("Origin", "https://evil.example")).want(401, "unauthorized_request")
	c.get("/other").want(404, "not_found")
	c.get("/oauth-agent/authorize").want(404, "not_found")

	w.clock.advance(6 * time.Minute)
	if a := c.get("/api/orders").want(401, "token_expired"); a.Header.Get("Access-Control-Allow-Origin") != origin {
		t.Error("the page cannot read that its token has expired")
	}
	back()
	c.post("/refresh", "").want(204, "")
	at()
	c.get("/api/orders").want(200, "")
}
