package apiproxy_test

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"oauth-agent/agent/internal/apiproxy"
	"oauth-agent/agent/internal/session"
	"oauth-agent/agent/internal/upstream"
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

// A WebSocket lives as long as the token that the decision names, whatever session
// it came from.
func TestWebSocketEndsWithTheTokenOfItsSession(t *testing.T) {
	api := double.NewUpstream(t, func(w http.ResponseWriter, r *http.Request) {
		conn, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer func() { _ = conn.Close() }()
		_, _ = io.WriteString(rw, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
		_ = rw.Flush()
		_, _ = io.Copy(io.Discard, rw)
	})
	w := newWorld(t, []apiproxy.Route{{Path: "/api", Upstream: parse(t, api.URL)}})
	b := w.login(t, session.Tokens{Expiry: w.now.Add(time.Second)})
	w.now = w.now.Add(900 * time.Millisecond)
	_, in, resp := connect(t, w, b, www)
	if got := api.One(t).Header.Get("Authorization"); resp.StatusCode != 101 || got != "Bearer "+token {
		t.Fatalf("%d, Authorization %q", resp.StatusCode, got)
	}
	var head [4]byte
	if _, err := io.ReadFull(in, head[:]); err != nil || head[0] != 0x88 || binary.BigEndian.Uint16(head[2:]) != upstream.CloseExpired {
		t.Errorf("%x, %v", head, err)
	}
}
