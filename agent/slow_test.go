package agent

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"oauth-agent/agent/config"
)

const (
	testOrigin  = "http://localhost:3000"
	testTimeout = 300 * time.Millisecond
	// slack is for a busy machine: what is told apart is soon and never.
	slack = 5 * time.Second
)

// build makes an agent by these settings, on top of those that every agent has.
// Its authorization server is never there.
func build(t *testing.T, environ ...string) *Server {
	t.Helper()
	return buildOver(t, nil, environ...)
}

// buildOver is build for an authorization server that is transport.
func buildOver(t *testing.T, transport http.RoundTripper, environ ...string) *Server {
	t.Helper()
	return buildFrom(t, "", transport, environ...)
}

// buildFrom is buildOver with a file of settings.
func buildFrom(t *testing.T, file string, transport http.RoundTripper, environ ...string) *Server {
	t.Helper()
	cfg, err := config.Load(file, append([]string{
		"ISSUER=http://127.0.0.1:1", "CLIENT_ID=spa", "CLIENT_SECRET=c4nary-secret",
		"REDIRECT_URI=" + testOrigin + "/", "TRUSTED_WEB_ORIGIN=" + testOrigin,
		"COOKIE_ENCRYPTION_KEY=" + strings.Repeat("a1", 32),
		"REQUEST_TIMEOUT=" + testTimeout.String(),
	}, environ...))
	if err != nil {
		t.Fatal(err)
	}
	a, err := New(context.Background(), cfg, Options{Transport: transport})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.Close() })
	return a
}

func pkceEnv() []string {
	return []string{
		"OAUTH_CLIENT_ID=proxy", "OAUTH_CLIENT_SECRET=c4nary-secret",
		"OAUTH_AUTH_URL=http://127.0.0.1:1/authorize", "OAUTH_TOKEN_URL=http://127.0.0.1:1/token",
		"OAUTH_REDIRECT_URL=http://127.0.0.1:2/callback", "OAUTH_ALLOWED_REDIRECT_URIS=http://127.0.0.1/cb",
		"JWT_SIGNING_KEY=" + strings.Repeat("b2", 32), "ENCRYPTION_KEY=" + strings.Repeat("c3", 32),
	}
}

// A body that never comes must hold nothing: not the answer, which net/http
// sends only after it has read what is left of a body, and not the connection.
func TestBodyThatNeverComesHoldsNothing(t *testing.T) {
	upstream := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(upstream.Close)
	a := build(t, append(pkceEnv(), "ROUTES=/api/="+upstream.URL, "FORWARD_AUTH_ADDR=127.0.0.1:8081")...)
	public, gateways := httptest.NewServer(a.Handler()), httptest.NewServer(a.ForwardAuth())
	t.Cleanup(public.Close)
	t.Cleanup(gateways.Close)

	const trusted, preflight = "Origin: " + testOrigin + "\r\n", "Access-Control-Request-Method: POST\r\n"
	for _, tt := range []struct {
		name, line, header string
		status             int
	}{
		{"no origin", "POST /oauth-agent/login/start", "", 401},
		{"trusted origin", "POST /oauth-agent/login/start", trusted, 400},
		{"nothing there", "POST /nowhere", trusted, 404},
		{"method", "DELETE /oauth-agent/login/start", trusted, 405},
		{"preflight", "OPTIONS /oauth-agent/login/start", trusted + preflight, 204},
		{"preflight of a route", "OPTIONS /api/x", trusted + preflight, 204},
		{"a route without a session", "POST /api/x", trusted, 401},
		{"forward auth, where it is not", "POST /oauth-agent/authorize", trusted, 404},
		{"the page's library", "GET /oauth-agent/client.js", "", 200},
		{"PKCE proxy", "POST /oauth/token", "", 400},
		{"PKCE proxy, GET", "GET /oauth/authorize", "", 400},
		{"PKCE proxy, preflight", "OPTIONS /oauth/token", preflight, 204},
		{"CONNECT", "CONNECT host:80", "", 405},
		{"expects to be told to go on", "POST /oauth-agent/login/start", "Expect: 100-continue\r\n", 401},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			conn := send(t, public, tt.line+" HTTP/1.1\r\nHost: x\r\n"+tt.header+"Content-Length: 60000\r\n\r\n{")
			endsWith(t, conn, tt.status)
		})
	}
	t.Run("chunked", func(t *testing.T) {
		t.Parallel()
		endsWith(t, send(t, public, "POST /nowhere HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"), 404)
	})
	// nginx sends the Content-Length along with a subrequest, and no body.
	t.Run("gateway", func(t *testing.T) {
		t.Parallel()
		endsWith(t, send(t, gateways, "GET /oauth-agent/authorize HTTP/1.1\r\nHost: x\r\n"+trusted+"Content-Length: 60000\r\n\r\n"), 401)
	})
}

