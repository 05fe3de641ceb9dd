package middleware_test

import (
	"fmt"
	"net/netip"
	"sync"
	"testing"
	"time"

	"oauth-agent/agent/internal/middleware"
	"oauth-agent/test/double"
)

func newClock() *double.Clock { return double.NewClock(time.Unix(1_700_000_000, 0)) }

func addr(text string) netip.Addr { return netip.MustParseAddr(text) }

// numbered gives distinct addresses.
func numbered(n int) netip.Addr {
	return netip.AddrFrom4([4]byte{100, byte(n >> 16), byte(n >> 8), byte(n)})
}

// allowed counts how many of n requests of an address pass at once.
func allowed(l *middleware.RateLimiter, a netip.Addr, n int) (passed int) {
	for range n {
		if _, ok := l.Allow(a); ok {
			passed++
		}
	}
	return passed
}

func TestLimiterAllowsABurstAndThenEvenly(t *testing.T) {
	c := newClock()
	l := middleware.NewRateLimiter(60, 10, c.Now)
	if n := allowed(l, addr("192.0.2.1"), 100); n != 60 {
		t.Fatalf("a burst of %d", n)
	}
	wait, ok := l.Allow(addr("192.0.2.1"))
	if ok || wait <= 0 || wait > time.Second {
		t.Errorf("%v %v", wait, ok)
	}
	c.Add(wait)
	if n := allowed(l, addr("192.0.2.1"), 2); n != 1 {
		t.Errorf("%d after the wait", n)
	}
	c.Add(wait / 2)
	if half, ok := l.Allow(addr("192.0.2.1")); ok || half > wait/2+time.Millisecond {
		t.Errorf("half way: %v %v", half, ok)
	}
	c.Add(time.Hour)
	if n := allowed(l, addr("192.0.2.1"), 100); n != 60 {
		t.Errorf("after an hour: %d", n)
	}
	if n := allowed(l, addr("192.0.2.2"), 100); n != 60 {
		t.Errorf("another address: %d", n)
	}
}

// Whoever goes on asking while refused waits no longer for it, and gets no more.
func TestRefusedRequestsCostNothing(t *testing.T) {
	c := newClock()
	l := middleware.NewRateLimiter(6, 10, c.Now)
	passed := 0
	for range 6000 { // ten a second, for ten minutes
		passed += allowed(l, addr("192.0.2.1"), 1)
		c.Add(100 * time.Millisecond)
	}
	if passed < 64 || passed > 66 { // the burst and six a minute
		t.Errorf("%d passed", passed)
	}
}

func TestAddressesThatAreOneClient(t *testing.T) {
	for _, tt := range []struct {
		one, other string
		same       bool
	}{
		{"192.0.2.1", "192.0.2.1", true},
		{"192.0.2.1", "192.0.2.2", false},
		{"192.0.2.1", "::ffff:192.0.2.1", true},
		{"2001:db8::1", "2001:db8::ffff:ffff:ffff:ffff", true},
		{"2001:db8::1", "2001:db8:0:1::1", false},
		{"fe80::1", "fe80::2", true},
		{"::1", "127.0.0.1", false},
		{"64:ff9b::192.0.2.1", "64:ff9b::192.0.2.2", false},
		{"64:ff9b::192.0.2.1", "192.0.2.1", true},
		{"64:ff9b:1::192.0.2.1", "64:ff9b:1::192.0.2.2", true},
	} {
		l := middleware.NewRateLimiter(1, 10, newClock().Now)
		allowed(l, addr(tt.one), 1)
		if same := allowed(l, addr(tt.other), 1) == 0; same != tt.same {
			t.Errorf("%s and %s: %v", tt.one, tt.other, same)
		}
	}
}

// Peers without an address, as those of a Unix socket, are one client.
func TestNoAddress(t *testing.T) {
	l := middleware.NewRateLimiter(5, 10, newClock().Now)
	if n := allowed(l, netip.Addr{}, 10); n != 5 {
		t.Error(n)
	}
}

func TestLimiterOff(t *testing.T) {
	l := middleware.NewRateLimiter(0, 10, newClock().Now)
	if n := allowed(l, addr("192.0.2.1"), 1000); n != 1000 || l.On() {
		t.Error(n)
	}
}

