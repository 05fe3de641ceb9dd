package main

import (
	"bytes"
	"crypto/tls"
	"net"
	"slices"
	"sync/atomic"
)

// certificate is what the public listener shows. A connection goes on with the
// one that it began with.
type certificate struct{ current atomic.Pointer[tls.Config] }

// show takes pair for connections to come. Another pair gets another
// configuration, and with it other keys for session tickets: who resumes a session
// shall see the new certificate, and what the old one's key has protected ends.
func (c *certificate) show(pair *tls.Certificate) {
	if before := c.current.Load(); before != nil && slices.EqualFunc(before.Certificates[0].Certificate, pair.Certificate, bytes.Equal) {
		return
	}
	c.current.Store(&tls.Config{
		Certificates: []tls.Certificate{*pair},
		MinVersion:   tls.VersionTLS12,
		NextProtos:   []string{"h2", "http/1.1"},
	})
}

// listener speaks TLS over the connections of another.
func (c *certificate) listener(inner net.Listener) net.Listener { return tlsListener{inner, c} }

type tlsListener struct {
	net.Listener
	certificate *certificate
}

func (l tlsListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return tls.Server(conn, l.certificate.current.Load()), nil
}
