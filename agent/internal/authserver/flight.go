package authserver

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/singleflight"
)

// errPanic is a fault of the program, or of a library on hostile input.
var errPanic = errors.New("panic in a shared call")

// fly runs fn once for all who ask for key at the same time. fn runs on a
// context of its own: the first caller may go away, and what was asked for the
// others, or is spent by the asking, must not be lost with it.
func fly[T any](ctx context.Context, group *flights, key string, limit time.Duration, fn func(context.Context) (T, error)) (T, error) {
	ch := start(ctx, group, key, limit, fn)
	select {
	case r := <-ch:
		v, _ := r.Val.(T)
		return v, r.Err
	case <-ctx.Done():
		var none T
		return none, unavailable("waiting for the answer: %w", ctx.Err())
	}
}

// start is fly for one who does not wait.
func start[T any](ctx context.Context, group *flights, key string, limit time.Duration, fn func(context.Context) (T, error)) <-chan singleflight.Result {
	return group.DoChan(key, func() (v any, err error) {
		defer group.takeOff()()
		// singleflight lets a panic end the process; net/http, where the
		// callers come from, would end one request.
		defer func() {
			if r := recover(); r != nil {
				v, err = nil, fmt.Errorf("%w: %T", errPanic, r)
			}
		}()
		detached, cancel := context.WithTimeout(context.WithoutCancel(ctx), limit)
		defer cancel()
		return fn(detached)
	})
}