// The longest unseen goes first, so that whoever goes on asking stays limited
// beside a flood of others.
func TestFloodDoesNotLiftALimit(t *testing.T) {
	const addresses = 100
	l := middleware.NewRateLimiter(5, addresses, newClock().Now)
	abuser := addr("192.0.2.1")
	allowed(l, abuser, 5)
	gained := 0
	for n := range 50 * addresses {
		allowed(l, numbered(n), 1)
		if n%(addresses/2) == 0 {
			gained += allowed(l, abuser, 1)
		}
	}
	if gained != 0 {
		t.Errorf("%d requests were gained", gained)
	}
	for n := range addresses { // all that are remembered, and nothing in between
		allowed(l, numbered(1<<20+n), 1)
	}
	if n := allowed(l, abuser, 1); n != 1 {
		t.Error("more addresses are remembered than there should be")
	}
}

func TestMemoryIsBounded(t *testing.T) {
	c := newClock()
	l := middleware.NewRateLimiter(5, 1000, c.Now)
	for n := range 10_000 {
		l.Allow(numbered(n))
		if size := l.Addresses(); size > 1000 {
			t.Fatalf("%d addresses", size)
		}
	}
	c.Add(2 * time.Minute)
	for range 1000 { // of one client
		l.Allow(addr("192.0.2.1"))
	}
	if size := l.Addresses(); size != 1 {
		t.Errorf("%d addresses, long after a flood", size)
	}
}

// What has been used stays used under other numbers.
func TestChange(t *testing.T) {
	c := newClock()
	a := addr("192.0.2.1")
	for _, tt := range []struct {
		name          string
		perMinute     int
		now, inSecond int // how many pass
	}{
		{"the same", 60, 0, 1},
		{"more", 600, 0, 10},
		{"less", 6, 0, 0},
	} {
		l := middleware.NewRateLimiter(60, 10, c.Now)
		allowed(l, a, 60)
		l.Change(tt.perMinute, 10)
		if n := allowed(l, a, 100); n != tt.now {
			t.Errorf("%s: %d at once", tt.name, n)
		}
		c.Add(time.Second)
		if n := allowed(l, a, 100); n != tt.inSecond {
			t.Errorf("%s: %d after a second", tt.name, n)
		}
		if n := allowed(l, addr("192.0.2.2"), 1000); n != tt.perMinute {
			t.Errorf("%s: %d of another", tt.name, n)
		}
	}

	l := middleware.NewRateLimiter(60, 10, c.Now)
	l.Allow(a)
	l.Change(6, 10)
	if n := allowed(l, a, 100); n != 6 {
		t.Errorf("what was left of a greater burst: %d", n)
	}
	for n := range 10 {
		l.Allow(numbered(n))
	}
	if l.Change(6, 3); l.Addresses() != 3 {
		t.Errorf("%d addresses", l.Addresses())
	}
	if l.Change(0, 3); l.Addresses() != 0 || l.On() {
		t.Errorf("%d addresses, off", l.Addresses())
	}
	if l.Change(2, 3); allowed(l, a, 10) != 2 {
		t.Error("on again")
	}
}

func TestLimiterUnderParallelCalls(t *testing.T) {
	c := newClock()
	l := middleware.NewRateLimiter(100, 50, c.Now)
	var passed, all = make(chan int, 8), sync.WaitGroup{}
	for i := range 8 {
		all.Go(func() {
			n := 0
			for j := range 1000 {
				n += allowed(l, addr("192.0.2.1"), 1)
				l.Allow(numbered(j % 20))
				if i == 0 && j%100 == 0 {
					l.Change(100, 50)
				}
			}
			passed <- n
		})
	}
	all.Wait()
	close(passed)
	sum := 0
	for n := range passed {
		sum += n
	}
	if sum != 100 {
		t.Errorf("%d passed", sum)
	}
}

// BenchmarkLimiter: one address, as many as are remembered, and a flood of new ones.
func BenchmarkLimiter(b *testing.B) {
	const addresses = 1 << 16
	for _, many := range []int{1, addresses, 1 << 22} {
		b.Run(fmt.Sprint(many), func(b *testing.B) {
			l := middleware.NewRateLimiter(300, addresses, time.Now)
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				l.Allow(numbered(n % many))
				n++
			}
		})
	}
}
