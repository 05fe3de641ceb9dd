package apiproxy_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"strings"
	"testing"

	"oauth-agent/agent/internal/apiproxy"
	"oauth-agent/agent/internal/secret"
	"oauth-agent/agent/internal/session"
)

// BenchmarkProxy and BenchmarkBare differ by what this package adds to the
// standard library's reverse proxy. A network has no part in it.
func BenchmarkProxy(b *testing.B) { benchmark(b, true) }

func BenchmarkBare(b *testing.B) { benchmark(b, false) }

func benchmark(b *testing.B, ours bool) {
	body := strings.Repeat("x", 1024)
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, body)
	}))
	defer api.Close()
	w := newWorld(b, []apiproxy.Route{{Path: "/api", Upstream: parse(b, api.URL)}})
	user := w.login(b, session.Tokens{Access: secret.New(strings.Repeat("t", 1024))})
	var h http.Handler = w.surface()
	if !ours {
		h = &httputil.ReverseProxy{Rewrite: func(pr *httputil.ProxyRequest) {
			pr.SetURL(parse(b, api.URL))
			pr.SetXForwarded()
		}, Transport: &http.Transport{MaxIdleConnsPerHost: 256}}
	}
	r := w.request(b, user, "GET", "/api/orders", nil)
	r.RemoteAddr = "192.0.2.1:1234"
	r.Header.Set("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")
	r.Header.Set("Accept", "application/json")
	r.Header.Set("Accept-Encoding", "gzip, deflate, br")
	r.Header.Set("Accept-Language", "en")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	r.Header.Set("Cookie", user.header()+"; theme=dark")
	b.ReportAllocs()
	for b.Loop() {
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, r)
		if rec.Code != 200 {
			b.Fatal(rec.Code)
		}
	}
}
