package main

import (
	"bufio"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"oauth-agent/agent/config"
	"oauth-agent/test/double"
)

// The wait before the end: everything goes on but /readyz, then clients are asked
// to connect anew, and then it ends.
func TestShutdownDelay(t *testing.T) {
	t.Parallel()
	as := rotating(t)
	api := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer api.Close()
	p := install(t, as.Issuer, map[string]string{
		"shutdown_delay": "4s", "routes": "[{path: /api/, upstream: '" + api.URL + "', public: true}]",
	})
	p.until("it is ready", func() bool { status, _ := p.ask("/readyz"); return status == 200 })
	p.terminate()
	began := time.Now()
	p.until("it is not ready", func() bool { status, _ := p.ask("/readyz"); return status == 503 })
	if status, body := p.ask("/livez"); status != 200 {
		t.Errorf("/livez: %d %s", status, body)
	}
	if b := p.login(); len(b.cookies) == 0 {
		t.Error("logins do not go on")
	}
	p.hangup() // changes nothing any more
	u, _ := url.Parse(p.url)
	conn, err := net.Dial("tcp", u.Host)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	in, asked := bufio.NewReader(conn), 0
	for closing := false; !closing; asked++ {
		_, _ = io.WriteString(conn, "GET /oauth-agent/client.js HTTP/1.1\r\nHost: x\r\n\r\n")
		resp, err := http.ReadResponse(in, nil)
		if err != nil {
			t.Fatalf("request %d of a connection was lost: %v", asked, err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		closing = resp.Close
		time.Sleep(20 * time.Millisecond)
	}
	if _, _, resp := p.open("GET /api/x HTTP/1.1"); resp.StatusCode != 200 || !resp.Close {
		t.Errorf("an API call: %d, closed: %v", resp.StatusCode, resp.Close)
	}
	if took := time.Since(began); took < 1900*time.Millisecond || asked < 2 {
		t.Errorf("after %v and %d requests clients were sent elsewhere", took, asked)
	}
	if code := p.wait(); code != 0 || time.Since(began) < 3900*time.Millisecond {
		t.Errorf("exit code %d after %v", code, time.Since(began))
	}
	if p.told(applied)+p.told(refused) > 0 {
		t.Error("settings were loaded while it stopped")
	}
}

// Who has connected before the end, and asks a moment after it, is answered.
func TestRequestOfANewConnectionIsAnswered(t *testing.T) {
	p := install(t, nobody, nil)
	u, _ := url.Parse(p.url)
	conn, err := net.Dial("tcp", u.Host)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	p.serves(origin) // and so the connection before this one was accepted
	p.terminate()
	p.untilRefused()
	time.Sleep(50 * time.Millisecond)
	_, _ = io.WriteString(conn, "GET /oauth-agent/client.js HTTP/1.1\r\nHost: x\r\n\r\n")
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatalf("the request was lost: %v", err)
	}
	if resp.StatusCode != 200 || !resp.Close {
		t.Errorf("status %d, closed: %v", resp.StatusCode, resp.Close)
	}
	if code := p.wait(); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

// What a client streams over HTTP/2 cannot be sent again, and is served until the
// very end of the wait.
func TestStreamedBodiesBeforeTheEnd(t *testing.T) {
	t.Parallel()
	api := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) }))
	defer api.Close()
	certFile, keyFile, trusted := makeCertificate(t)
	p := install(t, nobody, map[string]string{
		"shutdown_delay": "3s", "routes": "[{path: /api/, upstream: '" + api.URL + "', public: true}]",
		"tls": "{cert_file: " + certFile + ", key_file: " + keyFile + "}",
	})
	wire := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: trusted}, ForceAttemptHTTP2: true}
	defer wire.CloseIdleConnections()
	send := func() error {
		body, in := io.Pipe()
		go func() {
			for range 3 {
				_, _ = io.WriteString(in, "part")
				time.Sleep(2 * time.Millisecond)
			}
			_ = in.Close()
		}()
		req, _ := http.NewRequest("POST", p.root()+"/api/x", body)
		req.Header.Set("Origin", origin)
		resp, err := wire.RoundTrip(req)
		if err == nil {
			_, err = io.Copy(io.Discard, resp.Body)
			_ = resp.Body.Close()
		}
		if err == nil && (resp.StatusCode != 200 || resp.ProtoMajor != 2) {
			err = errors.New(resp.Proto + " " + resp.Status)
		}
		return err
	}
	if err := send(); err != nil {
		t.Fatal(err)
	}
	p.terminate()
	end := time.Now().Add(2500 * time.Millisecond) // within the wait, also on a busy machine
	var clients sync.WaitGroup
	var sent atomic.Int64
	for range 8 {
		clients.Go(func() {
			for time.Now().Before(end) && !t.Failed() {
				if err := send(); err != nil {
					t.Errorf("request %d: %v", sent.Load(), err)
				}
				sent.Add(1)
			}
		})
	}
	clients.Wait()
	wire.CloseIdleConnections()
	if code := p.wait(); code != 0 || sent.Load() < 20 {
		t.Errorf("exit code %d after %d requests", code, sent.Load())
	}
}