// What the OAuth Proxy does not pass on is answered soon, however long a body may
// take otherwise.
func TestRefusedUploadIsNotWaitedFor(t *testing.T) {
	upstream := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) }))
	t.Cleanup(upstream.Close)
	file := filepath.Join(t.TempDir(), "agent.yaml")
	settings := fmt.Sprintf("routes:\n- {path: /api/, upstream: %[1]q, public: true, csrf: false, timeout: 1s}\n"+
		"- {path: /private/, upstream: %[1]q}\n- {path: /small/, upstream: %[1]q, max_body: 10, public: true, csrf: false}\n"+
		"- {path: /get/, upstream: %[1]q, methods: [GET]}\n- {path: /gone/, upstream: 'http://127.0.0.1:1', public: true, csrf: false}\n", upstream.URL)
	if err := os.WriteFile(file, []byte(settings), 0o600); err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(buildFrom(t, file, nil, "REQUEST_TIMEOUT=10m").Handler())
	t.Cleanup(srv.Close)
	for _, tt := range []struct {
		target, rest string
		status       int
	}{
		{"POST /private/x", "Content-Length: 60000\r\n", 401},
		{"POST /private/x", "Transfer-Encoding: chunked\r\n\r\n50", 401},
		{"POST /private/%2e%2e/x", "Content-Length: 60000\r\n", 400},
		{"POST /get/x", "Content-Length: 60000\r\n", 405},
		{"POST /small/x", "Content-Length: 60000\r\n", 413},
		{"POST /small/x", "Transfer-Encoding: chunked\r\n\r\n40", 413}, // found while reading
		{"POST /gone/x", "Content-Length: 60000\r\n", 502},
		{"POST /api/x", "Content-Length: 60000\r\n", 408},
		{"OPTIONS /api/x", "Access-Control-Request-Method: POST\r\nContent-Length: 60000\r\n", 204},
	} {
		t.Run(tt.target+", "+tt.rest, func(t *testing.T) {
			t.Parallel()
			endsWith(t, send(t, srv, tt.target+" HTTP/1.1\r\nHost: x\r\nOrigin: "+testOrigin+"\r\n"+tt.rest+"\r\n"+strings.Repeat("x", 64)), tt.status)
		})
	}
}

// A body for an API may take longer than one for the agent, as long as it goes on.
func TestUploadTakesItsTime(t *testing.T) {
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(w, r.Body) }))
	t.Cleanup(upstream.Close)
	file := filepath.Join(t.TempDir(), "agent.yaml")
	settings := fmt.Sprintf("routes:\n- {path: /api/, upstream: %q, public: true, csrf: false}\n", upstream.URL)
	if err := os.WriteFile(file, []byte(settings), 0o600); err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(buildFrom(t, file, nil).Handler())
	t.Cleanup(srv.Close)
	conn := send(t, srv, "POST /api/x HTTP/1.1\r\nHost: x\r\nOrigin: "+testOrigin+"\r\nContent-Length: 4\r\n\r\n")
	for range 4 {
		time.Sleep(testTimeout / 2)
		_, _ = io.WriteString(conn, "x")
	}
	_ = conn.SetReadDeadline(time.Now().Add(slack))
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	if body, err := io.ReadAll(resp.Body); resp.StatusCode != 200 || string(body) != "xxxx" || resp.Close {
		t.Errorf("status %d, %q, %v, closed: %v", resp.StatusCode, body, err, resp.Close)
	}
}

// What follows a request in chunks on its connection may be hidden in a length that it
// had as well: no answer of ours leaves such a connection open.
func TestChunksEndTheConnection(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "index.html"), []byte("<!doctype html><title>x</title>"), 0o600); err != nil {
		t.Fatal(err)
	}
	a := build(t, append(pkceEnv(), "ROUTES=/api/=http://127.0.0.1:1", "FORWARD_AUTH_ADDR=127.0.0.1:8081", "SPA_DIR="+dir)...)
	public, gateways, admin := httptest.NewServer(a.Handler()), httptest.NewServer(a.ForwardAuth()), httptest.NewServer(a.Admin())
	t.Cleanup(public.Close)
	t.Cleanup(gateways.Close)
	t.Cleanup(admin.Close)
	const preflight = "Access-Control-Request-Method: POST\r\n"
	for _, tt := range []struct {
		srv          *httptest.Server
		line, header string
		status       int
	}{
		{public, "POST /oauth-agent/login/end", "Content-Type: application/json\r\n", 400},
		{public, "POST /oauth-agent/refresh", "", 401},
		{public, "GET /oauth-agent/session", "", 200},
		{public, "OPTIONS /oauth-agent/session", preflight, 204},
		{public, "GET /oauth-agent/client.js", "", 200},
		{public, "GET /oauth-agent/nowhere", "", 404},
		{public, "GET /", "", 200},
		{public, "POST /api/x", "", 401},
		{public, "POST /oauth/token", "", 400},
		{public, "GET /oauth/authorization", "", 400},
		{gateways, "GET /oauth-agent/authorize", "", 401},
		{admin, "POST /livez", "", 405},
		{admin, "GET /livez", "", 200},
	} {
		for _, length := range []string{"", "Content-Length: 4\r\n"} {
			conn := send(t, tt.srv, tt.line+" HTTP/1.1\r\nHost: x\r\nOrigin: "+testOrigin+"\r\n"+tt.header+length+
				"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /oauth-agent/hidden HTTP/1.1\r\nHost: x\r\n\r\n")
			_ = conn.SetReadDeadline(time.Now().Add(slack))
			all, err := io.ReadAll(conn)
			if err != nil && !errors.Is(err, syscall.ECONNRESET) {
				t.Errorf("%s: the connection stays: %v", tt.line, err)
			}
			if !strings.HasPrefix(string(all), fmt.Sprintf("HTTP/1.1 %d ", tt.status)) || strings.Count(string(all), "HTTP/1.1 ") != 1 {
				t.Errorf("%s: %.200q, want one answer with %d", tt.line, all, tt.status)
			}
		}
	}
}

