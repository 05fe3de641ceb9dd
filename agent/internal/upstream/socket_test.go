package upstream_test

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"oauth-agent/agent/internal/upstream"
	"oauth-agent/test/double"
)

// accept answers the handshake of a WebSocket and returns its connection.
func accept(t testing.TB, w http.ResponseWriter) (net.Conn, *bufio.ReadWriter) {
	conn, rw, err := http.NewResponseController(w).Hijack()
	if err != nil {
		t.Error(err)
		return nil, nil
	}
	_, _ = io.WriteString(rw, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: x\r\nAccess-Control-Allow-Origin: *\r\nSet-Cookie: example-at=evil\r\n\r\n")
	_ = rw.Flush()
	return conn, rw
}

// connect opens a WebSocket as a page does.
func connect(t testing.TB, w *world) (net.Conn, *bufio.Reader, *http.Response) {
	t.Helper()
	conn, err := net.Dial("tcp", w.addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(15 * time.Second))
	_, _ = fmt.Fprintf(conn, "GET /api/ws HTTP/1.1\r\nHost: x\r\nOrigin: %s\r\nCookie: %s\r\nSec-Fetch-Site: same-origin\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\nSec-WebSocket-Version: 13\r\n\r\n", www, ownCookies)
	in := bufio.NewReader(conn)
	resp, err := http.ReadResponse(in, nil)
	if err != nil {
		t.Fatal(err)
	}
	return conn, in, resp
}

// readFrame reads a frame that is not masked.
func readFrame(t testing.TB, r io.Reader) (opcode byte, payload []byte) {
	t.Helper()
	var head [2]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		t.Fatal(err)
	}
	size := uint64(head[1])
	switch size {
	case 126:
		var b [2]byte
		_, _ = io.ReadFull(r, b[:])
		size = uint64(binary.BigEndian.Uint16(b[:]))
	case 127:
		var b [8]byte
		_, _ = io.ReadFull(r, b[:])
		size = binary.BigEndian.Uint64(b[:])
	}
	payload = make([]byte, size)
	if _, err := io.ReadFull(r, payload); err != nil {
		t.Fatal(err)
	}
	return head[0] & 0xf, payload
}

func frame(payload []byte) []byte {
	switch n := len(payload); {
	case n < 126:
		return append([]byte{0x82, byte(n)}, payload...)
	case n < 1<<16:
		return append(binary.BigEndian.AppendUint16([]byte{0x82, 126}, uint16(n)), payload...)
	default:
		return append(binary.BigEndian.AppendUint64([]byte{0x82, 127}, uint64(n)), payload...)
	}
}

func TestWebSocket(t *testing.T) {
	for _, h2c := range []bool{false, true} { // an upgrade uses HTTP/1.1 in any case
		api := double.NewUpstream(t, func(w http.ResponseWriter, r *http.Request) {
			conn, rw := accept(t, w)
			_, _ = io.Copy(conn, rw) // echo
			_ = conn.Close()
		})
		w := newWorld(t, []upstream.Target{{Name: "/api", URL: parse(t, api.URL), H2C: h2c}})
		conn, in, resp := connect(t, w)
		if resp.StatusCode != 101 || resp.Header.Get("Sec-Websocket-Accept") != "x" || resp.Header["Set-Cookie"] != nil ||
			len(resp.Header["Access-Control-Allow-Origin"]) != 1 {
			t.Fatalf("%v", resp)
		}
		sent := bytes.Repeat(frame([]byte("hello")), 1000)
		go func() { _, _ = conn.Write(sent) }()
		got := make([]byte, len(sent))
		if _, err := io.ReadFull(in, got); err != nil || !bytes.Equal(got, sent) {
			t.Errorf("echo: %v", err)
		}
		a := api.One(t)
		if a.Header.Get("Authorization") != "Bearer "+token || a.Header["Cookie"] != nil || a.Header.Get("Sec-Websocket-Key") != "x" {
			t.Errorf("arrived %v", a.Header)
		}
	}
}

