package authserver

import (
	"context"
	"errors"
	"time"

	"oauth-agent/agent/internal/sharedcall"
)

// Once is [sharedcall.Do], for callers who are told that the server is not available
// when they have waited for too long.
func Once[T any](ctx context.Context, g *sharedcall.Group, key string, limit time.Duration, fn func(context.Context) (T, error)) (T, error) {
	v, err := sharedcall.Do(ctx, g, key, limit, fn)
	if err != nil && ctx.Err() != nil && !errors.Is(err, ErrUnavailable) {
		err = unavailable("waiting for the answer: %w", err)
	}
	return v, err
}
