package upstream

import (
	"context"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"oauth-agent/agent/internal/httpsem"
)

// The limits of connections to upstreams.
const (
	dialTimeout        = 10 * time.Second
	idleTimeout        = 90 * time.Second
	idlePerUpstream    = 256
	idleConns          = 512       // of one kind: they are open files
	maxResponseHeaders = 256 << 10 // bytes
	continueTimeout    = time.Second
)

// TransportPool holds the connections to upstreams. One pool serves the process, so
// that a reload keeps the connections.
type TransportPool struct {
	template *http.Transport
	limit    int64        // of connections, of all kinds; 0: none
	open     atomic.Int64 // connections

	mu     sync.Mutex
	byKind map[transportKind]*http.Transport // the time-out is a property of the transport
}

type transportKind struct {
	timeout time.Duration
	h2c     bool
}

// NewTransportPool returns a pool that closes idle connections when there are more
// than limit, in use or idle; 0 means no limit. template, which may be nil, is copied
// for each kind of target.
func NewTransportPool(limit int, template *http.Transport) *TransportPool {
	if template == nil {
		template = &http.Transport{}
	}
	return &TransportPool{template: template, limit: int64(limit), byKind: map[transportKind]*http.Transport{}}
}

// get returns the transport for a kind of target.
func (p *TransportPool) get(timeout time.Duration, h2c bool) *http.Transport {
	p.mu.Lock()
	defer p.mu.Unlock()
	kind := transportKind{timeout, h2c}
	if p.byKind[kind] == nil {
		p.byKind[kind] = p.make(kind)
	}
	return p.byKind[kind]
}

func (p *TransportPool) make(kind transportKind) *http.Transport {
	t := p.template.Clone()
	t.Proxy = nil // a proxy from the environment would see the tokens
	dial := min(kind.timeout, dialTimeout)
	t.DialContext = p.dialer(dial)
	t.TLSHandshakeTimeout = dial
	t.ResponseHeaderTimeout = kind.timeout
	t.ExpectContinueTimeout = continueTimeout
	t.IdleConnTimeout = idleTimeout
	t.MaxIdleConns = idleConns
	t.MaxIdleConnsPerHost = idlePerUpstream
	t.MaxResponseHeaderBytes = maxResponseHeaders
	t.DisableCompression = true // bodies pass as they are
	t.ForceAttemptHTTP2 = true
	if kind.h2c {
		t.Protocols = new(http.Protocols)
		t.Protocols.SetUnencryptedHTTP2(true)
		t.Protocols.SetHTTP2(true)
	}
	return t
}

// retryTransport sends a request that only reads once more when its connection breaks
// before the response (RFC 9110 9.2.2).
//
// The upstream need not be at fault: where a response has no body, net/http gives
// its connection to the next request before it hands the response over, and if that
// request fails at once (its client breaks off the upload, or leaves) the response
// is lost with it.
type retryTransport struct{ http.RoundTripper }

// RoundTrip implements [http.RoundTripper].
func (t retryTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := t.RoundTripper.RoundTrip(r)
	if err == nil || r.Body != nil || !httpsem.Safe(r.Method) || r.Context().Err() != nil || isTimeout(err) || isDial(err) {
		return resp, err
	}
	return t.RoundTripper.RoundTrip(r)
}

// dialer returns a function that connects, and closes idle connections first where
// there are too many: idle ones, of whichever kind, are open files too.
func (p *TransportPool) dialer(timeout time.Duration) func(ctx context.Context, network, addr string) (net.Conn, error) {
	d := &net.Dialer{Timeout: timeout}
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		if p.open.Add(1) > p.limit && p.limit > 0 {
			p.CloseIdle()
		}
		release := sync.OnceFunc(func() { p.open.Add(-1) })
		conn, err := d.DialContext(ctx, network, addr)
		if err != nil {
			release()
			return nil, err
		}
		return &countedConn{conn.(*net.TCPConn), release}, nil
	}
}

// countedConn is a connection that is counted until it is closed.
type countedConn struct {
	*net.TCPConn
	release func()
}

// Close implements [net.Conn].
func (c *countedConn) Close() error {
	defer c.release()
	return c.TCPConn.Close()
}

// CloseIdle closes the connections that wait for the next request.
func (p *TransportPool) CloseIdle() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, t := range p.byKind {
		t.CloseIdleConnections()
	}
}

// bufferSize is how much is copied at a time, in bytes.
const bufferSize = 32 << 10

// buffers is an [httputil.BufferPool].
type buffers struct{ pool sync.Pool }

func (b *buffers) Get() []byte {
	if a, ok := b.pool.Get().(*[bufferSize]byte); ok {
		return a[:]
	}
	return make([]byte, bufferSize)
}

func (b *buffers) Put(buf []byte) { b.pool.Put((*[bufferSize]byte)(buf)) }
