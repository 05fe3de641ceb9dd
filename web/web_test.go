package web_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"oauth-agent/web"
)

func TestDemo(t *testing.T) {
	t.Parallel()
	h, err := web.Demo("https://api.example.com/oauth-agent")
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(h)
	defer srv.Close()
	for _, c := range []struct {
		method, path string
		status       int
		contentType  string
		contains     string
	}{
		{"GET", "/", 200, "text/html; charset=utf-8", `<meta name="oauth-agent" content="https://api.example.com/oauth-agent">`},
		{"GET", "/?code=x&state=y", 200, "text/html; charset=utf-8", "<main"},
		{"HEAD", "/", 200, "text/html; charset=utf-8", ""},
		{"GET", "/demo/app.js", 200, "text/javascript; charset=utf-8", "createAgent"},
		{"GET", "/demo/style.css", 200, "text/css; charset=utf-8", ":root"},
		{"GET", "/demo/logo.svg", 200, "image/svg+xml", "<svg"},
		{"GET", "/client/index.js", 200, "text/javascript; charset=utf-8", "createAgent"},
		{"GET", "/client/", 404, "text/plain; charset=utf-8", ""},
		{"GET", "/client", 404, "text/plain; charset=utf-8", ""},
		{"GET", "/client/package.json", 404, "text/plain; charset=utf-8", ""},
		{"GET", "/demo/index.html", 404, "text/plain; charset=utf-8", ""},
		{"GET", "/%2e%2e/web.go", 404, "text/plain; charset=utf-8", ""},
		{"POST", "/", 405, "text/plain; charset=utf-8", ""},
	} {
		req, err := http.NewRequestWithContext(t.Context(), c.method, srv.URL+c.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		res, err := srv.Client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(res.Body)
		_ = res.Body.Close()
		if res.StatusCode != c.status || res.Header.Get("Content-Type") != c.contentType || !strings.Contains(string(body), c.contains) {
			t.Errorf("%s %s: %d %s", c.method, c.path, res.StatusCode, res.Header.Get("Content-Type"))
		}
		if csp := res.Header.Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") ||
			!strings.Contains(csp, "connect-src 'self' https://api.example.com;") || strings.Contains(csp, "unsafe") {
			t.Errorf("%s %s: policy %q", c.method, c.path, csp)
		}
	}
}
