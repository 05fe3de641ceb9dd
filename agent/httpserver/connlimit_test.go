package httpserver

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"testing"
	"time"
)

// limitedServer serves with room for most connections.
func limitedServer(t *testing.T, most int, h http.Handler) (*server, *connLimiter) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	room := newConnLimiter(most)
	p := newServer(h, room.limit([]net.Listener{listener}), room, io.Discard)
	p.serve(make(chan error, 1))
	t.Cleanup(p.close)
	return p, room
}

// knock connects and asks; the answer comes when there is a place.
func knock(t *testing.T, p *server, head string) (net.Conn, <-chan *http.Response) {
	t.Helper()
	conn, err := net.Dial("tcp", p.address())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_, _ = io.WriteString(conn, head+"\r\nHost: x\r\n\r\n")
	answered := make(chan *http.Response, 1)
	go func() {
		if resp, err := http.ReadResponse(bufio.NewReader(conn), nil); err == nil {
			answered <- resp
		}
		close(answered)
	}()
	return conn, answered
}

// A client beyond the limit waits until another one leaves: a request ends, or a socket
// that net/http no longer knows.
func TestConnLimiter(t *testing.T) {
	began, may := make(chan string), make(chan struct{})
	p, room := limitedServer(t, 3, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began <- r.URL.Path
		if r.URL.Path == "/socket" {
			conn, _, err := http.NewResponseController(w).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			go func() { // as a proxy would
				_, _ = io.Copy(io.Discard, conn)
				_ = conn.Close()
			}()
			return
		}
		<-may
	}))
	socket, _ := knock(t, p, "GET /socket HTTP/1.1")
	<-began
	_, first := knock(t, p, "GET /first HTTP/1.1")
	<-began
	_, second := knock(t, p, "GET /second HTTP/1.1")
	if path := <-began; path != "/second" {
		t.Fatal(path)
	}
	_, third := knock(t, p, "GET /third HTTP/1.1")
	select {
	case <-began:
		t.Fatal("one more than there is room for")
	case <-time.After(50 * time.Millisecond):
	}
	_ = socket.Close()
	<-began
	_, fourth := knock(t, p, "GET /fourth HTTP/1.1")
	may <- struct{}{} // one of the first three is answered, and its connection idle
	<-began
	close(may)
	for _, answered := range []<-chan *http.Response{first, second, third, fourth} {
		if resp := <-answered; resp == nil || resp.StatusCode != 200 {
			t.Errorf("answered %v", resp)
		}
	}
	p.close()
	room.mu.Lock()
	for room.taken > 0 {
		room.changed.Wait()
	}
	room.mu.Unlock()
}

// Near the limit, answers ask clients to connect anew.
func TestNearlyFullPortClosesKeepAlives(t *testing.T) {
	room := newConnLimiter(4)
	h := (&Servers{}).closeKeepAlivesWhenDraining(room, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	p, _ := limitedServer(t, 100, h)
	for taken, closing := range map[int]bool{0: false, 3: false, 4: true} {
		room.taken = taken
		_, answered := knock(t, p, "GET / HTTP/1.1")
		if resp := <-answered; resp == nil || resp.Close != closing {
			t.Errorf("%d places of 4 taken: %v", taken, resp)
		}
	}
}

// A listener that is closed does not wait for a place.
func TestLimitedListenerCloses(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := newConnLimiter(0).limit([]net.Listener{listener})[0]
	time.AfterFunc(10*time.Millisecond, func() { _ = l.Close() })
	if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Error(err)
	}
}

// An address that has as many connections as it may is refused another one, unless one
// of them is idle; other addresses, and those that do not count, connect.
func TestConnectionsOfOneAddress(t *testing.T) {
	arrived, may := make(chan struct{}, 10), make(chan struct{})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	limiter := newConnLimiter(10)
	limiter.perAddress = func() int { return 2 }
	refused := make(chan struct{}, 10)
	limiter.refused = func() { refused <- struct{}{} }
	limiter.clientOf = func(peer net.Addr) netip.Addr {
		addr := peer.(*net.TCPAddr).AddrPort().Addr()
		if addr == netip.MustParseAddr("127.0.0.9") { // a trusted proxy
			return netip.Addr{}
		}
		return addr
	}
	p := newServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		arrived <- struct{}{}
		if r.URL.Path == "/wait" {
			<-may
		}
	}), limiter.limit([]net.Listener{listener}), limiter, io.Discard)
	p.serve(make(chan error, 1))
	t.Cleanup(p.close)
	defer close(may)
	connect := func(from, path string) *bufio.Reader {
		t.Helper()
		conn, err := (&net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}).Dial("tcp", p.address())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
		_, _ = io.WriteString(conn, "GET "+path+" HTTP/1.1\r\nHost: x\r\n\r\n")
		return bufio.NewReader(conn)
	}
	answered := func(r *bufio.Reader) bool {
		resp, err := http.ReadResponse(r, nil)
		return err == nil && resp.StatusCode == http.StatusOK
	}
	connect("127.0.0.1", "/wait")
	<-arrived
	idle := connect("127.0.0.1", "/")
	<-arrived
	if !answered(idle) {
		t.Fatal("the second one is not answered")
	}
	for limiterIdle := 0; limiterIdle == 0; time.Sleep(time.Millisecond) {
		limiter.mu.Lock()
		limiterIdle = limiter.idle.Len()
		limiter.mu.Unlock()
	}
	connect("127.0.0.1", "/wait") // in the place of the idle one
	<-arrived
	if _, err := idle.ReadByte(); !errors.Is(err, io.EOF) {
		t.Errorf("the idle one: %v", err)
	}
	if answered(connect("127.0.0.1", "/")) {
		t.Error("one more than its address may have is served")
	}
	<-refused
	for _, from := range []string{"127.0.0.2", "127.0.0.9", "127.0.0.9", "127.0.0.9"} {
		if r := connect(from, "/"); !answered(r) {
			t.Errorf("%s is not served", from)
		}
	}
}
