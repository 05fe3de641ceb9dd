package guard

// Addresses tells how many are remembered.
func (l *Limiter) Addresses() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.seen.Len()
}
