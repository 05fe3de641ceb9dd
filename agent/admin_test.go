package agent

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"oauth-agent/agent/config"
)

// answerOf asks a handler.
func answerOf(h http.Handler, method, target string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(method, target, nil))
	return w
}

// reachable is an authorization server that is there when it is told to be.
type reachable struct{ up atomic.Bool }

func (s *reachable) RoundTrip(r *http.Request) (*http.Response, error) {
	if !s.up.Load() {
		return nil, io.ErrUnexpectedEOF
	}
	body := strings.ReplaceAll(`{"issuer":"@","authorization_endpoint":"@/a","token_endpoint":"@/t","jwks_uri":"@/k"}`, "@", "http://"+r.URL.Host)
	return &http.Response{StatusCode: 200, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
}

func server(up bool) *reachable {
	s := &reachable{}
	s.up.Store(up)
	return s
}

// ready waits until /readyz answers with a status, and gives its checks.
func ready(t *testing.T, a *Server, want int) map[string]string {
	t.Helper()
	var answer readiness
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(time.Millisecond) {
		w := answerOf(a.Admin(), "GET", "/readyz")
		if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
			t.Fatal(err)
		}
		if answer.Ready != (w.Code == 200) {
			t.Fatalf("status %d, %s", w.Code, w.Body)
		}
		if w.Code == want {
			return answer.Checks
		}
		if time.Now().After(deadline) {
			t.Fatalf("status %d, want %d: %s", w.Code, want, w.Body)
		}
	}
}

func TestReadiness(t *testing.T) {
	t.Run("the authorization server is there", func(t *testing.T) {
		a := buildOver(t, server(true))
		checks := ready(t, a, 200)
		if len(checks) != 3 || checks["settings"] != "ok" || checks["keys"] != "ok" || checks["authorization_server"] != "ok" {
			t.Errorf("checks %v", checks)
		}
		a.Stop()
		if checks := ready(t, a, 503); checks["shutdown"] != "under way" || checks["authorization_server"] != "ok" {
			t.Errorf("draining: %v", checks)
		}
		if w := answerOf(a.Admin(), "GET", "/livez"); w.Code != 200 {
			t.Errorf("draining: /livez %d", w.Code)
		}
	})
	t.Run("it is not there", func(t *testing.T) {
		a := buildOver(t, server(false))
		if checks := ready(t, a, 503); checks["authorization_server"] != "not reached yet" || checks["keys"] != "ok" {
			t.Errorf("checks %v", checks)
		}
	})
	t.Run("it goes after it was there", func(t *testing.T) {
		s := server(true)
		a := buildOver(t, s)
		ready(t, a, 200)
		s.up.Store(false)
		ready(t, a, 200)
		if err := reload(t, a); err != nil {
			t.Fatal(err)
		}
		if w := answerOf(a.Admin(), "GET", "/readyz"); w.Code != 200 {
			t.Errorf("after a reload: %s", w.Body)
		}
		if err := reload(t, a, "ISSUER=http://127.0.0.1:3"); !errors.Is(err, ErrUnreachable) {
			t.Errorf("a reload with another server that is not there: %v", err)
		}
		ready(t, a, 200)
	})
	t.Run("the PKCE proxy alone", func(t *testing.T) {
		cfg, err := config.Load("", pkceEnv())
		if err != nil {
			t.Fatal(err)
		}
		for up, want := range map[bool]int{true: 200, false: 503} {
			a, err := New(t.Context(), cfg, Options{Transport: server(up)})
			if err != nil {
				t.Fatal(err)
			}
			if checks := ready(t, a, want); len(checks) != 3 || (checks["pkce_token_endpoint"] == "ok") != up {
				t.Errorf("up %v: %v", up, checks)
			}
			if w := answerOf(a.Admin(), "GET", "/metrics"); strings.Contains(w.Body.String(), "cookie_key_created") {
				t.Error("there are no cookies, and an age of their key")
			}
			_ = a.Close()
		}
	})
}

// reload gives s other settings.
func reload(t *testing.T, s *Server, environ ...string) error {
	t.Helper()
	cfg, err := config.Load("", append([]string{
		"ISSUER=http://127.0.0.1:1", "CLIENT_ID=spa", "CLIENT_SECRET=c4nary-secret",
		"REDIRECT_URI=" + testOrigin + "/", "TRUSTED_WEB_ORIGIN=" + testOrigin,
		"COOKIE_ENCRYPTION_KEY=" + strings.Repeat("a1", 32),
	}, environ...))
	if err != nil {
		t.Fatal(err)
	}
	return s.Reload(t.Context(), cfg, nil)
}

