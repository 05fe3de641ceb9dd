package main

import (
	"container/list"
	"net"
	"net/http"
	"sync"
	"syscall"
)

// What stays of the files for what has no bound of its own: listeners, the operator's
// port, the authorization server, settings; and for connections to upstreams that wait
// for the next request.
const (
	reserve     = 32
	mostWaiting = 512
)

// places is how many connections the ports accept, and as many requests are served;
// and how many there are to upstreams.
type places struct{ public, gateways, upstreams int }

// allot gives most places to the ports, if the process may open the files: each may
// need another one, to an upstream or an authorization server.
func allot(most int, withGateways bool) places {
	var files syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &files); err != nil {
		files.Cur = 1024
	}
	return share(most, files.Cur, withGateways)
}

func share(most int, limit uint64, withGateways bool) (p places) {
	files := int(min(limit, 1<<30)) - reserve
	waiting := max(min(mostWaiting, files/4), 0)
	all := min(most, (files-waiting)/2)
	if withGateways {
		p.gateways = max(all/4, leastPlaces)
	}
	p.public = max(all-p.gateways, leastPlaces)
	p.upstreams = p.public + waiting
	return p
}

// leastPlaces let a port work at all.
const leastPlaces = 4

// crowd bounds the connections of a port, or clients could use up the files of the
// process by connecting, and nobody would hear that it lives. Who comes beyond the
// bound waits in the queue of the system, and who asks nothing makes room.
type crowd struct {
	most int

	mu    sync.Mutex
	moved sync.Cond  // a place is free, a connection idle, or a listener closed
	taken int        // places, one of each listener for who comes next among them
	idle  *list.List // of net.Conn, the one that asked first in front
	where map[net.Conn]*list.Element
}

func newCrowd(most int) *crowd {
	c := &crowd{most: most, idle: list.New(), where: map[net.Conn]*list.Element{}}
	c.moved.L = &c.mu
	return c
}

// at bounds what listeners accept. It belongs below TLS, whose handshakes count.
func (c *crowd) at(listeners []net.Listener) []net.Listener {
	bounded := make([]net.Listener, len(listeners))
	for i, l := range listeners {
		bounded[i] = &crowdedListener{Listener: l, crowd: c}
	}
	return bounded
}

// crowded tells whether places become rare.
func (c *crowd) crowded() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.taken > c.most-c.most/8-1
}

// note is told what becomes of a connection, see [http.Server.ConnState].
func (c *crowd) note(conn net.Conn, state http.ConnState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if state == http.StateIdle {
		c.where[conn] = c.idle.PushBack(conn)
		c.moved.Broadcast()
		return
	}
	if e := c.where[conn]; e != nil {
		c.idle.Remove(e)
		delete(c.where, conn)
	}
}

// take waits for a place, until l is closed.
func (c *crowd) take(l *crowdedListener) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.taken >= c.most && !l.closed {
		if e := c.idle.Front(); e != nil {
			conn := c.idle.Remove(e).(net.Conn)
			delete(c.where, conn)
			go func() { _ = conn.Close() }() // which leaves; TLS says goodbye before
		}
		c.moved.Wait()
	}
	if l.closed {
		return net.ErrClosed
	}
	c.taken++
	return nil
}

func (c *crowd) leave() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.taken--
	c.moved.Broadcast()
}

// crowdedListener accepts for whom there is a place.
type crowdedListener struct {
	net.Listener
	crowd  *crowd
	closed bool // under the crowd's lock
}

func (l *crowdedListener) Accept() (net.Conn, error) {
	if err := l.crowd.take(l); err != nil {
		return nil, err
	}
	conn, err := l.Listener.Accept()
	if err != nil {
		l.crowd.leave()
		return nil, err
	}
	leave := sync.OnceFunc(l.crowd.leave)
	if tcp, ok := conn.(*net.TCPConn); ok {
		return &tcpGuest{tcp, leave}, nil
	}
	return &guest{conn, leave}, nil
}

func (l *crowdedListener) Close() error {
	l.crowd.mu.Lock()
	l.closed = true
	l.crowd.moved.Broadcast()
	l.crowd.mu.Unlock()
	return l.Listener.Close()
}

// tcpGuest is a connection in its place, with all that net/http knows to make of
// TCP.
type tcpGuest struct {
	*net.TCPConn
	leave func()
}

// Close leaves the place, also that of a WebSocket, which net/http has forgotten.
func (g *tcpGuest) Close() error {
	defer g.leave()
	return g.TCPConn.Close()
}

// guest is the same for other connections.
type guest struct {
	net.Conn
	leave func()
}

func (g *guest) Close() error {
	defer g.leave()
	return g.Conn.Close()
}

// CloseWrite lets the client read the last answer of a connection.
func (g *guest) CloseWrite() error {
	if c, ok := g.Conn.(interface{ CloseWrite() error }); ok {
		return c.CloseWrite()
	}
	return nil
}
