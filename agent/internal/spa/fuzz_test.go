package spa_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"oauth-agent/agent/internal/httperr"
	"oauth-agent/agent/internal/spa"
)

// Whatever the path is, there is an answer, it is no fault of ours, and it has
// nothing from outside or hidden in it.
func FuzzPath(f *testing.F) {
	h, err := spa.New(dist(f).FS(), spa.Options{})
	if err != nil {
		f.Fatal(err)
	}
	handler := (&httperr.Renderer{Log: slog.New(slog.DiscardHandler)}).Handle(h.Serve)
	for _, path := range []string{
		"/", "/index.html", "/../secret.txt", "/%2e%2e/secret.txt", "/up/secret.txt", "/out.txt", "/.env", "/assets/..%2f.env",
		"/..%5csecret.txt", "//", "*", "/plain.css/", "/assets/index-BkV3x9Qa.js", "/pipe.txt", "/%00",
	} {
		f.Add(path, "gzip, br;q=0.5", "text/html")
	}
	f.Fuzz(func(t *testing.T, path, encodings, accept string) {
		u, err := url.ParseRequestURI(path)
		if err != nil {
			return
		}
		r := &http.Request{Method: "GET", URL: u, Header: http.Header{"Accept-Encoding": {encodings}, "Accept": {accept}}}
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if w.Code != 200 && w.Code != 404 || strings.Contains(w.Body.String(), outside) {
			t.Errorf("%q: %d %s", path, w.Code, w.Body)
		}
	})
}
