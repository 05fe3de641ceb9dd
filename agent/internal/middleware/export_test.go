package middleware

// Addresses tells how many are remembered.
func (l *RateLimiter) Addresses() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.seen.Len()
}
