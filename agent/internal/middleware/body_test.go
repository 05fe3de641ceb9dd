package middleware_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"oauth-agent/agent/internal/httperr"
	"oauth-agent/agent/internal/middleware"
)

func TestReadBodyAndSecurityHeaders(t *testing.T) {
	render := &httperr.Renderer{Log: discard()}
	srv := httptest.NewServer(middleware.SecurityHeaders(middleware.ReadBody(10, render)(render.Handle(func(w http.ResponseWriter, r *http.Request) error {
		_, err := io.Copy(w, r.Body)
		return err
	}))))
	defer srv.Close()
	for body, want := range map[string]int{"0123456789": 200, "0123456789a": 413} {
		resp, err := srv.Client().Post(srv.URL, "application/json", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != want || resp.Header.Get("Cache-Control") != "no-store" || resp.Header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%d bytes: %d, %v", len(body), resp.StatusCode, resp.Header)
		}
	}
}
