package agent

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"oauth-agent/agent/config"
)

// What is too much at a time is refused in the words of each part: pages can read
// that, and a person sees a page.
func TestBusyInTheWordsOfEachPart(t *testing.T) {
	arrived, may := make(chan struct{}), make(chan struct{})
	api := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		close(arrived)
		<-may
	}))
	defer api.Close()
	defer close(may)
	file := filepath.Join(t.TempDir(), "agent.yaml")
	routes := fmt.Sprintf("routes:\n- {path: /api/, upstream: %[1]q}\n- {path: /slow/, upstream: %[1]q, public: true}\n", api.URL)
	if err := os.WriteFile(file, []byte(routes), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Load(file, append(pkceEnv(), "ISSUER=http://127.0.0.1:1", "CLIENT_ID=spa", "CLIENT_SECRET=c4nary-secret",
		"REDIRECT_URI="+testOrigin+"/", "TRUSTED_WEB_ORIGIN="+testOrigin, "COOKIE_ENCRYPTION_KEY="+strings.Repeat("a1", 32)))
	if err != nil {
		t.Fatal(err)
	}
	a, err := New(t.Context(), cfg, Options{Transport: noNetwork{}, Requests: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = a.Close() }()
	srv := httptest.NewServer(a.Handler())
	defer srv.Close()
	ctx, leave := context.WithCancel(t.Context())
	defer leave()
	go func() {
		req, _ := http.NewRequestWithContext(ctx, "GET", srv.URL+"/slow/x", nil)
		req.Header.Set("Origin", testOrigin)
		if resp, err := http.DefaultClient.Do(req); err == nil {
			_ = resp.Body.Close()
		}
	}()
	<-arrived
	for _, tt := range []struct{ method, path, origin, body, kind string }{
		{"POST", "/oauth/token", "http://127.0.0.1", `{"error":"temporarily_unavailable",`, "application/json"},
		{"GET", "/oauth/authorization", "", "<!doctype html>", "text/html; charset=utf-8"},
		{"GET", "/oauth-agent/session", testOrigin, `{"code":"temporarily_unavailable",`, "application/json"},
		{"GET", "/oauth-agent/client.js", testOrigin, `{"code":"temporarily_unavailable",`, "application/json"},
		{"GET", "/api/x", testOrigin, `{"code":"temporarily_unavailable",`, "application/json"},
	} {
		resp, body := fetch(t, tt.method, srv.URL+tt.path, tt.origin)
		if resp.StatusCode != http.StatusServiceUnavailable || resp.Header.Get("Retry-After") != "1" ||
			!strings.HasPrefix(body, tt.body) || resp.Header.Get("Content-Type") != tt.kind {
			t.Errorf("%s: %d %v %s", tt.path, resp.StatusCode, resp.Header, body)
		}
		if got := resp.Header.Get("Access-Control-Allow-Origin"); got != tt.origin && !strings.HasSuffix(tt.path, ".js") {
			t.Errorf("%s: Access-Control-Allow-Origin %q", tt.path, got)
		}
	}
}

// fetch asks as a page of that origin does, or as none, and reads the answer.
func fetch(t *testing.T, method, url, origin string) (*http.Response, string) {
	t.Helper()
	req, _ := http.NewRequestWithContext(t.Context(), method, url, nil)
	if origin != "" {
		req.Header.Set("Origin", origin)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, _ := io.ReadAll(resp.Body)
	return resp, string(body)
}
