package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"oauth-agent/test/double"
)

// fewFiles starts the program by HTTP/2 with four routes to api, each of another
// kind, and with 128 files.
func fewFiles(t *testing.T, api string, changes map[string]string) (p *installed, host string, roots *x509.CertPool) {
	t.Helper()
	certFile, keyFile, roots := makeCertificate(t)
	var routes []string
	for n := range 4 {
		routes = append(routes, fmt.Sprintf("{path: /api%d, upstream: '%s', public: true, timeout: 1%ds}", n, api, n))
	}
	settings := map[string]string{
		"limits": "{per_address: 4096}", // all are at one address, and share the bound for all
		"tls":    "{cert_file: " + certFile + ", key_file: " + keyFile + "}",
		"routes": "[" + strings.Join(routes, ", ") + "]",
	}
	for key, value := range changes {
		settings[key] = value
	}
	p = prepare(t, nobody, settings)
	p.start(t, exec.Command("/bin/sh", "-c", `ulimit -n 128; exec "$0" "$@"`, itself(t), "--config", p.path("agent.yaml")))
	u, err := url.Parse(p.url)
	if err != nil {
		t.Fatal(err)
	}
	return p, u.Host, roots
}

// oneConnection is a client that has dialled: or each of many requests would.
func oneConnection(t *testing.T, host string, roots *x509.CertPool) *http.Client {
	t.Helper()
	client := &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: roots}, ForceAttemptHTTP2: true}}
	resp, err := client.Get("https://" + host + "/oauth-agent/client.js")
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	return client
}

// many asks that often at a time, and counts the statuses.
func many(ctx context.Context, client *http.Client, url string, n int, each func(*http.Response)) *sync.WaitGroup {
	var wg sync.WaitGroup
	for range n {
		wg.Go(func() {
			req, _ := http.NewRequestWithContext(ctx, "GET", url, nil)
			req.Header.Set("Sec-Fetch-Site", "same-origin")
			if resp, err := client.Do(req); err == nil {
				_ = resp.Body.Close()
				each(resp)
			}
		})
	}
	return &wg
}

// tally counts statuses.
type tally struct {
	mu sync.Mutex
	of map[int]int
}

func (c *tally) add(resp *http.Response) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.of == nil {
		c.of = map[int]int{}
	}
	c.of[resp.StatusCode]++
}

func (c *tally) count(status int) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.of[status]
}

// lives checks that the operator is answered, and that no files ran out.
func (p *installed) lives() {
	p.t.Helper()
	if status, body := p.ask("/livez"); status != 200 {
		p.t.Errorf("/livez: %d %s", status, body)
	}
	if n := p.metric("process_open_fds"); n > 110 {
		p.t.Errorf("%v files are open", n)
	}
	if p.told("too many open files") > 0 {
		p.t.Error("files ran out")
	}
}

// One connection of HTTP/2 brings many requests, and each may hold an upstream. What
// is too much is refused, the files stay for the rest, and gateways are answered.
func TestStreamsLeaveFilesToOthers(t *testing.T) {
	t.Parallel()
	may := make(chan struct{})
	api := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-may }))
	defer api.Close()
	release := sync.OnceFunc(func() { close(may) })
	defer release()
	gateways := fmt.Sprintf("127.0.0.1:%d", double.FreePort(t))
	p, host, roots := fewFiles(t, api.URL, map[string]string{"forward_auth": "{addr: '" + gateways + "'}"})
	var answered tally
	ctx, leave := context.WithCancel(t.Context())
	defer leave()
	client := oneConnection(t, host, roots)
	wg := many(ctx, client, "https://"+host+"/api0/slow", 100, func(resp *http.Response) {
		answered.add(resp)
		if resp.Header.Get("Retry-After") != "1" || resp.ProtoMajor != 2 {
			t.Errorf("%s: %v", resp.Proto, resp.Header)
		}
	})
	p.until("requests are refused", func() bool { return answered.count(http.StatusServiceUnavailable) > 0 })
	p.lives()
	if n := p.metric(`oauth_agent_refusals_total{reason="busy"}`); n < 1 {
		t.Errorf("%v are counted", n)
	}
	resp, err := http.Get("http://" + gateways + "/oauth-agent/authorize")
	if err != nil {
		t.Fatal(err)
	}
	if _ = resp.Body.Close(); resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("a gateway: %d", resp.StatusCode)
	}
	leave()
	wg.Wait()
	release()
	p.until("there is room again", func() bool {
		resp, err := client.Get("https://" + host + "/oauth-agent/client.js")
		if err != nil {
			return false
		}
		_ = resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	})
	p.lives()
}

