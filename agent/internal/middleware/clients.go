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

// Clients finds the address that a request or a connection counts for.
type Clients struct {
	proxies clientip.Proxies
	log     *slog.Logger
	warned  sync.Once
}

// NewClients returns Clients behind these trusted proxies.
func NewClients(proxies clientip.Proxies, log *slog.Logger) *Clients {
	return &Clients{proxies: proxies, log: log}
}

// client returns the address that a request counts for. It is the zero Addr if the client
// is not known, as with a trusted proxy that names none.
func (c *Clients) client(r *http.Request) netip.Addr {
	return c.counted(c.proxies.Client(r))
}

// Peer returns the address that the connections of a peer count for. It is the zero Addr
// for a trusted proxy, which brings many clients, and for a Unix socket.
func (c *Clients) Peer(addr net.Addr) netip.Addr {
	peer, ok := addr.(*net.TCPAddr)
	if !ok {
		return netip.Addr{}
	}
	return c.counted(peer.AddrPort().Addr().Unmap().WithZone(""))
}

func (c *Clients) counted(addr netip.Addr) netip.Addr {
	if !addr.IsValid() || c.proxies.Contains(addr) {
		return netip.Addr{}
	}
	return network(addr)
}

// Limit answers 429 with Retry-After (RFC 6585 4, RFC 9110 10.2.3) when an address asks
// too often. It belongs behind the check of the origin: otherwise foreign pages could use
// up what the addresses of their visitors may ask for.
func (c *Clients) Limit(limiter *RateLimiter, render *httperr.Renderer) func(http.Handler) http.Handler {
	return refusing(render, func(next httperr.Handler) httperr.Handler { return c.limit(limiter, next) })
}

func (c *Clients) limit(limiter *RateLimiter, next httperr.Handler) httperr.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		if !limiter.On() {
			return next(w, r)
		}
		c.warn(r)
		wait, ok := limiter.Allow(c.proxies.Client(r))
		if ok {
			return next(w, r)
		}
		w.Header().Set("Retry-After", strconv.Itoa(seconds(wait)))
		return httperr.New(http.StatusTooManyRequests, httperr.TooManyRequests,
			"too many requests came from this address: wait for as long as Retry-After says", nil).Because(httperr.ReasonRateLimit)
	}
}

// seconds rounds up, so that a client that waits for them does not come too early.
func seconds(wait time.Duration) int { return max(1, int((wait+time.Second-1)/time.Second)) }

// warn logs once that there seems to be a gateway in front that is not trusted, so that
// its clients share one address.
func (c *Clients) warn(r *http.Request) {
	if r.Header["X-Forwarded-For"] == nil || c.proxies.Trusts(r.RemoteAddr) {
		return
	}
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	addr := peer.Addr().Unmap()
	if err == nil && !addr.IsLoopback() && !addr.IsPrivate() && !addr.IsLinkLocalUnicast() {
		return // a client that sends such a header itself
	}
	c.warned.Do(func() {
		c.log.Warn("requests come through a gateway that is not in trusted_proxies: all its clients share one limit",
			"gateway", addr.String())
	})
}
