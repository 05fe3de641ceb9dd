package middleware

import (
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"oauth-agent/agent/internal/clientip"
	"oauth-agent/agent/internal/httperr"
)

// Clients tells clients apart, and turns away those that ask too often.
type Clients struct {
	proxies clientip.Proxies
	log     *slog.Logger
	warned  sync.Once
}

// NewClients believes these proxies.
func NewClients(proxies clientip.Proxies, log *slog.Logger) *Clients {
	return &Clients{proxies: proxies, log: log}
}

// client returns the address that a request counts for; none where nobody can be told
// apart, as with a trusted proxy that names no client.
func (d *Clients) client(r *http.Request) netip.Addr {
	return d.counted(d.proxies.Client(r))
}

// Peer returns the address that the connections of a peer count for; none for a trusted
// proxy, which brings many clients, and for what has no address, as Unix sockets.
func (d *Clients) Peer(addr net.Addr) netip.Addr {
	peer, ok := addr.(*net.TCPAddr)
	if !ok {
		return netip.Addr{}
	}
	return d.counted(peer.AddrPort().Addr().Unmap().WithZone(""))
}

func (d *Clients) counted(addr netip.Addr) netip.Addr {
	if !addr.IsValid() || d.proxies.Contains(addr) {
		return netip.Addr{}
	}
	return network(addr)
}

// Limit answers 429 with Retry-After (RFC 6585 4, RFC 9110 10.2.3) when an address
// asks too often for what next does. Put it behind the check of the origin, or
// foreign pages could use up what the address of their visitor may ask for.
func (d *Clients) Limit(limiter *RateLimiter, next httperr.Handler) httperr.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		if !limiter.On() {
			return next(w, r)
		}
		d.warn(r)
		wait, ok := limiter.Allow(d.proxies.Client(r))
		if ok {
			return next(w, r)
		}
		w.Header().Set("Retry-After", strconv.Itoa(seconds(wait)))
		return httperr.New(http.StatusTooManyRequests, httperr.TooManyRequests,
			"too many requests came from this address: wait for as long as Retry-After says", nil).Because(httperr.ReasonRateLimit)
	}
}

// seconds rounds up: who waits for them must not be early.
func seconds(wait time.Duration) int { return max(1, int((wait+time.Second-1)/time.Second)) }

// warn tells once when it looks as if a gateway was in front whose clients cannot
// be told apart.
func (d *Clients) warn(r *http.Request) {
	if r.Header["X-Forwarded-For"] == nil || d.proxies.Trusts(r.RemoteAddr) {
		return
	}
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	addr := peer.Addr().Unmap()
	if err == nil && !addr.IsLoopback() && !addr.IsPrivate() && !addr.IsLinkLocalUnicast() {
		return // a client that sends such a header itself
	}
	d.warned.Do(func() {
		d.log.Warn("requests come through a gateway that is not in trusted_proxies: all its clients share one limit",
			"gateway", addr.String())
	})
}
