package apiproxy

import (
	"context"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"oauth-agent/agent/internal/guard"
)

// What connections to upstreams are held to.
const (
	dialTimeout      = 10 * time.Second
	idleTimeout      = 90 * time.Second
	idlePerUpstream  = 256
	idleConns        = 512       // of one kind: they are open files
	maxAnswerHeaders = 256 << 10 // bytes
	continueTimeout  = time.Second
)

// wires are the transports of the routes, one for each kind: the time-out is a
// property of the transport.
type wires struct {
	template *http.Transport
	most     int64        // connections of all kinds; 0: no bound
	open     atomic.Int64 // connections

	mu     sync.Mutex
	byKind map[wireKind]*http.Transport
}

type wireKind struct {
	timeout time.Duration
	h2c     bool
}

func newWires(template *http.Transport, most int) *wires {
	if template == nil {
		template = &http.Transport{}
	}
	return &wires{template: template, most: int64(most), byKind: map[wireKind]*http.Transport{}}
}

func (ws *wires) get(timeout time.Duration, h2c bool) *http.Transport {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	kind := wireKind{timeout, h2c}
	if ws.byKind[kind] == nil {
		ws.byKind[kind] = ws.make(kind)
	}
	return ws.byKind[kind]
}

func (ws *wires) make(kind wireKind) *http.Transport {
	t := ws.template.Clone()
	t.Proxy = nil // a proxy from the environment would see the tokens
	dial := min(kind.timeout, dialTimeout)
	t.DialContext = ws.dialer(dial)
	t.TLSHandshakeTimeout = dial
	t.ResponseHeaderTimeout = kind.timeout
	t.ExpectContinueTimeout = continueTimeout
	t.IdleConnTimeout = idleTimeout
	t.MaxIdleConns = idleConns
	t.MaxIdleConnsPerHost = idlePerUpstream
	t.MaxResponseHeaderBytes = maxAnswerHeaders
	t.DisableCompression = true // bodies pass as they are
	t.ForceAttemptHTTP2 = true
	if kind.h2c {
		t.Protocols = new(http.Protocols)
		t.Protocols.SetUnencryptedHTTP2(true)
		t.Protocols.SetHTTP2(true)
	}
	return t
}

// steadfast sends a request that only reads once more when its connection breaks
// before the answer (RFC 9110 9.2.2).
//
// The connection need not be at fault: where an answer has no body, net/http lends
// its connection to the next request before it hands the answer over, and if that
// one fails at once (a client that breaks off its upload, or leaves) the answer is
// lost with it.
type steadfast struct{ http.RoundTripper }

// RoundTrip implements [http.RoundTripper].
func (s steadfast) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := s.RoundTripper.RoundTrip(r)
	if err == nil || r.Body != nil || !guard.Safe(r.Method) || r.Context().Err() != nil || isTimeout(err) || isDial(err) {
		return resp, err
	}
	return s.RoundTripper.RoundTrip(r)
}

// dialer makes room before it connects: those that wait, of whichever kind, are open
// files too.
func (ws *wires) dialer(timeout time.Duration) func(ctx context.Context, network, addr string) (net.Conn, error) {
	d := &net.Dialer{Timeout: timeout}
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		if ws.open.Add(1) > ws.most && ws.most > 0 {
			ws.close()
		}
		leave := sync.OnceFunc(func() { ws.open.Add(-1) })
		conn, err := d.DialContext(ctx, network, addr)
		if err != nil {
			leave()
			return nil, err
		}
		return &counted{conn.(*net.TCPConn), leave}, nil
	}
}

// counted is a connection that is counted until it is closed.
type counted struct {
	*net.TCPConn
	leave func()
}

// Close implements [net.Conn].
func (c *counted) Close() error {
	defer c.leave()
	return c.TCPConn.Close()
}

func (ws *wires) close() {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	for _, t := range ws.byKind {
		t.CloseIdleConnections()
	}
}

// bufferSize is what is copied at a time, in bytes.
const bufferSize = 32 << 10

// buffers is a httputil.BufferPool.
type buffers struct{ pool sync.Pool }

func (b *buffers) Get() []byte {
	if a, ok := b.pool.Get().(*[bufferSize]byte); ok {
		return a[:]
	}
	return make([]byte, bufferSize)
}

func (b *buffers) Put(buf []byte) { b.pool.Put((*[bufferSize]byte)(buf)) }
