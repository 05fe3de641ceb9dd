package main

import (
	"context"
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"
)

// One connection of HTTP/2 brings many requests, and each may hold an upstream. What
// is too much is refused, and the files stay for the rest.
func TestStreamsLeaveFilesToOthers(t *testing.T) {
	t.Parallel()
	may := make(chan struct{})
	api := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-may }))
	defer api.Close()
	release := sync.OnceFunc(func() { close(may) })
	defer release()
	certFile, keyFile, roots := makeCertificate(t)
	p := prepare(t, nobody, map[string]string{
		"tls":    "{cert_file: " + certFile + ", key_file: " + keyFile + "}",
		"routes": "[{path: /api, upstream: '" + api.URL + "', public: true}]",
	})
	p.start(t, exec.Command("/bin/sh", "-c", `ulimit -n 128; exec "$0" "$@"`, itself(t), "--config", p.path("agent.yaml")))
	origin, err := url.Parse(p.url)
	if err != nil {
		t.Fatal(err)
	}
	client := func() *http.Client {
		return &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{
			TLSClientConfig: &tls.Config{RootCAs: roots}, ForceAttemptHTTP2: true}}
	}
	ctx, leave := context.WithCancel(t.Context())
	var mu sync.Mutex
	statuses := map[int]int{}
	var wg sync.WaitGroup
	many := client()
	first, err := many.Get("https://" + origin.Host + "/oauth-agent/client.js") // or each would dial
	if err != nil {
		t.Fatal(err)
	}
	_ = first.Body.Close()
	for range 100 {
		wg.Go(func() {
			req, _ := http.NewRequestWithContext(ctx, "GET", "https://"+origin.Host+"/api/slow", nil)
			req.Header.Set("Sec-Fetch-Site", "same-origin")
			resp, err := many.Do(req)
			if err != nil {
				return
			}
			_ = resp.Body.Close()
			mu.Lock()
			statuses[resp.StatusCode]++
			mu.Unlock()
			if resp.StatusCode == http.StatusServiceUnavailable && (resp.Header.Get("Retry-After") != "1" || resp.ProtoMajor != 2) {
				t.Errorf("%s: %v", resp.Proto, resp.Header)
			}
		})
	}
	p.until("requests are refused", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return statuses[http.StatusServiceUnavailable] >= 50
	})
	if status, body := p.ask("/livez"); status != 200 {
		t.Errorf("/livez: %d %s", status, body)
	}
	if n := p.metric("process_open_fds"); n > 110 {
		t.Errorf("%v files are open", n)
	}
	if n := p.metric(`oauth_agent_refusals_total{reason="busy"}`); n < 50 {
		t.Errorf("%v are counted", n)
	}
	leave()
	wg.Wait()
	release()
	p.until("there is room again", func() bool {
		resp, err := client().Get("https://" + origin.Host + "/oauth-agent/client.js")
		if err != nil {
			return false
		}
		_ = resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	})
	if n := p.metric("process_open_fds"); n > 110 {
		t.Errorf("%v files are open", n)
	}
	if strings.Contains(p.stderr.String(), "too many open files") {
		t.Error("files ran out")
	}
}
