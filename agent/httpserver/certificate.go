package httpserver

import (
	"bytes"
	"crypto/tls"
	"net"
	"slices"
	"sync/atomic"
)

// Certificate is the certificate of the public port, which may change. A connection keeps
// the one that it began with.
type Certificate struct{ current atomic.Pointer[tls.Config] }

// Use uses pair for new connections. Another pair gets another configuration, with other
// keys for session tickets: a client that resumes a session has to see the new
// certificate, and nothing goes on that the key of the old one has protected.
func (c *Certificate) Use(pair *tls.Certificate) {
	if before := c.current.Load(); before != nil && slices.EqualFunc(before.Certificates[0].Certificate, pair.Certificate, bytes.Equal) {
		return
	}
	c.current.Store(&tls.Config{
		Certificates: []tls.Certificate{*pair},
		MinVersion:   tls.VersionTLS12,
		NextProtos:   []string{"h2", "http/1.1"},
	})
}

// listener returns one that speaks TLS over the connections of inner.
func (c *Certificate) listener(inner net.Listener) net.Listener { return tlsListener{inner, c} }

type tlsListener struct {
	net.Listener
	certificate *Certificate
}

// Accept implements [net.Listener].
func (l tlsListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return tls.Server(conn, l.certificate.current.Load()), nil
}