func TestSecondSignalEndsTheWait(t *testing.T) {
	p := install(t, nobody, map[string]string{"shutdown_delay": "10m"})
	p.terminate()
	p.until("it is not ready", func() bool { _, body := p.ask("/readyz"); return strings.Contains(body, "shutdown") })
	p.terminate()
	if code := p.wait(); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

// The operator's port is there until the very end, and the running request is
// answered.
func TestOperatorsPortGoesLast(t *testing.T) {
	as, arrived, may := tokenServer(t)
	p := install(t, "", map[string]string{
		"endpoints": "{authorize: 'https://login.example.com/authorize', token: '" + as.URL + "'}", "scope": "orders",
	})
	answered := p.endLogin()
	<-arrived
	p.terminate()
	p.untilRefused()
	if status, _ := p.ask("/readyz"); status != 503 {
		t.Errorf("/readyz: %d", status)
	}
	if status, _ := p.ask("/metrics"); status != 200 {
		t.Errorf("/metrics: %d", status)
	}
	close(may)
	if answer := <-answered; answer["isLoggedIn"] != true {
		t.Errorf("the running request was answered %v", answer)
	}
	if code := p.wait(); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

func TestOperatorsPortInUse(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	p := launch(t, "PORT="+strconv.Itoa(double.FreePort(t)), "BIND_ADDRESS=127.0.0.1", "ADMIN_ADDR="+listener.Addr().String(),
		"ISSUER="+nobody, "CLIENT_ID=spa", "CLIENT_SECRET=c4nary-secret", "REDIRECT_URI="+origin+"/",
		"TRUSTED_WEB_ORIGIN="+origin, "COOKIE_ENCRYPTION_KEY="+strings.Repeat("a1", 32))
	if code := p.wait(); code != 1 || !strings.Contains(p.stderr.String(), "cannot listen at admin_addr (ADMIN_ADDR): ") {
		t.Errorf("exit code %d: %s", code, &p.stderr)
	}
}

// A second instance on one machine starts, and serves: nobody has said where its
// operator's port should be.
func TestOperatorsDefaultPortInUse(t *testing.T) {
	if listener, err := net.Listen("tcp", config.DefaultAdminAddr); err == nil {
		defer func() { _ = listener.Close() }()
	} // else it is taken already, which does as well
	for name, env := range map[string][]string{
		"not set":      {"ADMIN_ADDR="},
		"the public":   {"ADMIN_ADDR=", "PORT=7090", "BIND_ADDRESS=127.0.0.2"},
		"the gateways": {"ADMIN_ADDR=", "FORWARD_AUTH_ADDR=127.0.0.2:7090"},
	} {
		t.Run(name, func(t *testing.T) {
			p := startServing(t, nobody, env...)
			if told := p.stderr.String(); !strings.Contains(told, "level=WARN") || !strings.Contains(told, "set admin_addr (ADMIN_ADDR)") ||
				!strings.Contains(told, "address already in use") || strings.Contains(told, "listening for operators") {
				t.Errorf("it says:\n%s", told)
			}
			p.terminate()
			if code := p.wait(); code != 0 {
				t.Errorf("exit code %d", code)
			}
		})
	}
	// The same address is an error where it was asked for.
	p := launch(t, "PORT="+strconv.Itoa(double.FreePort(t)), "BIND_ADDRESS=127.0.0.1", "ADMIN_ADDR="+config.DefaultAdminAddr,
		"ISSUER="+nobody, "CLIENT_ID=spa", "CLIENT_SECRET=c4nary-secret", "REDIRECT_URI="+origin+"/",
		"TRUSTED_WEB_ORIGIN="+origin, "COOKIE_ENCRYPTION_KEY="+strings.Repeat("a1", 32))
	if code := p.wait(); code != 1 || !strings.Contains(p.stderr.String(), "cannot listen at admin_addr (ADMIN_ADDR): ") {
		t.Errorf("exit code %d: %s", code, &p.stderr)
	}
}

func TestHealthcheck(t *testing.T) {
	as := rotating(t)
	p := install(t, as.Issuer, map[string]string{"shutdown_delay": "10m"})
	check := func(args ...string) (string, error) {
		var out strings.Builder
		err := run(append([]string{"healthcheck", "--config", p.path("agent.yaml")}, args...), nil, &out, io.Discard)
		return out.String(), err
	}
	p.until("it is healthy", func() bool { out, err := check(); return err == nil && out == "ready\n" })
	if out, err := check("--live"); err != nil || out != "live\n" {
		t.Errorf("%q, %v", out, err)
	}
	// What the process goes on without, it is healthy without.
	p.set(map[string]string{"prot": "80", "client_secret_file": "/nowhere"})
	if _, err := check(); err != nil {
		t.Error(err)
	}
	p.terminate()
	p.until("it is not ready", func() bool {
		out, err := check()
		return err != nil && out == "" && strings.HasPrefix(err.Error(), "not ready: 503 {") && strings.Contains(err.Error(), "shutdown") && !strings.Contains(err.Error(), "\n")
	})
	if _, err := check("--live"); err != nil {
		t.Error(err)
	}
	p.terminate()
	p.wait()
	if _, err := check(); err == nil || !strings.Contains(err.Error(), "connection refused") {
		t.Errorf("nobody there: %v", err)
	}
}

// A process that hangs does not hang its health check.
func TestHealthcheckIsBounded(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	began := time.Now()
	err = run([]string{"healthcheck"}, []string{"ADMIN_ADDR=" + listener.Addr().String()}, io.Discard, io.Discard)
	if took := time.Since(began); err == nil || took > 2*healthTimeout {
		t.Errorf("%v after %v", err, took)
	}
}