// A page learns why its socket is closed; oauth2-proxy leaves it open for ever
// (oauth2-proxy/oauth2-proxy#2996).
func TestWebSocketIsClosedWhenTheTokenHasExpired(t *testing.T) {
	for name, frames := range map[string][][]byte{
		"idle":             {frame([]byte("a"))},
		"nothing sent":     {},
		"several":          {bytes.Repeat(frame([]byte("abc")), 3)},
		"an empty frame":   {frame(nil)},
		"of medium length": {frame(make([]byte, 300))},
		"long":             {frame(make([]byte, 1<<17))},
		"byte by byte":     split(frame(make([]byte, 200))),
	} {
		t.Run(name, func(t *testing.T) {
			closed := make(chan []byte, 1)
			api := double.NewUpstream(t, func(w http.ResponseWriter, r *http.Request) {
				conn, rw := accept(t, w)
				for _, f := range frames {
					_, _ = conn.Write(f)
				}
				got, _ := io.ReadAll(rw)
				closed <- got
				_ = conn.Close()
			})
			w := newWorld(t, []upstream.Target{{Name: "/api", URL: parse(t, api.URL)}}, func(o *upstream.Options) {
				o.SocketGrace = 500 * time.Millisecond
			})
			w.expireSoon()
			conn, in, _ := connect(t, w)
			for _, f := range frames {
				if got := make([]byte, len(f)); readAll(in, got) != nil || !bytes.Equal(got, f) {
					t.Fatalf("a frame was changed: %x", got)
				}
			}
			expectGoodbye(t, in)
			answer := []byte{0x88, 0x80, 0, 0, 0, 0}
			if _, err := conn.Write(answer); err != nil {
				t.Fatal(err)
			}
			_ = conn.Close()
			if got := <-closed; !bytes.Equal(got, answer) {
				t.Errorf("the upstream got %x", got)
			}
		})
	}
}

// expireSoon lets the token live for another 100 ms.
func (w *world) expireSoon() { w.auth.Expiry = w.now.Add(100 * time.Millisecond) }

func readAll(r io.Reader, b []byte) error { _, err := io.ReadFull(r, b); return err }

func split(b []byte) [][]byte {
	var out [][]byte
	for i := range b {
		out = append(out, b[i:i+1])
	}
	return out
}

// expectGoodbye reads a close frame, and nothing behind it.
func expectGoodbye(t *testing.T, in io.Reader) {
	t.Helper()
	opcode, payload := readFrame(t, in)
	if opcode != 8 || len(payload) < 2 || binary.BigEndian.Uint16(payload) != upstream.CloseExpired || string(payload[2:]) != "token_expired" {
		t.Errorf("opcode %d, %q", opcode, payload)
	}
	if rest, err := io.ReadAll(in); err != nil || len(rest) > 0 {
		t.Errorf("behind the close frame: %x, %v", rest, err)
	}
}

// The close frame waits for the end of the frame that is on its way.
func TestWebSocketIsClosedBetweenFrames(t *testing.T) {
	whole := frame(bytes.Repeat([]byte("x"), 1000))
	goOn := make(chan bool)
	api := double.NewUpstream(t, func(w http.ResponseWriter, r *http.Request) {
		conn, _ := accept(t, w)
		_, _ = conn.Write(append(frame([]byte("first")), whole[:500]...))
		<-goOn
		_, _ = conn.Write(whole[500:900])
		_, _ = conn.Write(append(whole[900:len(whole):len(whole)], whole...)) // and the beginning of more
		_, _ = io.Copy(io.Discard, conn)
		_ = conn.Close()
	})
	w := newWorld(t, []upstream.Target{{Name: "/api", URL: parse(t, api.URL)}})
	w.expireSoon()
	_, in, _ := connect(t, w)
	if _, payload := readFrame(t, in); string(payload) != "first" {
		t.Fatalf("%q", payload)
	}
	got := make([]byte, len(whole))
	if err := readAll(in, got[:500]); err != nil {
		t.Fatal(err)
	}
	time.Sleep(300 * time.Millisecond) // the time of the socket is over in the middle
	close(goOn)
	if err := readAll(in, got[500:]); err != nil || !bytes.Equal(got, whole) {
		t.Fatalf("the frame was cut: %v", err)
	}
	expectGoodbye(t, in)
}

func TestWebSocketWithoutExpiryStaysOpen(t *testing.T) {
	for name, tt := range map[string]struct {
		expiry time.Time
		grace  time.Duration
	}{
		"unknown expiry": {time.Time{}, 0},
		"no limit":       {time.Unix(1_800_000_001, 0), -1},
	} {
		api := double.NewUpstream(t, func(w http.ResponseWriter, r *http.Request) {
			conn, _ := accept(t, w)
			time.Sleep(400 * time.Millisecond)
			_, _ = conn.Write(frame([]byte("still here")))
			_ = conn.Close()
		})
		w := newWorld(t, []upstream.Target{{Name: "/api", URL: parse(t, api.URL)}}, func(o *upstream.Options) { o.SocketGrace = tt.grace })
		w.auth.Expiry = tt.expiry
		w.now = w.now.Add(900 * time.Millisecond)
		_, in, _ := connect(t, w)
		if _, payload := readFrame(t, in); string(payload) != "still here" {
			t.Errorf("%s: %q", name, payload)
		}
	}
}
