package upstream_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"oauth-agent/agent/internal/upstream"
)

// A request that only reads, and whose connection breaks before the answer, is
// sent once more (RFC 9110 9.2.2): its connection may have been broken by
// somebody else's request. Any other may have been done, and is not.
func TestBrokenConnectionCostsNoRead(t *testing.T) {
	var asked atomic.Int64
	flaky := func(breaks int64, how string) string {
		return listen(t, func(c net.Conn) {
			defer func() { _ = c.Close() }()
			in := bufio.NewReader(c)
			for {
				r, err := http.ReadRequest(in)
				if err != nil {
					return
				}
				_, _ = io.Copy(io.Discard, r.Body)
				if asked.Add(1) <= breaks {
					_, _ = io.WriteString(c, how)
					return
				}
				_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
			}
		})
	}
	hangs := listen(t, func(c net.Conn) {
		asked.Add(1)
		_, _ = io.Copy(io.Discard, c)
	})
	w := newWorld(t, []upstream.Target{
		{Name: "/once", URL: parse(t, "http://"+flaky(1, "HTTP/1.1 2"))},
		{Name: "/always", URL: parse(t, "http://"+flaky(1000, "HTTP/1.1 2"))},
		{Name: "/hangs", URL: parse(t, "http://"+hangs), Timeout: 500 * time.Millisecond},
	})
	for _, tt := range []struct {
		method, path, body string
		status             int
		asked              int64
	}{
		{"GET", "/once", "", 200, 2},
		{"HEAD", "/once", "", 200, 2},
		{"OPTIONS", "/once", "", 200, 2},
		{"GET", "/once", "a body", 502, 1},
		{"POST", "/once", "", 502, 1},
		{"POST", "/once", "a body", 502, 1},
		{"PUT", "/once", "", 502, 1},
		{"DELETE", "/once", "", 502, 1},
		{"GET", "/always", "", 502, 2},
		{"GET", "/hangs", "", 504, 1},
	} {
		asked.Store(0)
		var body io.Reader
		if tt.body != "" {
			body = strings.NewReader(tt.body)
		}
		r := w.request(t, tt.method, tt.path, body)
		r.Close = true // or the test's own client would try again
		resp := w.do(t, r)
		_, _ = io.Copy(io.Discard, resp.Body)
		if n := asked.Load(); resp.StatusCode != tt.status || n != tt.asked {
			t.Errorf("%s %s %q: %d, asked %d times, want %d, %d times", tt.method, tt.path, tt.body, resp.StatusCode, n, tt.status, tt.asked)
		}
	}
}
