package middleware_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"oauth-agent/agent/internal/httperr"
	"oauth-agent/agent/internal/middleware"
)

func TestCORSHeaders(t *testing.T) {
	inner := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		httperr.WriteJSON(w, 401, map[string]string{"code": "unauthorized_request"})
	})
	for _, tt := range []struct {
		name, method, origin string
		preflight, cors      bool
		status               int
		allowOrigin          string
	}{
		{"error, trusted", "GET", www, false, true, 401, www},
		{"error, foreign", "GET", "https://evil.example", false, true, 401, ""},
		{"error, case", "GET", "https://WWW.EXAMPLE.COM", false, true, 401, ""},
		{"error, CORS off", "GET", www, false, false, 401, ""},
		{"preflight, trusted", "OPTIONS", www, true, true, 204, www},
		{"preflight, foreign", "OPTIONS", "https://evil.example", true, true, 204, ""},
		{"preflight, null", "OPTIONS", "null", true, true, 204, ""},
		{"preflight, CORS off", "OPTIONS", www, true, false, 204, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			srv := httptest.NewServer(middleware.NewOrigins([]string{www}, tt.cors).CORS(nil)(inner))
			defer srv.Close()
			req, _ := http.NewRequest(tt.method, srv.URL+"/x", nil)
			req.Header.Set("Origin", tt.origin)
			if tt.preflight {
				req.Header.Set("Access-Control-Request-Method", "POST")
				req.Header.Set("Access-Control-Request-Headers", "content-type,x-example-csrf")
			}
			resp, err := srv.Client().Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = resp.Body.Close() }()
			if got := resp.Header.Get("Access-Control-Allow-Origin"); resp.StatusCode != tt.status || got != tt.allowOrigin {
				t.Errorf("status %d, Allow-Origin %q", resp.StatusCode, got)
			}
			credentials, headers := resp.Header.Get("Access-Control-Allow-Credentials"), resp.Header.Get("Access-Control-Allow-Headers")
			if want := tt.allowOrigin != ""; (credentials == "true") != want || (headers != "") != (want && tt.preflight) {
				t.Errorf("Allow-Credentials %q, Allow-Headers %q", credentials, headers)
			}
			if tt.cors && !strings.Contains(resp.Header.Get("Vary"), "Origin") {
				t.Errorf("Vary = %q: a shared cache would mix origins", resp.Header.Get("Vary"))
			}
		})
	}
}
