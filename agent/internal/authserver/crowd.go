package authserver

import (
	"errors"
	"sync"
)

// What comes of a refresh, for [Options.Refreshed].
const (
	RefreshExchanged      = "exchanged"  // by this call
	RefreshShared         = "shared"     // by another, at the same time
	RefreshRemembered     = "remembered" // by another, a moment ago
	RefreshSessionExpired = "session_expired"
	RefreshClientRefused  = "client_refused"
	RefreshUnavailable    = "unavailable"
)

// refreshOutcome is what came of a refresh that ends so.
func refreshOutcome(success string, err error) string {
	switch {
	case err == nil:
		return success
	case errors.Is(err, ErrSessionOver):
		return RefreshSessionExpired
	case errors.Is(err, ErrClientRefused):
		return RefreshClientRefused
	}
	return RefreshUnavailable
}

// crowds counts the callers that wait for an exchange, by what they bring.
type crowds struct {
	mu      sync.Mutex
	waiting map[tokenHash]int
}

// join counts a caller until leave is called.
func (c *crowds) join(key tokenHash) (leave func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.waiting == nil {
		c.waiting = map[tokenHash]int{}
	}
	c.waiting[key]++
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.waiting[key]--; c.waiting[key] == 0 {
			delete(c.waiting, key)
		}
	}
}

func (c *crowds) size(key tokenHash) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.waiting[key]
}
