package apiproxy_test

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"testing"
	"time"

	"oauth-agent/agent/internal/apiproxy"
	"oauth-agent/agent/internal/session"
	"oauth-agent/test/double"
)

// connect opens a WebSocket as a page does.
func connect(t testing.TB, w *world, b browser, origin string) (net.Conn, *bufio.Reader, *http.Response) {
	t.Helper()
	conn, err := net.Dial("tcp", w.addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(15 * time.Second))
	if origin != "" {
		origin = "Origin: " + origin + "\r\n"
	}
	_, _ = fmt.Fprintf(conn, "GET /api/ws HTTP/1.1\r\nHost: x\r\n%sCookie: %s\r\nSec-Fetch-Site: same-origin\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\nSec-WebSocket-Version: 13\r\n\r\n", origin, b.header())
	in := bufio.NewReader(conn)
	resp, err := http.ReadResponse(in, nil)
	if err != nil {
		t.Fatal(err)
	}
	return conn, in, resp
}

func TestWebSocketNeedsATrustedOrigin(t *testing.T) {
	api := double.NewUpstream(t, nil)
	w := newWorld(t, []apiproxy.Route{{Path: "/api", Upstream: parse(t, api.URL), AllowBearer: true, Public: true}})
	b := w.login(t, session.Tokens{})
	for _, origin := range []string{"", "null", "https://evil.example", www + "."} {
		if _, _, resp := connect(t, w, b, origin); resp.StatusCode != 401 {
			t.Errorf("%q: %d", origin, resp.StatusCode)
		}
	}
	if got := api.Take(); len(got) > 0 {
		t.Errorf("arrived: %v", got)
	}
}
