package agent

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"oauth-agent/agent/config"
)

// Whatever a client makes up, the number of series stays: paths, methods, hosts,
// origins, headers, client ids and error codes.
func TestLabelBomb(t *testing.T) {
	api := httptest.NewServer(http.NotFoundHandler())
	defer api.Close()
	file := filepath.Join(t.TempDir(), "agent.yaml")
	if err := os.WriteFile(file, []byte("routes: [{path: /api/, upstream: '"+api.URL+"', public: true}]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Load(file, append(pkceEnv(),
		"ISSUER=http://127.0.0.1:1", "CLIENT_ID=spa", "CLIENT_SECRET=c4nary-secret", "LIMIT_LOGIN_START=0", "LIMIT_TOKEN=0",
		"REDIRECT_URI="+testOrigin+"/", "TRUSTED_WEB_ORIGIN="+testOrigin, "COOKIE_ENCRYPTION_KEY="+strings.Repeat("a1", 32)))
	if err != nil {
		t.Fatal(err)
	}
	a, err := New(t.Context(), cfg, Options{Transport: server(true), SPA: fstest.MapFS{"index.html": {Data: []byte("<!doctype html>")}}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = a.Close() }()
	ready(t, a, 200)
	series := func() int {
		return strings.Count(answerOf(a.Admin(), "GET", "/metrics").Body.String(), "\noauth_agent_")
	}
	bomb := func(i int) {
		made := fmt.Sprintf("m%d", i)
		for _, target := range []string{
			"/" + made, "/oauth-agent/" + made, "/api/../" + made, "/oauth-agent/login/end",
			"/oauth/authorize?client_id=" + made + "&redirect_uri=" + made, "/callback?state=" + made + "&error=" + made,
		} {
			method := []string{"GET", "POST", strings.ToUpper(made)}[i%3]
			r := httptest.NewRequest(method, target, strings.NewReader(`{"pageUrl":"`+testOrigin+`/?state=`+made+`&error=`+made+`"}`))
			r.Host = made + ".example.com"
			r.Header.Set("Origin", "https://"+made+".example.com")
			if i%2 == 0 {
				r.Header.Set("Origin", testOrigin)
			}
			r.Header.Set("Content-Type", "application/json")
			r.Header.Set("X-Request-Id", made)
			r.Header.Set("User-Agent", made)
			r.Header.Set("Cookie", "agent-at="+made+"; agent-login-"+made+"=x")
			a.Handler().ServeHTTP(httptest.NewRecorder(), r)
		}
	}
	for i := range 100 {
		bomb(i)
	}
	before := series()
	for i := range 10_000 {
		bomb(100 + i)
	}
	if after := series(); after != before || before < 100 {
		t.Errorf("%d series, %d before", after, before)
	}
	// A call that goes up: to keep it fast, fewer of them.
	for i := range 100 {
		r := httptest.NewRequest("GET", fmt.Sprintf("/api/m%d?x=%d", i, i), nil)
		r.Header.Set("Origin", testOrigin)
		a.Handler().ServeHTTP(httptest.NewRecorder(), r)
	}
	if after := series(); after > before+20 { // one route, one method, one status
		t.Errorf("%d series after API calls, %d before", after, before)
	}
}
