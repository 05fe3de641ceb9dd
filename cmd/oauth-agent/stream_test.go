package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
)

// talker is an API with an event stream and a WebSocket: what it gets on one path
// it says on the other.
func talker(t *testing.T, say <-chan string) *httptest.Server {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Upgrade") == "" {
			w.Header().Set("Content-Type", "text/event-stream")
			for {
				_ = http.NewResponseController(w).Flush()
				select {
				case text := <-say:
					_, _ = fmt.Fprintf(w, "data: %s\n\n", text)
				case <-r.Context().Done():
					return
				}
			}
		}
		conn, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer func() { _ = conn.Close() }()
		_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
		_, _ = io.Copy(conn, rw) // echo
	}))
	t.Cleanup(srv.Close)
	return srv
}

// open sends a request of a page on a connection of its own.
func (p *program) open(head string) (net.Conn, *bufio.Reader, *http.Response) {
	p.t.Helper()
	u, _ := url.Parse(p.url)
	conn, err := net.Dial("tcp", u.Host)
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { _ = conn.Close() })
	_, _ = io.WriteString(conn, head+"\r\nHost: x\r\nOrigin: "+origin+"\r\n\r\n")
	in := bufio.NewReader(conn)
	resp, err := http.ReadResponse(in, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	return conn, in, resp
}

// Streams and WebSockets go on through reloads, even those that take their route
// away.
func TestStreamsSurviveReloads(t *testing.T) {
	say := make(chan string)
	api := talker(t, say)
	route := map[string]string{"routes": "[{path: /api/, upstream: '" + api.URL + "', public: true}]"}
	p := install(t, nobody, route)
	_, _, events := p.open("GET /api/events HTTP/1.1")
	socket, back, resp := p.open("GET /api/socket HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: x")
	if events.StatusCode != 200 || resp.StatusCode != 101 {
		t.Fatalf("status %d and %d", events.StatusCode, resp.StatusCode)
	}
	lines := bufio.NewScanner(events.Body)
	works := func(when string) {
		t.Helper()
		say <- when
		for lines.Scan() && lines.Text() != "data: "+when {
		}
		if lines.Err() != nil || lines.Text() != "data: "+when {
			t.Fatalf("%s: the stream broke off: %v", when, lines.Err())
		}
		_, _ = io.WriteString(socket, when)
		got := make([]byte, len(when))
		if _, err := io.ReadFull(back, got); err != nil || string(got) != when {
			t.Fatalf("%s: the socket: %q, %v", when, got, err)
		}
	}
	works("before")
	for i := range 3 {
		p.mustReload()
		works(fmt.Sprint("reload ", i))
	}
	p.set(map[string]string{"routes": ""})
	p.mustReload()
	works("without the route")
	if _, _, resp := p.open("GET /api/events HTTP/1.1"); resp.StatusCode != 404 {
		t.Errorf("the route is still there: %d", resp.StatusCode)
	}
}
