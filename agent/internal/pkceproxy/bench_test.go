package pkceproxy_test

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"oauth-agent/agent/internal/authserver"
	"oauth-agent/agent/internal/pkceproxy"
)

// bench is a proxy without a network in front of it; the AS is a function.
type bench struct {
	b       *testing.B
	handler http.Handler
}

type trivialAS struct{}

func (trivialAS) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(answerBody))}, nil
}

func newBench(b *testing.B) bench {
	p, err := pkceproxy.New(config("https://as.example.com", "https://pkce.example.com"),
		pkceproxy.Options{HTTP: authserver.NewHTTP(trivialAS{}, 0x7fffffffffff)})
	fatalIf(b, err)
	b.ReportAllocs()
	return bench{b, serve(p, slog.New(slog.DiscardHandler))}
}

func (b bench) get(path string, q url.Values) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, path+"?"+q.Encode(), nil)
	w := httptest.NewRecorder()
	b.handler.ServeHTTP(w, r)
	return w
}

func (b bench) post(path string, form url.Values) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	b.handler.ServeHTTP(w, r)
	return w
}

func (b bench) query(w *httptest.ResponseRecorder) url.Values {
	u, err := url.Parse(w.Header().Get("Location"))
	fatalIf(b.b, err)
	return u.Query()
}

func (b bench) code(as string) string {
	state := b.query(b.get("/oauth/authorization", goodRequest())).Get("state")
	return b.query(b.get("/callback", url.Values{"state": {state}, "code": {as}})).Get("code")
}

func BenchmarkAuthorize(b *testing.B) {
	bench := newBench(b)
	request := goodRequest()
	var w *httptest.ResponseRecorder
	for b.Loop() {
		w = bench.get("/oauth/authorization", request)
	}
	b.ReportMetric(float64(len(bench.query(w).Get("state"))), "state-bytes")
}

func BenchmarkCallback(b *testing.B) {
	bench := newBench(b)
	state := bench.query(bench.get("/oauth/authorization", goodRequest())).Get("state")
	q := url.Values{"state": {state}, "code": {asCode}}
	var w *httptest.ResponseRecorder
	for b.Loop() {
		w = bench.get("/callback", q)
	}
	b.ReportMetric(float64(len(bench.query(w).Get("code"))), "code-bytes")
}

// Each code works once, so making it is timed with it, and to be subtracted.
func BenchmarkLogin(b *testing.B) {
	bench := newBench(b)
	i := 0
	for b.Loop() {
		i++
		if w := bench.post("/oauth/token", tokenForm(bench.code(strconv.Itoa(i)))); w.Code != 200 {
			b.Fatal(w.Code, w.Body)
		}
	}
}

func BenchmarkTokenRefused(b *testing.B) {
	bench := newBench(b)
	form := tokenForm(bench.code("c"), "code_verifier="+strings.Repeat("x", 45))
	for b.Loop() {
		if w := bench.post("/oauth/token", form); w.Code != 400 {
			b.Fatal(w.Code)
		}
	}
}

func BenchmarkRefresh(b *testing.B) {
	bench := newBench(b)
	form := refreshForm()
	for b.Loop() {
		if w := bench.post("/oauth/token", form); w.Code != 200 {
			b.Fatal(w.Code)
		}
	}
}

func BenchmarkRevoke(b *testing.B) {
	bench := newBench(b)
	form := url.Values{"token": {"t"}, "client_id": {clientID}}
	for b.Loop() {
		if w := bench.post("/oauth/revoke", form); w.Code != 200 {
			b.Fatal(w.Code)
		}
	}
}

func BenchmarkMetadata(b *testing.B) {
	bench := newBench(b)
	for b.Loop() {
		if w := bench.get("/.well-known/oauth-authorization-server", nil); w.Code != 200 {
			b.Fatal(w.Code)
		}
	}
}

// The whole flow over real connections with a trivial AS; run it with -cpu 1
// for one core. The clients' side and the AS's are in the measure too.
func BenchmarkFlowOverLoopback(b *testing.B) {
	w := newWorld(b)
	i := 0
	for b.Loop() {
		i++
		state := w.authorize()
		_, q := w.location(w.get(w.proxy.URL, "/callback", url.Values{"state": {state}, "code": {strconv.Itoa(i)}}))
		if r := w.token(tokenForm(q.Get("code"))); r.StatusCode != 200 {
			b.Fatal(r.StatusCode, r.body)
		}
	}
	b.ReportMetric(3*float64(i)/b.Elapsed().Seconds(), "requests/s")
}