// Connections to upstreams that wait for the next request are files too, of whichever
// kind of route.
func TestWaitingConnectionsLeaveFilesToOthers(t *testing.T) {
	t.Parallel()
	api := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { time.Sleep(300 * time.Millisecond) }))
	defer api.Close()
	p, host, roots := fewFiles(t, api.URL, nil)
	client := oneConnection(t, host, roots)
	for n := range 4 {
		var answered tally
		many(t.Context(), client, fmt.Sprintf("https://%s/api%d/x", host, n), 34, answered.add).Wait()
		if answered.count(http.StatusOK) != 34 {
			t.Errorf("route %d: %v", n, answered.of)
		}
	}
	p.lives()
}

// Clients who let no answer through hold no more than others: neither in the place
// of a request that was served, nor in that of one that was refused.
func TestAnswersThatNobodyTakesAreBounded(t *testing.T) {
	t.Parallel()
	p, host, roots := fewFiles(t, "http://127.0.0.1:1", map[string]string{"limits": "{connections: 16, per_address: 16}"})
	for range 10 {
		conn, err := tls.Dial("tcp", host, &tls.Config{RootCAs: roots, NextProtos: []string{"h2"}})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.Close() }()
		if err := double.Deaf(conn, "/oauth-agent/client.js", 100); err != nil {
			t.Fatal(err)
		}
		go func() { _, _ = io.Copy(io.Discard, conn) }()
	}
	p.until("requests are refused", func() bool { return p.metric(`oauth_agent_refusals_total{reason="busy"}`) > 0 })
	time.Sleep(200 * time.Millisecond)
	if n := p.metric("go_goroutines"); n > 150 {
		t.Errorf("%v goroutines", n)
	}
	p.lives()
}

// An upload that an API does not read holds up nobody else on its connection.
func TestUploadThatStandsStill(t *testing.T) {
	t.Parallel()
	may := make(chan struct{})
	api := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-may }))
	defer api.Close()
	defer close(may)
	p, host, roots := fewFiles(t, api.URL, map[string]string{"timeouts": "{request: 3s}"})
	client := oneConnection(t, host, roots)
	ctx, leave := context.WithCancel(t.Context())
	defer leave()
	var sent countingReader
	req, _ := http.NewRequestWithContext(ctx, "POST", "https://"+host+"/api0/x", &sent)
	req.Header.Set("Origin", origin)
	go func() {
		if resp, err := client.Do(req); err == nil {
			_ = resp.Body.Close()
		}
	}()
	before := int64(-1)
	p.until("the upload stands still", func() bool {
		now := sent.bytes.Load()
		still := now > 1<<16 && now == before
		before = now
		time.Sleep(50 * time.Millisecond)
		return still
	})
	req, _ = http.NewRequestWithContext(t.Context(), "POST", "https://"+host+"/oauth-agent/login/end", strings.NewReader(`{"pageUrl":"`+origin+`/"}`))
	req.Header.Set("Origin", origin)
	req.Header.Set("Content-Type", "application/json")
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	if _ = resp.Body.Close(); resp.StatusCode != http.StatusOK {
		t.Errorf("status %d", resp.StatusCode)
	}
}

// countingReader has no end.
type countingReader struct{ bytes atomic.Int64 }

func (c *countingReader) Read(p []byte) (int, error) {
	c.bytes.Add(int64(len(p)))
	return len(p), nil
}
