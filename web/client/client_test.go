package client_test

import (
	"crypto/sha512"
	"encoding/base64"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"oauth-agent/web/client"
)

func TestClient(t *testing.T) {
	t.Parallel()
	h, integrity, err := client.Handler()
	if err != nil {
		t.Fatal(err)
	}
	version := client.Version(integrity)
	srv := httptest.NewServer(h)
	defer srv.Close()
	for _, c := range []struct {
		method, query, ifNoneMatch string
		status                     int
		cache                      string
	}{
		{"GET", "", "", 200, "public, no-cache"},
		{"GET", "?v=old", "", 200, "public, no-cache"},
		{"GET", "?v=" + version, "", 200, "public, max-age=31536000, immutable"},
		{"HEAD", "", "", 200, "public, no-cache"},
		{"GET", "", `"` + version + `"`, 304, "public, no-cache"},
		{"GET", "", `"other"`, 200, "public, no-cache"},
		{"POST", "", "", 405, ""},
	} {
		req, err := http.NewRequestWithContext(t.Context(), c.method, srv.URL+"/client.js"+c.query, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("If-None-Match", c.ifNoneMatch)
		res, err := srv.Client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(res.Body)
		_ = res.Body.Close()
		if res.StatusCode != c.status || res.Header.Get("Cache-Control") != c.cache {
			t.Errorf("%s %q: %d, cache %q", c.method, c.query, res.StatusCode, res.Header.Get("Cache-Control"))
		}
		if c.status == 405 {
			continue
		}
		if res.Header.Get("Access-Control-Allow-Origin") != "*" || res.Header.Get("Access-Control-Allow-Credentials") != "" {
			t.Errorf("%s %q: CORS %v", c.method, c.query, res.Header)
		}
		if c.method == "GET" && c.status == 200 {
			sum := sha512.Sum384(body)
			if integrity != "sha384-"+base64.StdEncoding.EncodeToString(sum[:]) || !strings.Contains(string(body), "createAgent") ||
				res.Header.Get("Content-Type") != "text/javascript; charset=utf-8" {
				t.Errorf("%q: not the library that was hashed: %d bytes, %s", c.query, len(body), res.Header.Get("Content-Type"))
			}
		}
	}
}
