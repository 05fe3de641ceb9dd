package e2e

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// built is the directory of a built page.
func built(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "dist")
	for name, text := range map[string]string{
		"index.html": "<!doctype html>page", "assets/index-BkV3x9Qa.js": "script()", "oauth-agent/session": "no endpoint",
		"oauth-agent/x.js": "no file", "api/x.js": "no route", "../secret.txt": "c4nary-outside",
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("../secret.txt", filepath.Join(dir, "out.txt")); err != nil {
		t.Fatal(err)
	}
	return dir
}

// visit is a browser that goes to a page: it sends no Origin, and no cookies are
// needed.
func (w *world) visit(path string) *answer {
	w.t.Helper()
	req, err := http.NewRequestWithContext(w.t.Context(), http.MethodGet, w.agent.URL+path, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	req.Header.Set("Sec-Fetch-Mode", "navigate")
	req.Header.Set("Sec-Fetch-Site", "cross-site")
	req.Header.Set("Accept", "text/html")
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return &answer{t: w.t, Status: resp.StatusCode, Header: resp.Header, Body: string(text)}
}

func TestOneBinaryIsTheWholeFrontEnd(t *testing.T) {
	w := newWorld(t, with("SPA_DIR", built(t)), with("ROUTES", "/api/=http://127.0.0.1:1"), with("SPA_CSP", "default-src 'self'"))
	c := w.login()
	c.get("/session").want(200, "")
	w.visit("/oauth-agent/nothing").want(404, "not_found")

	c.url = w.agent.URL
	for path, want := range map[string]string{
		"/": "page", "/orders/1": "page", "/users/ada.lovelace": "page", "/missing.js": "page", "/callback?code=x&state=y": "page", "/oauth-agents": "page", "/assets/index-BkV3x9Qa.js": "script()",
	} {
		a := w.visit(path).want(200, "")
		if !strings.HasSuffix(a.Body, want) || a.Header.Get("Content-Security-Policy") != "default-src 'self'" || a.Header.Get("Referrer-Policy") != "strict-origin-when-cross-origin" {
			t.Errorf("%s: %s %v", path, a.Body, a.Header)
		}
		if len(a.setCookies()) > 0 || a.Header.Get("Cache-Control") == "no-store" {
			t.Errorf("%s: %v", path, a.Header)
		}
	}
	// The agent's and the routes' paths are not the page's.
	for _, path := range []string{
		"/oauth-agent", "/oauth-agent/", "/oauth-agent/x.js", "/oauth-agent/authorize", "/oauth%2Dagent/x.js", "/oauth-agent%2Fx.js",
		"/.env", "/../secret.txt", "/%2e%2e/secret.txt", "/assets/../index.html",
	} {
		a := w.visit(path).want(404, "not_found")
		if a.Header.Get("Cache-Control") != "no-store" || strings.Contains(a.Body, "outside") {
			t.Errorf("%s: %v %s", path, a.Header, a.Body)
		}
	}
	c.get("/api/x.js").want(502, "upstream_error")
	for _, path := range []string{"/nowhere", "/missing.js", "/out.txt", "/users/ada.lovelace"} {
		c.get(path).want(404, "not_found")
	}
	if a := c.post("/orders/1", "{}").want(405, "method_not_allowed"); a.Header.Get("Allow") != "GET, HEAD" {
		t.Errorf("Allow %q", a.Header.Get("Allow"))
	}
}

// With the base path "/" endpoints win, and forward auth is nowhere.
func TestPageBesideAnAgentAtTheRoot(t *testing.T) {
	w := newWorld(t, with("SPA_DIR", built(t)), with("BASE_PATH", "/"))
	c := w.login()
	c.get("/session").want(200, "")
	w.visit("/authorize").want(404, "not_found")
	w.visit("/authorize/api").want(404, "not_found")
	w.visit("/orders").want(200, "")
}
