package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"oauth-agent/test/idp"
)

// running is the program in this process.
type running struct {
	t      *testing.T
	origin string
	stdout *lockedBuffer
	client *http.Client
}

var opened = regexp.MustCompile(`Open +(http://localhost:\d+)\n`)

// start runs the program until the test ends, which it must do without an error.
func start(t *testing.T, args ...string) *running {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	stdout := &lockedBuffer{written: make(chan struct{}, 100)}
	done := make(chan error, 1)
	go func() { done <- run(ctx, args, stdout, io.Discard) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Errorf("run: %v", err)
		}
	})
	for !strings.Contains(stdout.String(), "Ctrl-C") {
		select {
		case <-stdout.written:
		case err := <-done:
			done <- err
			t.Fatalf("ended: %v", err)
		}
	}
	jar, _ := cookiejar.New(nil)
	return &running{
		t: t, stdout: stdout, origin: opened.FindStringSubmatch(stdout.String())[1],
		client: &http.Client{
			Jar:           jar,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

// call sends what the page would send and gives the JSON answer.
func (r *running) call(method, path string, body any) map[string]any {
	r.t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		r.t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(r.t.Context(), method, r.origin+path, bytes.NewReader(text))
	if err != nil {
		r.t.Fatal(err)
	}
	req.Header.Set("Origin", r.origin)
	req.Header.Set("Content-Type", "application/json")
	res, err := r.client.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	var answer map[string]any
	if err := json.NewDecoder(res.Body).Decode(&answer); err != nil || res.StatusCode != http.StatusOK {
		r.t.Fatalf("%s %s: %d %v %v", method, path, res.StatusCode, answer, err)
	}
	return answer
}

func TestLogin(t *testing.T) {
	t.Parallel()
	report := filepath.Join(t.TempDir(), "report.json")
	r := start(t, "-port", "0", "-test-report", report)

	begun := r.call("POST", "/oauth-agent/login/start", struct{}{})
	location, err := idp.Login(t.Context(), r.client, begun["authorizationRequestUrl"].(string), "zoe", "zoe")
	if err != nil {
		t.Fatal(err)
	}
	ended := r.call("POST", "/oauth-agent/login/end", map[string]string{"pageUrl": location})
	if ended["handled"] != true || ended["isLoggedIn"] != true {
		t.Fatalf("login/end: %v", ended)
	}
	if info := r.call("GET", "/oauth-agent/userInfo", nil); info["name"] != "Zoë Łukasiewicz" {
		t.Errorf("userInfo: %v", info)
	}
	checkCookieList(t, r.call("GET", "/oauth-agent/demo/cookies", nil))
	checkReport(t, report)
}

func checkCookieList(t *testing.T, list map[string]any) {
	t.Helper()
	paths := map[string]string{}
	for _, c := range list["cookies"].([]any) {
		c := c.(map[string]any)
		paths[c["name"].(string)] = c["path"].(string)
		if c["bytes"].(float64) < 100 || !slices.Equal(c["attributes"].([]any), []any{"HttpOnly", "SameSite=Strict"}) {
			t.Errorf("cookie: %v", c)
		}
		if c["value"] != nil {
			t.Errorf("a value: %v", c)
		}
	}
	if len(paths) != 4 || paths["agent-at"] != "/" || paths["agent-csrf"] != "/" ||
		paths["agent-auth"] != "/oauth-agent" || paths["agent-id"] != "/oauth-agent" {
		t.Errorf("cookies: %v", paths)
	}
}

func checkReport(t *testing.T, file string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var report struct {
		Issued []string       `json:"issued"`
		Counts map[string]int `json:"counts"`
	}
	if err := json.Unmarshal(text, &report); err != nil {
		t.Fatal(err)
	}
	if len(report.Issued) != 4 || report.Counts["authorization_code"] != 1 {
		t.Errorf("%d values issued, counts %v", len(report.Issued), report.Counts)
	}
}

func TestOtherHost(t *testing.T) {
	t.Parallel()
	r := start(t, "-port", "0")
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, r.origin+"/demo/app.js", nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, host := range []string{"127.0.0.1" + strings.TrimPrefix(r.origin, "http://localhost"), "evil.example", "localhost"} {
		req.Host = host
		res, err := r.client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if res.StatusCode != http.StatusTemporaryRedirect || res.Header.Get("Location") != r.origin+"/" {
			t.Errorf("host %s: %d %s", host, res.StatusCode, res.Header.Get("Location"))
		}
	}
}

func TestCookieListIsForOurPage(t *testing.T) {
	t.Parallel()
	r := start(t, "-port", "0")
	for site, want := range map[string]int{"": 200, "same-origin": 200, "same-site": 403, "cross-site": 403, "none": 403} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, r.origin+"/oauth-agent/demo/cookies", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Sec-Fetch-Site", site)
		res, err := r.client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if res.StatusCode != want || res.Header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("Sec-Fetch-Site %q: %d", site, res.StatusCode)
		}
	}
}

func TestPortTaken(t *testing.T) {
	t.Parallel()
	for _, addr := range []string{"127.0.0.1:0", "[::1]:0"} {
		ln, err := new(net.ListenConfig).Listen(t.Context(), "tcp", addr)
		if err != nil {
			t.Logf("%s: %v", addr, err) // a machine without IPv6
			continue
		}
		defer func() { _ = ln.Close() }()
		port := ln.Addr().(*net.TCPAddr).Port
		err = run(t.Context(), []string{"-port", strconv.Itoa(port)}, io.Discard, io.Discard)
		if err == nil || !strings.Contains(err.Error(), "is taken: choose another one") {
			t.Errorf("%s: %v", addr, err)
		}
		l, err := listen(t.Context(), port, true)
		if err != nil || l.port == port {
			t.Errorf("%s: any port: %v", addr, err)
			continue
		}
		l.close()
	}
}

func TestFlags(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ args, want string }{
		{"-nonsense", "not defined"},
		{"extra", `unexpected argument "extra"`},
		{"-access-token-lifetime=10ms", "a second at least"},
		{"-port=70000", "port"},
	} {
		err := run(t.Context(), strings.Fields(c.args), io.Discard, io.Discard)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.args, err)
		}
	}
	var stderr bytes.Buffer
	if err := run(t.Context(), []string{"-h"}, io.Discard, &stderr); err != nil || !strings.Contains(stderr.String(), "-port") {
		t.Errorf("-h: %v %q", err, stderr.String())
	}
}

// lockedBuffer is an output that can be read while it is written.
type lockedBuffer struct {
	mu      sync.Mutex
	text    strings.Builder
	written chan struct{}
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	defer func() { b.written <- struct{}{} }()
	return b.text.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}
