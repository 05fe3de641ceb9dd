// Package sharedcall makes one call for all callers who want the same at the same
// time: metadata, a code, a refresh token, which are fetched or spent once.
//
// A call runs on a context of its own with a limit of its own. The first caller may
// go away, and what was asked for the others, or is spent by the asking, must not be
// lost with it. A panic in a call is an error for those who wait for it.
//
// It is the only package that knows x/sync/singleflight.
package sharedcall

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"
)

// ErrPanic is returned to all who wait for a call that panics: a fault of the
// program, or of a library on hostile input.
var ErrPanic = errors.New("panic in a shared call")

// Group is calls by key. The zero value is ready.
type Group struct {
	flights singleflight.Group

	mu      sync.Mutex
	running int
	idle    chan struct{} // closed when the last running call has ended
}

// Do calls fn once for all who ask for key at the same time, and waits for it. The
// context of fn ends after limit, and not with ctx. A caller whose own ctx ends
// first gets the error of that.
func Do[T any](ctx context.Context, g *Group, key string, limit time.Duration, fn func(context.Context) (T, error)) (T, error) {
	select {
	case r := <-start(ctx, g, key, limit, fn):
		v, _ := r.Val.(T)
		return v, r.Err
	case <-ctx.Done():
		var none T
		return none, ctx.Err()
	}
}

// Start is [Do] for a caller who does not wait.
func Start[T any](ctx context.Context, g *Group, key string, limit time.Duration, fn func(context.Context) (T, error)) {
	start(ctx, g, key, limit, fn)
}

func start[T any](ctx context.Context, g *Group, key string, limit time.Duration, fn func(context.Context) (T, error)) <-chan singleflight.Result {
	return g.flights.DoChan(key, func() (v any, err error) {
		defer g.begin()()
		// singleflight lets a panic end the process; net/http, where the callers
		// come from, would end one request.
		defer func() {
			if r := recover(); r != nil {
				v, err = nil, fmt.Errorf("%w: %T", ErrPanic, r)
			}
		}()
		detached, cancel := context.WithTimeout(context.WithoutCancel(ctx), limit)
		defer cancel()
		return fn(detached)
	})
}

// begin counts a call until end is called.
func (g *Group) begin() (end func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.running++; g.running == 1 {
		g.idle = make(chan struct{})
	}
	return func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		if g.running--; g.running == 0 {
			close(g.idle)
		}
	}
}

// Wait waits until no call is running, or until ctx ends. It is for the end of the
// process: cut off, a call could leave tokens that nobody knows of.
func (g *Group) Wait(ctx context.Context) error {
	g.mu.Lock()
	running, idle := g.running, g.idle
	g.mu.Unlock()
	if running == 0 {
		return nil
	}
	select {
	case <-idle:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
