package agent

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"oauth-agent/agent/config"
	"oauth-agent/agent/internal/cookie"
	"oauth-agent/agent/internal/secret"
	"oauth-agent/agent/internal/session"
)

// BenchmarkProxied is an API call through the whole program, with client and API
// in the same process: what is observed of it alone, and with a line in a file.
//
//	go test -run '^$' -bench Proxied -cpuprofile cpu.prof ./agent
//	go tool pprof -peek 'observe..Requests..Watch.func1$' agent.test cpu.prof
func BenchmarkProxied(b *testing.B) {
	for _, lines := range []string{"false", "true"} {
		b.Run("lines "+lines, func(b *testing.B) { benchmarkProxied(b, lines) })
	}
}

func benchmarkProxied(b *testing.B, lines string) {
	body := strings.Repeat("x", 1024)
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) }))
	defer api.Close()
	cfg, err := config.Load("", []string{
		"ISSUER=http://127.0.0.1:1", "CLIENT_ID=spa", "CLIENT_SECRET=c4nary-secret", "REDIRECT_URI=" + testOrigin + "/",
		"TRUSTED_WEB_ORIGIN=" + testOrigin, "COOKIE_ENCRYPTION_KEY=" + strings.Repeat("a1", 32), "ROUTES=/api/=" + api.URL, "LOG_ACCESS=" + lines,
	})
	if err != nil {
		b.Fatal(err)
	}
	file, err := os.Create(filepath.Join(b.TempDir(), "log"))
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	a, err := New(b.Context(), cfg, Options{Transport: server(true), Log: NewLogger(file, config.Log{Level: "info", Format: "json"})})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = a.Close() }()
	front := httptest.NewServer(a.Handler())
	defer front.Close()

	rec := httptest.NewRecorder()
	tokens := session.Tokens{Access: secret.New(strings.Repeat("t", 1024)), Expiry: time.Now().Add(time.Hour)}
	store := session.NewStore(a.current.Load().app.jar, 0, time.Now)
	if _, err := store.Start(rec, cookie.Read(httptest.NewRequest("GET", "/", nil)), tokens, session.NewSeed(), secret.String{}); err != nil {
		b.Fatal(err)
	}
	r, err := http.NewRequest("GET", front.URL+"/api/orders", nil)
	if err != nil {
		b.Fatal(err)
	}
	r.Header.Set("Origin", testOrigin)
	for _, c := range rec.Result().Cookies() {
		r.AddCookie(c)
	}
	b.ReportAllocs()
	for b.Loop() {
		resp, err := front.Client().Do(r)
		if err != nil || resp.StatusCode != http.StatusOK {
			b.Fatal(resp, err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
	}
}
