package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"oauth-agent/test/double"
)

const origin = "https://www.example.com"

// program is the program, run as itself.
type program struct {
	t      *testing.T
	cmd    *exec.Cmd
	stderr double.Log
	url    string
}

// startServing starts the program on a free port with settings for a server that has
// nothing but a token endpoint, and waits until it listens.
func startServing(t *testing.T, tokenEndpoint string, env ...string) *program {
	t.Helper()
	p := launch(t, append([]string{
		"PORT=" + strconv.Itoa(double.FreePort(t)), "BIND_ADDRESS=127.0.0.1",
		"AUTHORIZE_ENDPOINT=https://login.example.com/authorize", "TOKEN_ENDPOINT=" + tokenEndpoint,
		"USERINFO_ENDPOINT=https://login.example.com/userinfo", "SCOPE=orders",
		"CLIENT_ID=spa", "CLIENT_SECRET=c4nary-secret", "REDIRECT_URI=" + origin + "/", "TRUSTED_WEB_ORIGIN=" + origin,
		"COOKIE_NAME_PREFIX=example", "COOKIE_ENCRYPTION_KEY=" + strings.Repeat("a1", 32),
	}, env...)...)
	p.awaitListening()
	return p
}

// awaitListening waits until it listens, for url.
func (p *program) awaitListening() {
	p.t.Helper()
	listening := regexp.MustCompile(`msg=listening address=(\S+) tls=(\w+)`)
	p.until("it listens", func() bool {
		m := listening.FindStringSubmatch(p.stderr.String())
		if m != nil {
			p.url = map[string]string{"true": "https://", "false": "http://"}[m[2]] + m[1] + "/oauth-agent"
		}
		return m != nil
	})
}

// until waits for something to come true, and no longer than that takes on the
// busiest of machines.
func (p *program) until(what string, so func() bool) {
	p.t.Helper()
	for range 2000 {
		if so() {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	p.t.Fatalf("it is not so that %s", what)
}

// launch starts the program with these settings and no others.
func launch(t *testing.T, env ...string) *program {
	t.Helper()
	return launchAs(t, exec.Command(itself(t)), env...)
}

// itself is the program, which TestMain made.
func itself(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("oauth-agent")
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func launchAs(t *testing.T, cmd *exec.Cmd, env ...string) *program {
	t.Helper()
	p := &program{t: t, cmd: cmd}
	p.cmd.Env = append([]string{"ADMIN_ADDR=off", "GORACE=" + os.Getenv("GORACE")}, env...)
	p.cmd.Stderr = &p.stderr
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill() // it has ended by itself, in a good test
		if text := p.stderr.String(); strings.Contains(text, "c4nary") || t.Failed() {
			t.Errorf("it wrote:\n%s", text)
		}
	})
	return p
}

// wait gives the exit code.
func (p *program) wait() int {
	p.t.Helper()
	ended := make(chan struct{})
	go func() {
		_ = p.cmd.Wait()
		close(ended)
	}()
	select {
	case <-ended:
	case <-time.After(10 * time.Second):
		p.t.Fatal("it does not end")
	}
	return p.cmd.ProcessState.ExitCode()
}

func (p *program) terminate() {
	p.t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		p.t.Fatal(err)
	}
}

