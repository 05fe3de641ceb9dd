package agent

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
)

// A method that a route names can be called by a page of another origin as well:
// a preflight that knows nothing of it would keep the browser from sending it.
func TestPreflightOfARoutesOwnMethod(t *testing.T) {
	file := filepath.Join(t.TempDir(), "agent.yaml")
	if err := os.WriteFile(file, []byte("routes: [{path: /dav/, upstream: 'http://127.0.0.1:1', methods: [GET, PROPFIND]}]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	a := buildFrom(t, file, nil)
	for method, want := range map[string]string{"PROPFIND": testOrigin, "PUT": testOrigin, "MKCOL": ""} {
		r := httptest.NewRequest("OPTIONS", "/dav/x", nil)
		r.Header.Set("Origin", testOrigin)
		r.Header.Set("Access-Control-Request-Method", method)
		w := httptest.NewRecorder()
		a.Handler().ServeHTTP(w, r)
		if got := w.Header().Get("Access-Control-Allow-Origin"); w.Code != http.StatusNoContent || got != want {
			t.Errorf("%s: status %d, Allow-Origin %q, want %q", method, w.Code, got, want)
		}
	}
}
