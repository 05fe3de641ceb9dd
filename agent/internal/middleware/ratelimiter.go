package middleware

import (
	"container/list"
	"math"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Limiter bounds how often each client address may ask for something: as a burst,
// and then evenly over a minute. It outlives a change of the settings.
//
// It remembers a bounded number of addresses, and forgets the one that it has not seen for
// the longest. To make it forget an address that goes on asking takes as many other
// addresses in between as it remembers, each of which may ask for more than is gained by
// that: a flood of addresses is no way around the limit. If it refused addresses that it
// does not know instead, a flood would lock out everybody else.
type RateLimiter struct {
	clock func() time.Time

	mu        sync.Mutex
	perMinute int // 0: no limit
	max       int // of addresses
	clients   map[netip.Addr]*list.Element
	seen      list.List // of *client, the last seen one first
}

// client is what is remembered of one address.
type client struct {
	addr netip.Addr
	rate *rate.Limiter
	last time.Time
}

// idle is after how long an address may be forgotten: its burst is complete again then.
const idle = time.Minute

// NewRateLimiter allows perMinute requests of each of so many addresses; 0 allows all.
func NewRateLimiter(perMinute, addresses int, clock func() time.Time) *RateLimiter {
	return &RateLimiter{clock: clock, perMinute: perMinute, max: addresses, clients: map[netip.Addr]*list.Element{}}
}

// Change sets other limits. What the addresses have used stays used.
func (l *RateLimiter) Change(perMinute, addresses int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.perMinute, l.max = perMinute, addresses
	for l.seen.Len() > l.max || perMinute == 0 && l.seen.Len() > 0 {
		l.forgetLast()
	}
}

// On reports whether there is a limit.
func (l *RateLimiter) On() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.perMinute > 0
}

// Allow counts a request of addr. If it is one too many, Allow returns how long to wait
// for the next.
func (l *RateLimiter) Allow(addr netip.Addr) (wait time.Duration, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.perMinute == 0 {
		return 0, true
	}
	now := l.clock()
	l.forgetIdle(now)
	c := l.client(network(addr), now)
	if c.rate.AllowN(now, 1) {
		return 0, true
	}
	missing := 1 - c.rate.TokensAt(now)
	return time.Duration(math.Ceil(missing / float64(c.rate.Limit()) * float64(time.Second))), false
}

// client returns what is remembered of an address, which may be new, by the present
// limits.
func (l *RateLimiter) client(addr netip.Addr, now time.Time) *client {
	limit := rate.Limit(float64(l.perMinute) / time.Minute.Seconds())
	if e := l.clients[addr]; e != nil {
		l.seen.MoveToFront(e)
		c := e.Value.(*client)
		c.last = now
		if c.rate.Burst() != l.perMinute {
			c.rate.SetLimitAt(now, limit)
			c.rate.SetBurstAt(now, l.perMinute)
		}
		return c
	}
	if l.seen.Len() >= l.max {
		l.forgetLast()
	}
	c := &client{addr: addr, rate: rate.NewLimiter(limit, l.perMinute), last: now}
	l.clients[addr] = l.seen.PushFront(c)
	return c
}

// forgetIdle frees the memory that a flood has taken, in small steps: two for each
// request, so that it shrinks.
func (l *RateLimiter) forgetIdle(now time.Time) {
	for range 2 {
		e := l.seen.Back()
		if e == nil || now.Sub(e.Value.(*client).last) < idle {
			return
		}
		l.forgetLast()
	}
}

func (l *RateLimiter) forgetLast() {
	e := l.seen.Back()
	if e == nil {
		return
	}
	delete(l.clients, l.seen.Remove(e).(*client).addr)
}

// network returns the address that stands for one client: an IPv4 address, or the /64 of
// an IPv6 address, in which a client may use as many as it likes (RFC 4291 2.5.4, RFC
// 8981). Behind NAT64 (RFC 6052 2.1) all of IPv4 is in one /64: there the IPv4 address
// counts.
func network(addr netip.Addr) netip.Addr {
	if !addr.Is6() || addr.Is4In6() {
		return addr.Unmap()
	}
	if b := addr.As16(); [12]byte(b[:12]) == [12]byte{0, 0x64, 0xff, 0x9b} {
		return netip.AddrFrom4([4]byte(b[12:]))
	}
	prefix, err := addr.Prefix(64)
	if err != nil {
		return addr
	}
	return prefix.Addr()
}
