package agent

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"oauth-agent/agent/config"
)

// What is too much at a time is refused in the words of each part: pages can read
// that, and a person sees a page.
func TestBusyInTheWordsOfEachPart(t *testing.T) {
	api := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer api.Close()
	cfg, err := config.Load("", append(pkceEnv(), "ISSUER=http://127.0.0.1:1", "CLIENT_ID=spa", "CLIENT_SECRET=c4nary-secret",
		"REDIRECT_URI="+testOrigin+"/", "TRUSTED_WEB_ORIGIN="+testOrigin, "ROUTES=/api/="+api.URL,
		"COOKIE_ENCRYPTION_KEY="+strings.Repeat("a1", 32)))
	if err != nil {
		t.Fatal(err)
	}
	a, err := New(t.Context(), cfg, Options{Transport: noNetwork{}, Requests: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = a.Close() }()
	arrived, may := make(chan struct{}), make(chan struct{})
	h := a.Handler()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Hold") != "" {
			r.Body = held{arrived, may}
			r.ContentLength = -1
		}
		h.ServeHTTP(w, r)
	}))
	defer srv.Close()
	ctx, leave := context.WithCancel(t.Context())
	defer leave()
	go func() {
		req, _ := http.NewRequestWithContext(ctx, "POST", srv.URL+"/oauth/token", strings.NewReader("x"))
		req.Header.Set("X-Hold", "yes")
		if resp, err := http.DefaultClient.Do(req); err == nil {
			_ = resp.Body.Close()
		}
	}()
	<-arrived
	defer close(may)
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

// held is a body that is on its way.
type held struct{ arrived, may chan struct{} }

func (h held) Read([]byte) (int, error) {
	close(h.arrived)
	<-h.may
	return 0, io.EOF
}

func (h held) Close() error { return nil }
