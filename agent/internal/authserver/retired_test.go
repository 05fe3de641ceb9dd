package authserver

import (
	"context"
	"net/http"
	"runtime"
	"testing"
	"weak"
)

// TestRetiredIsForgotten: what belongs to a client that was replaced, such as its
// secret, does not stay in memory with the keys that it has fetched, nor with calls
// and memories that are shared. It is the client's wire that knows its owner.
func TestRetiredIsForgotten(t *testing.T) {
	as := newAS(t)
	owned := func() (*Client, weak.Pointer[[64]byte]) {
		owner := new([64]byte)
		c := as.client()
		wire := NewHTTP(nil, c.http.timeout)
		wire.Watch = func(context.Context, string, string, string, http.Header) func(int, string) {
			runtime.KeepAlive(owner)
			return func(int, string) {}
		}
		c = New(c.cfg, Options{HTTP: wire, Clock: as.clock.Now})
		return c, weak.Make(owner)
	}
	first, owner := owned()
	session := as.enter(first)
	mustRefresh(t, first, grantOf(session))
	second, _ := owned()
	second.Inherit(first)
	as.enter(second)
	first = nil
	for range 100 {
		runtime.GC()
		if owner.Value() == nil {
			break
		}
		runtime.Gosched() // what runs in the background may not have ended
	}
	if owner.Value() != nil {
		t.Error("the first client's wire is in memory")
	}
	as.enter(second)
}

// TestRefusedSuccessor: one that takes over, and then is not taken, leaves the keys
// to the one before.
func TestRefusedSuccessor(t *testing.T) {
	as := newAS(t)
	calls := 0
	c := as.client()
	wire := NewHTTP(nil, c.http.timeout)
	wire.Watch = func(_ context.Context, endpoint, _, _ string, _ http.Header) func(int, string) {
		if endpoint == EndpointKeys {
			calls++
		}
		return func(int, string) {}
	}
	c = New(c.cfg, Options{HTTP: wire, Clock: as.clock.Now})
	as.enter(c)
	_ = as.successor(c)
	as.clock.Add(keyLife)
	as.enter(c)
	if calls != 2 {
		t.Errorf("%d calls for keys by its own wire", calls)
	}
}
