// Package httpserver listens at the ports of the program, and ends them in order.
//
// The public port and that of gateways have as many connections as the files that the
// process may open allow, and the public port so many of each client address. Listeners
// may come from the service manager. The operator's port is the last to go.
package httpserver

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync/atomic"
	"time"
)

// Options are what the ports serve, and where.
type Options struct {
	Public, Gateways, Admin             http.Handler // the last two may be nil: no such port
	PublicAddr, GatewaysAddr, AdminAddr string
	// AdminOptional is set if nobody has asked for AdminAddr: where it is taken, there is
	// no operator's port then, and a warning.
	AdminOptional bool

	Certificate *Certificate // of the public port; nil: HTTP without TLS
	Conns       ConnBudget
	// ClientOf returns the address that a peer of the public port counts for, if any, and
	// PerAddress how many connections one address may have.
	ClientOf   func(peer net.Addr) netip.Addr
	PerAddress func() int

	WriteTimeout time.Duration       // after which a client that takes nothing is given up
	Log          func() *slog.Logger // returns the log of the moment
}

// Servers are the ports of a process.
type Servers struct {
	opt     Options
	ports   []*server // public, and that of gateways
	admin   *server   // nil where it is off
	closing atomic.Bool
	warned  atomic.Int64 // when it last warned of an address with too many connections
}

// Listen opens all ports before anything is answered at one of them. On an error none is
// open.
func Listen(opt Options) (*Servers, error) {
	s := &Servers{opt: opt}
	if err := s.listen(); err != nil {
		s.Close()
		s.CloseAdmin()
		return nil, err
	}
	return s, nil
}

func (s *Servers) listen() error {
	passed, err := passedSockets()
	defer passed.close() // those that are not taken
	if err != nil {
		return err
	}
	if err := s.listenPublic(passed); err != nil {
		return err
	}
	if s.opt.Gateways != nil {
		// No limit for one address: a gateway brings all clients.
		listeners, err := passed.listen(gatewaysSocket, s.opt.GatewaysAddr, "forward_auth.addr (FORWARD_AUTH_ADDR)")
		if err != nil {
			return err
		}
		s.add(s.opt.Gateways, listeners, newConnLimiter(s.opt.Conns.Gateways), nil)
	}
	if s.opt.Admin != nil {
		if err := s.listenAdmin(passed); err != nil {
			return err
		}
	}
	return passed.unused()
}

func (s *Servers) listenPublic(passed sockets) error {
	listeners, err := passed.listen(publicSocket, s.opt.PublicAddr, "port (PORT) and bind_address (BIND_ADDRESS)")
	if err != nil {
		return err
	}
	limiter := newConnLimiter(s.opt.Conns.Public)
	limiter.clientOf, limiter.perAddress, limiter.refused = s.opt.ClientOf, s.opt.PerAddress, s.warnOfAddress
	s.add(s.opt.Public, listeners, limiter, s.opt.Certificate)
	return nil
}

// add makes a port with a limit. TLS is above the limit, so that handshakes count.
func (s *Servers) add(h http.Handler, listeners []net.Listener, limiter *connLimiter, certificate *Certificate) {
	listeners = limiter.limit(listeners)
	if certificate != nil {
		for i := range listeners {
			listeners[i] = certificate.listener(listeners[i])
		}
	}
	port := newServer(s.closeKeepAlivesWhenDraining(limiter, h), listeners, limiter, debugLog{s.opt.Log})
	port.http.HTTP2.WriteByteTimeout = max(frameTimeout, s.opt.WriteTimeout)
	s.ports = append(s.ports, port)
}

// listenAdmin opens the operator's port. A second instance on one machine finds the
// default address taken, and does without.
func (s *Servers) listenAdmin(passed sockets) error {
	listeners, err := passed.listen(adminSocket, s.opt.AdminAddr, "admin_addr (ADMIN_ADDR)")
	switch {
	case err != nil && !s.opt.AdminOptional:
		return err
	case err != nil:
		s.opt.Log().Warn("there are no endpoints for operators, since the default address is taken: set admin_addr (ADMIN_ADDR) to another address, or to off", "address", s.opt.AdminAddr, "error", err)
		return nil
	}
	s.admin = newServer(s.opt.Admin, listeners, nil, debugLog{s.opt.Log})
	s.admin.http.ReadTimeout, s.admin.http.WriteTimeout = adminTimeout, adminTimeout
	return nil
}

// warnOfAddress warns, once a minute at most, that connections are closed because their
// address has too many.
func (s *Servers) warnOfAddress() {
	now := time.Now().UnixNano()
	if last := s.warned.Load(); now-last > int64(time.Minute) && s.warned.CompareAndSwap(last, now) {
		s.opt.Log().Warn("connections are closed: their address has as many as limits.per_address (LIMIT_PER_ADDRESS) allows; if it is a gateway's, name it in trusted_proxies")
	}
}

// Serve serves at all ports. An error that ends one of them is sent to failed.
func (s *Servers) Serve(failed chan<- error) {
	for _, port := range s.ports {
		port.serve(failed)
	}
	if s.admin != nil {
		s.admin.serve(failed)
	}
}

// PublicAddr returns the address of the public port.
func (s *Servers) PublicAddr() string { return s.ports[0].address() }

// GatewaysAddr returns the address of the port for gateways; empty where there is none.
func (s *Servers) GatewaysAddr() string {
	if len(s.ports) < 2 {
		return ""
	}
	return s.ports[1].address()
}

// AdminAddr returns the address of the operator's port; nil where there is none.
func (s *Servers) AdminAddr() net.Addr {
	if s.admin == nil {
		return nil
	}
	return s.admin.listeners[0].Addr()
}

// CloseKeepAlives asks clients, from the next answer on, to connect anew, and so
// elsewhere.
func (s *Servers) CloseKeepAlives() { s.closing.Store(true) }

// closeKeepAlivesWhenDraining asks clients to connect anew after [Servers.CloseKeepAlives],
// and while most of the connections are taken. A connection that the client closes after
// an answer loses no request.
//
// It is for HTTP/1 alone. In HTTP/2 it would end the other requests of a connection
// that are just being sent (RFC 9113 6.8): those end with the last of them.
func (s *Servers) closeKeepAlivesWhenDraining(limiter *connLimiter, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor == 1 && r.Header["Upgrade"] == nil && (s.closing.Load() || limiter.nearlyFull()) {
			w.Header().Set("Connection", "close")
		}
		next.ServeHTTP(w, r)
	})
}

// Drain stops accepting, waits for the requests that are being served, and cuts off those
// that take longer than timeout. The public port goes first: gateways may still be asking
// for the requests that they have. The operator's port stays.
func (s *Servers) Drain(timeout time.Duration) error {
	s.CloseKeepAlives()
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	var errs []error
	for _, port := range s.ports {
		err := port.shutdown(ctx)
		if errors.Is(err, context.DeadlineExceeded) {
			_ = port.http.Close()
			err = errors.New("some requests did not finish in time and were cut off")
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// Close closes all ports but the operator's, at once.
func (s *Servers) Close() {
	for _, port := range s.ports {
		port.close()
	}
}

// CloseAdmin closes the operator's port.
func (s *Servers) CloseAdmin() {
	if s.admin != nil {
		s.admin.close()
	}
}
