package login

import (
	"sync"
	"time"
)

// maxSpent bounds the memory of spent logouts. Beyond it the oldest may work
// twice, which their one-minute cookie allows no stranger to try.
const maxSpent = 10_000

// spentOnce remembers what has been used, as long as it could be used again.
type spentOnce struct {
	lifetime time.Duration
	clock    func() time.Time

	mu    sync.Mutex
	seen  map[string]bool
	queue []spentEntry // oldest first
}

type spentEntry struct {
	id string
	at time.Time
}

func newSpentOnce(lifetime time.Duration, clock func() time.Time) *spentOnce {
	return &spentOnce{lifetime: lifetime, clock: clock, seen: map[string]bool{}}
}

// first tells whether id was never used before, and marks it used.
func (s *spentOnce) first(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.clock()
	for len(s.queue) > 0 && now.Sub(s.queue[0].at) > s.lifetime {
		s.forgetOldest()
	}
	if s.seen[id] {
		return false
	}
	if len(s.queue) >= maxSpent { // not before the look: it may be id itself
		s.forgetOldest()
	}
	s.seen[id] = true
	s.queue = append(s.queue, spentEntry{id, now})
	return true
}

func (s *spentOnce) forgetOldest() {
	delete(s.seen, s.queue[0].id)
	s.queue = s.queue[1:]
}
