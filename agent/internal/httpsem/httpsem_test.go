package httpsem_test

import (
	"net/http"
	"testing"

	"oauth-agent/agent/internal/httpsem"
)

func TestSafe(t *testing.T) {
	for method, want := range map[string]bool{
		"GET": true, "HEAD": true, "OPTIONS": true,
		"POST": false, "PUT": false, "PATCH": false, "DELETE": false, "TRACE": false, "CONNECT": false, "get": false, "": false,
	} {
		if got := httpsem.Safe(method); got != want {
			t.Errorf("%q: %v", method, got)
		}
	}
}

func TestIsPreflight(t *testing.T) {
	const name = "Access-Control-Request-Method"
	for _, tt := range []struct {
		method string
		header http.Header
		want   bool
	}{
		{"OPTIONS", http.Header{name: {"POST"}}, true},
		{"OPTIONS", http.Header{name: {""}}, false},
		{"OPTIONS", http.Header{"Origin": {"https://www.example.com"}}, false},
		{"POST", http.Header{name: {"POST"}}, false},
	} {
		if got := httpsem.IsPreflight(&http.Request{Method: tt.method, Header: tt.header}); got != tt.want {
			t.Errorf("%s %v: %v", tt.method, tt.header, got)
		}
	}
}
