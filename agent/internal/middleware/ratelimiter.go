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
// It remembers a bounded number of addresses, and forgets the one that has been
// unseen for the longest. To make it forget an address that goes on asking takes
// as many others in between as it remembers; each of them may ask for more by
// itself than that address gains. So nobody buys requests by a flood. To turn
// newcomers away instead would let a flood lock everybody else out.
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

// idle is after how long an address is as one that was never seen: then its burst
// is whole again.
const idle = time.Minute

// NewRateLimiter allows perMinute requests of each of the last addresses; 0 allows
// all.
func NewRateLimiter(perMinute, addresses int, clock func() time.Time) *RateLimiter {
	return &RateLimiter{clock: clock, perMinute: perMinute, max: addresses, clients: map[netip.Addr]*list.Element{}}
}

// Change sets other numbers. What the addresses have used stays used.
func (l *RateLimiter) Change(perMinute, addresses int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.perMinute, l.max = perMinute, addresses
	for l.seen.Len() > l.max || perMinute == 0 && l.seen.Len() > 0 {
		l.forgetLast()
	}
}

// On tells whether there is a limit.
func (l *RateLimiter) On() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.perMinute > 0
}

// Allow counts a request of addr. Where that is one too many, it tells how long to
// wait for the next.
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

// client finds or makes what is remembered of an address, by the present numbers.
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

// forgetIdle gives back what a flood has taken, in small steps: more than one a
// request, so that it gets less.
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

// network is what one client has for itself: an IPv4 address, or the /64 out of
// which an IPv6 client takes as many as it likes (RFC 4291 2.5.4, RFC 8981). Behind
// NAT64 (RFC 6052 2.1) all of IPv4 shares one /64, and has addresses of its own in it.
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
