package sharedcall_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"oauth-agent/agent/internal/sharedcall"
)

const limit = time.Minute

func TestOneCallForAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g sharedcall.Group
		calls := 0
		type result struct {
			v   int
			err error
		}
		results := make(chan result, 10)
		for range cap(results) {
			go func() {
				v, err := sharedcall.Do(t.Context(), &g, "key", limit, func(context.Context) (int, error) {
					calls++
					time.Sleep(time.Second)
					return 7, nil
				})
				results <- result{v, err}
			}()
		}
		for range cap(results) {
			if r := <-results; r.v != 7 || r.err != nil {
				t.Errorf("%d, %v", r.v, r.err)
			}
		}
		if calls != 1 {
			t.Errorf("%d calls", calls)
		}
		if _, err := sharedcall.Do(t.Context(), &g, "other", limit, func(context.Context) (int, error) { return 0, errors.New("its own") }); err == nil || err.Error() != "its own" {
			t.Errorf("another key: %v", err)
		}
	})
}

// A call goes on without its first caller, and no longer than its limit.
func TestTheCallerMayLeave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g sharedcall.Group
		ctx, leave := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() {
			time.Sleep(time.Second)
			leave()
		}()
		begun := time.Now()
		_, err := sharedcall.Do(ctx, &g, "key", limit, func(ctx context.Context) (int, error) {
			<-ctx.Done()
			ended <- ctx.Err()
			return 0, ctx.Err()
		})
		if !errors.Is(err, context.Canceled) || time.Since(begun) != time.Second {
			t.Errorf("the caller: %v after %v", err, time.Since(begun))
		}
		if err := g.Wait(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("Wait with a context that has ended: %v", err)
		}
		if err := g.Wait(t.Context()); err != nil || time.Since(begun) != limit {
			t.Errorf("Wait: %v after %v", err, time.Since(begun))
		}
		if err := <-ended; !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the call: %v", err)
		}
	})
}

func TestNobodyWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g sharedcall.Group
		done := false
		if err := g.Wait(t.Context()); err != nil {
			t.Errorf("Wait without a call: %v", err)
		}
		sharedcall.Start(t.Context(), &g, "key", limit, func(context.Context) (int, error) {
			time.Sleep(time.Second)
			done = true
			return 0, nil
		})
		synctest.Wait()
		if err := g.Wait(t.Context()); err != nil || !done {
			t.Errorf("%v, done: %v", err, done)
		}
	})
}

// A call that panics is an error without what it panicked with, and has ended.
func TestPanic(t *testing.T) {
	var g sharedcall.Group
	_, err := sharedcall.Do(t.Context(), &g, "key", limit, func(context.Context) (int, error) { panic("c4nary") })
	if !errors.Is(err, sharedcall.ErrPanic) || err.Error() != "panic in a shared call: string" {
		t.Errorf("%v", err)
	}
	if err := g.Wait(t.Context()); err != nil {
		t.Error(err)
	}
}
