package authserver

import (
	"context"
	"errors"
	"sync"

	"golang.org/x/sync/singleflight"
)

// Wait waits for the refreshes and the exchanges that are in the air, until ctx
// ends. For the end of the process: whoever asked for one may have left, and cut
// off it would leave a session that was ended meanwhile with tokens that nobody
// revokes.
func (c *Client) Wait(ctx context.Context) error {
	return errors.Join(c.refreshes.wait(ctx), c.exchanges.wait(ctx))
}

// flights is a group of shared calls that can be waited for.
type flights struct {
	singleflight.Group

	mu     sync.Mutex
	flying int
	empty  chan struct{} // closed when the last of those that fly has landed
}

// takeOff counts a flight until land is called.
func (f *flights) takeOff() (land func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.flying++; f.flying == 1 {
		f.empty = make(chan struct{})
	}
	return func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		if f.flying--; f.flying == 0 {
			close(f.empty)
		}
	}
}

// wait waits for a moment in which none flies.
func (f *flights) wait(ctx context.Context) error {
	f.mu.Lock()
	flying, empty := f.flying, f.empty
	f.mu.Unlock()
	if flying == 0 {
		return nil
	}
	select {
	case <-empty:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