func TestAdminEndpoints(t *testing.T) {
	a := buildOver(t, server(true))
	ready(t, a, 200)
	for _, tt := range []struct {
		method, path string
		status       int
		want         string
	}{
		{"GET", "/livez", 200, "ok\n"},
		{"HEAD", "/livez", 200, ""},
		{"GET", "/readyz", 200, `"ready":true`},
		{"GET", "/buildinfo", 200, `"go":"go1.`},
		{"GET", "/metrics", 200, "oauth_agent_ready 1\n"},
		{"GET", "/metrics", 200, "go_goroutines "},
		{"POST", "/livez", 405, `"code":"method_not_allowed"`},
		{"DELETE", "/metrics", 405, `"code":"method_not_allowed"`},
		{"OPTIONS", "/readyz", 405, `"code":"method_not_allowed"`},
		{"CANARY", "/buildinfo", 405, `"code":"method_not_allowed"`},
		{"GET", "/", 404, `"code":"not_found"`},
		{"GET", "/metrics/", 404, `"code":"not_found"`},
		{"GET", "/%6civez", 404, `"code":"not_found"`},
		{"GET", "/debug/pprof/", 404, `"code":"not_found"`},
		{"GET", "/oauth-agent/session", 404, `"code":"not_found"`},
	} {
		w := answerOf(a.Admin(), tt.method, tt.path)
		if w.Code != tt.status || !strings.Contains(w.Body.String(), tt.want) {
			t.Errorf("%s %s: %d %.300s", tt.method, tt.path, w.Code, w.Body)
		}
		if h := w.Header(); h.Get("Cache-Control") != "no-store" || h.Get("X-Content-Type-Options") != "nosniff" || (tt.status == 405) != (h.Get("Allow") == "GET, HEAD") {
			t.Errorf("%s %s: %v", tt.method, tt.path, h)
		}
	}
	a.Stop()
	if w := answerOf(a.Admin(), "GET", "/metrics"); !strings.Contains(w.Body.String(), "oauth_agent_ready 0\n") {
		t.Error("draining, and the metric says ready")
	}
}

// Where there is a page, an unknown path is the page's, and so are these: it must
// not be more.
func TestAdminPathsAreNotOnThePublicPort(t *testing.T) {
	page := fstest.MapFS{"index.html": {Data: []byte("<!doctype html><title>shop</title>")}}
	for _, base := range []string{"/oauth-agent", "/", "/api"} {
		for _, files := range []fstest.MapFS{nil, page} {
			cfg, err := config.Load("", []string{
				"ISSUER=http://127.0.0.1:1", "CLIENT_ID=spa", "CLIENT_SECRET=c4nary-secret", "BASE_PATH=" + base,
				"REDIRECT_URI=" + testOrigin + "/", "TRUSTED_WEB_ORIGIN=" + testOrigin,
				"COOKIE_ENCRYPTION_KEY=" + strings.Repeat("a1", 32),
			})
			if err != nil {
				t.Fatal(err)
			}
			opt := Options{Transport: server(true)}
			if files != nil {
				opt.SPA = files
			}
			a, err := New(t.Context(), cfg, opt)
			if err != nil {
				t.Fatal(err)
			}
			for _, path := range []string{"/metrics", "/livez", "/readyz", "/buildinfo", "/%6detrics", "//metrics", "/metrics?x", base + "/metrics"} {
				r := httptest.NewRequest("GET", path, nil)
				r.Header.Set("Accept", "text/html")
				w := httptest.NewRecorder()
				a.Handler().ServeHTTP(w, r)
				body := w.Body.String()
				isPage := files != nil && w.Code == 200 && strings.Contains(body, "<title>shop</title>")
				if w.Code != 404 && w.Code != 401 && !isPage || strings.Contains(body, "oauth_agent_") || strings.Contains(body, "ready") {
					t.Errorf("base %s, page %v: %s: %d %.100s", base, files != nil, path, w.Code, body)
				}
			}
			_ = a.Close()
		}
	}
}

// The age of the key is as old as can be told.
func TestKeyAge(t *testing.T) {
	metric := func(a *Server) string {
		for line := range strings.Lines(answerOf(a.Admin(), "GET", "/metrics").Body.String()) {
			if rest, ok := strings.CutPrefix(line, "oauth_agent_cookie_key_created_timestamp_seconds "); ok {
				return strings.TrimSpace(rest)
			}
		}
		return ""
	}
	file := filepath.Join(t.TempDir(), "keys")
	if err := os.WriteFile(file, []byte(strings.Repeat("a1", 32)), 0o600); err != nil {
		t.Fatal(err)
	}
	made := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	if err := os.Chtimes(file, made, made); err != nil {
		t.Fatal(err)
	}
	if got := metric(buildOver(t, server(true), "COOKIE_KEY_CREATED=2026-02-01")); got != "1.769904e+09" {
		t.Errorf("by the settings: %s", got)
	}
	cfg, err := config.Load("", []string{
		"ISSUER=http://127.0.0.1:1", "CLIENT_ID=spa", "CLIENT_SECRET=c4nary-secret",
		"REDIRECT_URI=" + testOrigin + "/", "TRUSTED_WEB_ORIGIN=" + testOrigin, "COOKIE_ENCRYPTION_KEY_FILE=" + file,
	})
	if err != nil {
		t.Fatal(err)
	}
	fromFile, err := New(t.Context(), cfg, Options{Transport: server(true)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = fromFile.Close() }()
	if got := metric(fromFile); got != "1.7723664e+09" {
		t.Errorf("by the file: %s", got)
	}
	a := buildOver(t, server(true))
	a.metrics.KeyCreated(time.Unix(1, 0))
	a.current.Load().app.observeKeys(time.Time{})
	if got := metric(a); got == "1" || got == "" {
		t.Errorf("by the start: %s", got)
	}
}
