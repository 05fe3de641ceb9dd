package httpserver

import (
	"container/list"
	"net"
	"net/http"
	"net/netip"
	"sync"
)

// connLimiter bounds the connections of a port, or clients could use up the files of the
// process by connecting, and its operator could not reach it. Beyond the limit for all,
// connections wait in the queue of the system; beyond the limit for one address they are
// closed. In both cases idle ones make room first.
type connLimiter struct {
	total int
	// perAddress returns the limit for one address, which may change; clientOf returns the
	// address that a peer counts for, if any; refused is called when a connection is
	// closed for it. Without clientOf there is no limit for an address.
	perAddress func() int
	clientOf   func(peer net.Addr) netip.Addr
	refused    func()

	mu      sync.Mutex
	changed sync.Cond  // a connection has closed or become idle, or a listener has closed
	taken   int        // connections, and one of each listener for the next among them
	idle    *list.List // of idleConn, the longest idle in front
	where   map[net.Conn]*list.Element
	clients map[netip.Addr]int // connections
}

type idleConn struct {
	conn   net.Conn
	client netip.Addr
}

func newConnLimiter(total int) *connLimiter {
	c := &connLimiter{total: total, idle: list.New(), where: map[net.Conn]*list.Element{}, clients: map[netip.Addr]int{}}
	c.changed.L = &c.mu
	return c
}

// limit bounds what listeners accept. It belongs below TLS, whose handshakes count.
func (c *connLimiter) limit(listeners []net.Listener) []net.Listener {
	limited := make([]net.Listener, len(listeners))
	for i, l := range listeners {
		limited[i] = &limitedListener{Listener: l, limiter: c}
	}
	return limited
}

// nearlyFull reports whether most of the connections are taken.
func (c *connLimiter) nearlyFull() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.taken > c.total-c.total/8-1
}

// note is called when a connection changes its state, see [http.Server.ConnState].
func (c *connLimiter) note(conn net.Conn, state http.ConnState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if state == http.StateIdle {
		c.where[conn] = c.idle.PushBack(idleConn{conn, c.client(conn)})
		c.changed.Broadcast()
		return
	}
	if e := c.where[conn]; e != nil {
		c.idle.Remove(e)
		delete(c.where, conn)
	}
}

func (c *connLimiter) client(conn net.Conn) netip.Addr {
	if c.clientOf == nil {
		return netip.Addr{}
	}
	return c.clientOf(conn.RemoteAddr())
}

// reserve waits until there is room for one more connection, or l is closed.
func (c *connLimiter) reserve(l *limitedListener) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.taken >= c.total && !l.closed {
		c.closeIdle(c.idle.Front())
		c.changed.Wait()
	}
	if l.closed {
		return net.ErrClosed
	}
	c.taken++
	return nil
}

// admit counts a connection for its client, if that may have one more.
func (c *connLimiter) admit(conn net.Conn) (client netip.Addr, ok bool) {
	client = c.client(conn)
	if !client.IsValid() {
		return client, true
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.clients[client] >= c.perAddress() && !c.closeIdle(c.longestIdleOf(client)) {
		return client, false
	}
	c.clients[client]++
	return client, true
}

func (c *connLimiter) longestIdleOf(client netip.Addr) *list.Element {
	for e := c.idle.Front(); e != nil; e = e.Next() {
		if e.Value.(idleConn).client == client {
			return e
		}
	}
	return nil
}

// closeIdle closes an idle connection, if there is one. It is counted until it is closed.
func (c *connLimiter) closeIdle(e *list.Element) bool {
	if e == nil {
		return false
	}
	conn := c.idle.Remove(e).(idleConn).conn
	delete(c.where, conn)
	go func() { _ = conn.Close() }() // TLS sends its close_notify before
	return true
}

func (c *connLimiter) release(client netip.Addr) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.taken--
	if client.IsValid() {
		if c.clients[client]--; c.clients[client] == 0 {
			delete(c.clients, client)
		}
	}
	c.changed.Broadcast()
}

// limitedListener accepts connections as a connLimiter allows.
type limitedListener struct {
	net.Listener
	limiter *connLimiter
	closed  bool // under the limiter's lock
}

// Accept implements [net.Listener].
func (l *limitedListener) Accept() (net.Conn, error) {
	if err := l.limiter.reserve(l); err != nil {
		return nil, err
	}
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			l.limiter.release(netip.Addr{})
			return nil, err
		}
		if client, ok := l.limiter.admit(conn); ok {
			return l.limiter.conn(conn, client), nil
		}
		_ = conn.Close()
		l.limiter.refused()
	}
}

// Close implements [net.Listener].
func (l *limitedListener) Close() error {
	l.limiter.mu.Lock()
	l.closed = true
	l.limiter.changed.Broadcast()
	l.limiter.mu.Unlock()
	return l.Listener.Close()
}

func (c *connLimiter) conn(conn net.Conn, client netip.Addr) net.Conn {
	release := sync.OnceFunc(func() { c.release(client) })
	if tcp, ok := conn.(*net.TCPConn); ok {
		return &limitedTCPConn{tcp, release}
	}
	return &limitedConn{conn, release}
}

// limitedTCPConn is a connection that counts until it is closed. net/http can use all that
// TCP has.
type limitedTCPConn struct {
	*net.TCPConn
	release func()
}

// Close ends the counting, also for a WebSocket, of which net/http knows no more.
func (c *limitedTCPConn) Close() error {
	defer c.release()
	return c.TCPConn.Close()
}

// limitedConn is the same for other connections.
type limitedConn struct {
	net.Conn
	release func()
}

// Close implements [net.Conn].
func (c *limitedConn) Close() error {
	defer c.release()
	return c.Conn.Close()
}

// CloseWrite lets the client read the last answer of a connection.
func (c *limitedConn) CloseWrite() error {
	if w, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return w.CloseWrite()
	}
	return nil
}