// post sends what a page of the origin would, with cookies.
func (p *program) post(client *http.Client, path, body string, cookies ...*http.Cookie) (*http.Response, map[string]any, error) {
	req, err := http.NewRequest("POST", p.url+path, strings.NewReader(body))
	if err != nil {
		return nil, nil, err
	}
	req.Header.Set("Origin", origin)
	for _, c := range cookies {
		req.AddCookie(c)
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	var answer map[string]any
	return resp, answer, json.NewDecoder(resp.Body).Decode(&answer)
}

// startLogin gives the body for /login/end that completes a login, and the
// cookies that it needs.
func (p *program) startLogin(client *http.Client) (string, []*http.Cookie) {
	p.t.Helper()
	req, _ := http.NewRequest("POST", p.url+"/login/start", nil)
	req.Header.Set("Origin", origin)
	resp, err := client.Do(req)
	if err != nil {
		p.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	var answer struct{ AuthorizationRequestURL string }
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		p.t.Fatal(err)
	}
	u, err := url.Parse(answer.AuthorizationRequestURL)
	if err != nil {
		p.t.Fatal(err)
	}
	return `{"pageUrl":"` + origin + `/?code=c4nary-code&state=` + u.Query().Get("state") + `"}`, resp.Cookies()
}

// tokenServer answers a token request once it may.
func tokenServer(t *testing.T) (srv *httptest.Server, arrived chan struct{}, may chan struct{}) {
	t.Helper()
	arrived, may = make(chan struct{}, 1), make(chan struct{})
	srv = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost { // whether there is a server at all
			w.WriteHeader(http.StatusMethodNotAllowed)
			return
		}
		arrived <- struct{}{}
		select {
		case <-may:
		case <-r.Context().Done():
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"access_token":"c4nary-access","refresh_token":"c4nary-refresh","token_type":"Bearer"}`)
	}))
	t.Cleanup(srv.Close)
	return srv, arrived, may
}

// SIGTERM: no new requests, and the one that runs is answered.
func TestTerminationDrains(t *testing.T) {
	as, arrived, may := tokenServer(t)
	p := startServing(t, as.URL)
	answered := p.endLogin()
	<-arrived
	p.terminate()
	p.untilRefused()
	close(may)
	if answer := <-answered; answer["isLoggedIn"] != true {
		t.Errorf("the running request was answered %v", answer)
	}
	if code := p.wait(); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

// endLogin starts a login, and ends it in the background.
func (p *program) endLogin() (answered <-chan map[string]any) {
	p.t.Helper()
	end, cookies := p.startLogin(http.DefaultClient)
	answers := make(chan map[string]any, 1)
	go func() {
		_, answer, err := p.post(http.DefaultClient, "/login/end", end, cookies...)
		if err != nil {
			p.t.Errorf("the running request: %v", err)
		}
		answers <- answer
	}()
	return answers
}

// untilRefused waits until nobody listens any more.
func (p *program) untilRefused() {
	p.t.Helper()
	u, _ := url.Parse(p.url)
	p.until("nobody listens", func() bool {
		conn, err := net.Dial("tcp", u.Host)
		if err == nil {
			_ = conn.Close()
		}
		return err != nil
	})
}

func TestTerminationDoesNotWaitForEver(t *testing.T) {
	as, arrived, may := tokenServer(t)
	defer close(may)
	p := startServing(t, as.URL, "SHUTDOWN_TIMEOUT=50ms")
	end, cookies := p.startLogin(http.DefaultClient)
	cutOff := make(chan error, 1)
	go func() {
		_, _, err := p.post(http.DefaultClient, "/login/end", end, cookies...)
		cutOff <- err
	}()
	<-arrived
	p.terminate()
	if code := p.wait(); code != 1 || !strings.Contains(p.stderr.String(), "oauth-agent: some requests did not finish in time") {
		t.Errorf("exit code %d", code)
	}
	if err := <-cutOff; err == nil {
		t.Error("the request was answered all the same")
	}
}

// Without a server to talk to the program starts, and serves what it can.
func TestStartsWhileTheServerIsDown(t *testing.T) {
	p := startServing(t, "", "AUTHORIZE_ENDPOINT=", "USERINFO_ENDPOINT=", "ISSUER=http://127.0.0.1:1")
	_, answer, err := p.post(http.DefaultClient, "/login/end", `{"pageUrl":"`+origin+`/"}`)
	if err != nil || answer["isLoggedIn"] != false {
		t.Errorf("%v, %v", answer, err)
	}
	resp, answer, err := p.post(http.DefaultClient, "/login/start", "")
	if err != nil || resp.StatusCode != 502 || answer["code"] != "authorization_server_error" {
		t.Errorf("%v, %v", answer, err)
	}
	p.terminate()
	if code := p.wait(); code != 0 || !strings.Contains(p.stderr.String(), "authorization server not available yet") {
		t.Errorf("exit code %d", code)
	}
}

func TestPortInUse(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	p := launch(t, "PORT="+strconv.Itoa(listener.Addr().(*net.TCPAddr).Port), "BIND_ADDRESS=127.0.0.1",
		"ISSUER=http://127.0.0.1:1", "CLIENT_ID=spa", "CLIENT_SECRET=c4nary-secret", "REDIRECT_URI="+origin+"/",
		"TRUSTED_WEB_ORIGIN="+origin, "COOKIE_ENCRYPTION_KEY="+strings.Repeat("a1", 32))
	if code := p.wait(); code != 1 || !regexp.MustCompile(`oauth-agent: cannot listen .*PORT.*: address already in use\n$`).MatchString(p.stderr.String()) {
		t.Errorf("exit code %d: %s", code, &p.stderr)
	}
}

func TestTLS(t *testing.T) {
	as, _, may := tokenServer(t)
	close(may)
	certFile, keyFile, roots := makeCertificate(t)
	p := startServing(t, as.URL, "SERVER_CERT_FILE="+certFile, "SERVER_KEY_FILE="+keyFile)
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, ForceAttemptHTTP2: true}}
	end, cookies := p.startLogin(client)
	resp, answer, err := p.post(client, "/login/end", end, cookies...)
	if err != nil || answer["isLoggedIn"] != true {
		t.Fatalf("%v, %v", answer, err)
	}
	if resp.ProtoMajor != 2 || resp.TLS.Version != tls.VersionTLS13 {
		t.Errorf("%s over TLS %x", resp.Proto, resp.TLS.Version)
	}
	var names []string
	for _, c := range resp.Cookies() {
		if c.MaxAge >= 0 {
			names = append(names, c.Name)
		}
		if !c.Secure || !c.HttpOnly {
			t.Errorf("%s", c.Raw)
		}
	}
	slices.Sort(names)
	if want := []string{"__Host-Http-example-at", "__Host-Http-example-csrf", "__Secure-example-auth"}; !slices.Equal(names, want) {
		t.Errorf("cookies %v, want %v", names, want)
	}
	if _, err := tls.Dial("tcp", resp.Request.URL.Host, &tls.Config{RootCAs: roots, MaxVersion: tls.VersionTLS11}); err == nil {
		t.Error("TLS 1.1 is spoken")
	}
	client.CloseIdleConnections() // or the goodbye of HTTP/2 takes a second
	p.terminate()
	if code := p.wait(); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

// makeCertificate makes one for 127.0.0.1.
func makeCertificate(t *testing.T) (certFile, keyFile string, roots *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	certFile, keyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	certPEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	for path, text := range map[string][]byte{certFile: certPEM, keyFile: pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})} {
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	roots = x509.NewCertPool()
	roots.AppendCertsFromPEM(certPEM)
	return certFile, keyFile, roots
}