func send(t *testing.T, srv *httptest.Server, text string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", srv.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if _, err := io.WriteString(conn, text); err != nil {
		t.Fatal(err)
	}
	return conn
}

// endsWith wants an answer, and the end of the connection, soon.
func endsWith(t *testing.T, conn net.Conn, status int) {
	t.Helper()
	_ = conn.SetReadDeadline(time.Now().Add(testTimeout + slack))
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatalf("no answer: %v", err)
	}
	if resp.StatusCode != status {
		t.Errorf("status %d, want %d", resp.StatusCode, status)
	}
	if _, err := io.Copy(io.Discard, conn); errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error("the connection is held")
	}
}

// A connection whose requests have been read is kept, whatever the answer.
func TestConnectionIsKeptAfterABodyThatWasRead(t *testing.T) {
	srv := httptest.NewServer(build(t).Handler())
	defer srv.Close()
	conn := send(t, srv, "")
	answers := bufio.NewReader(conn)
	for range 3 {
		_, err := io.WriteString(conn, "POST /oauth-agent/login/end HTTP/1.1\r\nHost: x\r\nOrigin: "+testOrigin+"\r\n"+
			"Content-Type: application/json\r\nContent-Length: 37\r\n\r\n"+`{"pageUrl": "http://localhost:3000/"}`)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.ReadResponse(answers, nil)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		if resp.StatusCode != 200 || resp.Close {
			t.Errorf("status %d, closed: %v", resp.StatusCode, resp.Close)
		}
		time.Sleep(testTimeout + testTimeout/10) // a deadline that still stood would end it
	}
}

// One slow body is one stream's matter: in HTTP/2 the others go on.
func TestSlowBodyOverHTTP2(t *testing.T) {
	srv := httptest.NewUnstartedServer(build(t).Handler())
	srv.EnableHTTP2 = true
	srv.StartTLS()
	defer srv.Close()
	transport := srv.Client().Transport.(*http.Transport).Clone()
	transport.ForceAttemptHTTP2 = true
	defer transport.CloseIdleConnections()
	dials := 0
	transport.DialTLSContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
		dials++
		return (&tls.Dialer{Config: transport.TLSClientConfig}).DialContext(ctx, network, addr)
	}
	client := &http.Client{Transport: transport, Timeout: testTimeout + slack}

	for path, want := range map[string]int{"/oauth-agent/login/end": 400, "/nowhere": 404} {
		body, end := io.Pipe()
		go func() { _, _ = io.WriteString(end, "{") }()
		resp := ask(t, client, http.MethodPost, srv.URL+path, body)
		if resp.StatusCode != want || resp.ProtoMajor != 2 {
			t.Errorf("%s: %s %d, want %d", path, resp.Proto, resp.StatusCode, want)
		}
		_ = end.Close()
	}
	if resp := ask(t, client, http.MethodPost, srv.URL+"/oauth-agent/login/end", strings.NewReader(`{"pageUrl":"http://localhost:3000/"}`)); resp.StatusCode != 200 {
		t.Errorf("after it: %d", resp.StatusCode)
	}
	if dials != 1 {
		t.Errorf("%d connections, want 1", dials)
	}
}

func ask(t *testing.T, client *http.Client, method, url string, body io.Reader) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, body)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Origin", testOrigin)
	req.Header.Set("Content-Type", "application/json")
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	return resp
}

// A preflight is an answer like any other.
func TestEveryAnswerOfOursIsHardened(t *testing.T) {
	srv := httptest.NewServer(build(t, pkceEnv()...).Handler())
	defer srv.Close()
	for _, path := range []string{"/oauth-agent/login/start", "/oauth-agent/logout/continue", "/nowhere", "/oauth/token"} {
		for _, method := range []string{"OPTIONS", "PUT"} {
			req, _ := http.NewRequestWithContext(t.Context(), method, srv.URL+path, nil)
			req.Header.Set("Origin", testOrigin)
			req.Header.Set("Access-Control-Request-Method", "POST")
			resp, err := srv.Client().Do(req)
			if err != nil {
				t.Fatal(err)
			}
			_ = resp.Body.Close()
			if h := resp.Header; h.Get("Cache-Control") != "no-store" || h.Get("X-Content-Type-Options") != "nosniff" {
				t.Errorf("%s %s: %d, %v", method, path, resp.StatusCode, h)
			}
		}
	}
}
