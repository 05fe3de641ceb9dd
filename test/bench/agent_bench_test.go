package bench

import (
	"context"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"oauth-agent/agent"
	"oauth-agent/agent/config"
)

const origin = "http://localhost:3000"

// spa is a page with its cookies.
type spa struct {
	tb      testing.TB
	url     string
	csrf    string
	cookies map[string]string
	client  *http.Client
	bytes   map[string]int // what the browser stores of each cookie, last set
}

func newSPA(tb testing.TB) *spa {
	tb.Helper()
	cfg, err := config.Load("", []string{
		"ISSUER=" + newServer(tb).URL, "CLIENT_ID=" + clientID, "CLIENT_SECRET=secret", "REDIRECT_URI=" + origin + "/",
		"TRUSTED_WEB_ORIGIN=" + origin, "COOKIE_NAME_PREFIX=example", "COOKIE_ENCRYPTION_KEY=" + strings.Repeat("a1", 32),
		"LIMIT_LOGIN_START=1000000", // counted, as in production
	})
	if err != nil {
		tb.Fatal(err)
	}
	a, err := agent.New(context.Background(), cfg, agent.Options{})
	if err != nil {
		tb.Fatal(err)
	}
	srv := httptest.NewServer(a.Handler())
	tb.Cleanup(func() {
		srv.Close()
		_ = a.Close()
	})
	return &spa{tb: tb, url: srv.URL + "/oauth-agent", cookies: map[string]string{}, client: srv.Client(), bytes: map[string]int{}}
}

// call sends a request as the page would, and wants the status.
func (s *spa) call(method, path, body string, status int) []byte {
	req, err := http.NewRequest(method, s.url+path, strings.NewReader(body))
	if err != nil {
		s.tb.Fatal(err)
	}
	req.Header.Set("Origin", origin)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Example-Csrf", s.csrf)
	for name, value := range s.cookies {
		req.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	resp, err := s.client.Do(req)
	if err != nil {
		s.tb.Fatal(err)
	}
	text, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if err != nil || resp.StatusCode != status {
		s.tb.Fatalf("%s: %d %s, %v", path, resp.StatusCode, text, err)
	}
	for _, c := range resp.Cookies() {
		if c.MaxAge < 0 {
			delete(s.cookies, c.Name)
			continue
		}
		s.cookies[c.Name], s.bytes[c.Name] = c.Value, len(c.Raw)
	}
	return text
}

// start starts a login and gives the page that the server sends the user to.
func (s *spa) start() (endBody string) {
	var answer struct{ AuthorizationRequestURL string }
	if err := json.Unmarshal(s.call("POST", "/login/start", "", 200), &answer); err != nil {
		s.tb.Fatal(err)
	}
	u, err := url.Parse(answer.AuthorizationRequestURL)
	if err != nil {
		s.tb.Fatal(err)
	}
	q := u.Query()
	body, _ := json.Marshal(map[string]string{"pageUrl": origin + "/?code=" + q.Get("nonce") + "&state=" + q.Get("state")})
	return string(body)
}

func (s *spa) end(body string) {
	var answer struct {
		IsLoggedIn bool
		CSRF       string
	}
	if err := json.Unmarshal(s.call("POST", "/login/end", body, 200), &answer); err != nil || !answer.IsLoggedIn {
		s.tb.Fatalf("not logged in: %+v, %v", answer, err)
	}
	s.csrf = answer.CSRF
}

func loggedIn(tb testing.TB) *spa {
	s := newSPA(tb)
	s.end(s.start())
	return s
}

// BenchmarkBaseline is what the other figures have of client and net/http.
func BenchmarkBaseline(b *testing.B) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "{}") }))
	defer srv.Close()
	s := &spa{tb: b, url: srv.URL, client: srv.Client(), bytes: map[string]int{}}
	b.ReportAllocs()
	for b.Loop() {
		s.call("POST", "/", "{}", 200)
	}
}

func BenchmarkLoginStart(b *testing.B) {
	s := newSPA(b)
	b.ReportAllocs()
	for b.Loop() {
		clear(s.cookies) // a browser without other logins
		s.call("POST", "/login/start", "", 200)
	}
}

func BenchmarkLoginEndPageLoad(b *testing.B) {
	s := loggedIn(b)
	b.ReportAllocs()
	for b.Loop() {
		s.call("POST", "/login/end", `{"pageUrl":"`+origin+`/"}`, 200)
	}
}

func BenchmarkLoginEndComplete(b *testing.B) {
	s := newSPA(b)
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		clear(s.cookies)
		body := s.start()
		b.StartTimer()
		s.end(body)
	}
}

func BenchmarkUserInfo(b *testing.B) { benchmarkGet(b, "/userInfo") }
func BenchmarkClaims(b *testing.B)   { benchmarkGet(b, "/claims") }
func BenchmarkSession(b *testing.B)  { benchmarkGet(b, "/session") }

func benchmarkGet(b *testing.B, path string) {
	s := loggedIn(b)
	b.ReportAllocs()
	for b.Loop() {
		s.call("GET", path, "", 200)
	}
}

// Each call brings the newest refresh token, and costs an exchange.
func BenchmarkRefresh(b *testing.B) {
	s := loggedIn(b)
	b.ReportAllocs()
	for b.Loop() {
		s.call("POST", "/refresh", "", 204)
	}
}

// Each call brings the refresh token that the first one spent, and is answered
// from memory.
func BenchmarkRefreshLate(b *testing.B) {
	s := loggedIn(b)
	spent := maps.Clone(s.cookies)
	b.ReportAllocs()
	for b.Loop() {
		maps.Copy(s.cookies, spent)
		s.call("POST", "/refresh", "", 204)
	}
}

func BenchmarkLogout(b *testing.B) {
	s := loggedIn(b)
	session := maps.Clone(s.cookies)
	b.ReportAllocs()
	for b.Loop() {
		s.cookies = maps.Clone(session)
		s.call("POST", "/logout", "", 200)
	}
}

// BenchmarkCookieBytes tells what a browser stores and what it sends, for an
// access token of 1 KB, an ID token of 1 KB and a refresh token of 0.8 KB.
func BenchmarkCookieBytes(b *testing.B) {
	s := loggedIn(b)
	for b.Loop() { // sizes do not change with time
	}
	b.ReportMetric(0, "ns/op")
	agentBytes, apiBytes := 0, 0
	for name, value := range s.cookies {
		sent := len(name) + len("=") + len(value) + len("; ")
		agentBytes += sent
		if kind := strings.Split(name, "-")[1]; kind == "at" || kind == "csrf" {
			apiBytes += sent
		}
		b.ReportMetric(float64(s.bytes[name]), name+"-bytes")
	}
	b.ReportMetric(float64(agentBytes), "to-agent-bytes")
	b.ReportMetric(float64(apiBytes), "to-API-bytes")
}

// Tokens of the usual sizes take one cookie each, and the benchmarks work.
func TestUsualTokensTakeFourCookies(t *testing.T) {
	s := loggedIn(t)
	for _, path := range []string{"/userInfo", "/claims", "/session"} {
		s.call("GET", path, "", 200)
	}
	s.call("POST", "/refresh", "", 204)
	if len(s.cookies) != 4 {
		t.Errorf("cookies: %v", s.bytes)
	}
	s.call("POST", "/logout", "", 200)
}
