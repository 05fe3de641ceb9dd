package pkceproxy

import (
	"crypto/sha256"
	"sync"
	"time"
)

// digest stands for a code, a token or a client id in memory, so that a memory
// dump holds none that could be used.
type digest [sha256.Size]byte

func digestOf(s string) digest { return sha256.Sum256([]byte(s)) }

// memory remembers values under digests, bounded in time and in number. It has
// two generations and forgets the older one whole: an entry lives for at least
// ttl, unless more than max newer ones push it out, and for at most twice as
// long.
type memory[V any] struct {
	max   int // of one generation
	ttl   time.Duration
	clock func() time.Time

	mu         sync.Mutex
	young, old map[digest]V
	since      time.Time // when the young generation began
}

func newMemory[V any](max int, ttl time.Duration, clock func() time.Time) *memory[V] {
	return &memory[V]{max: max / 2, ttl: ttl, clock: clock, young: map[digest]V{}, since: clock()}
}

// get finds what is remembered under key.
func (m *memory[V]) get(key digest) (V, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.age()
	return m.find(key)
}

// put remembers value under key.
func (m *memory[V]) put(key digest, value V) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.age()
	m.young[key] = value
}

// putNew remembers value, unless there is one under key already. Of several
// calls at once with the same key, one is told true.
func (m *memory[V]) putNew(key digest, value V) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.age()
	if _, known := m.find(key); known {
		return false
	}
	m.young[key] = value
	return true
}

func (m *memory[V]) find(key digest) (V, bool) {
	if v, ok := m.young[key]; ok {
		return v, true
	}
	v, ok := m.old[key]
	return v, ok
}

// age begins a new generation when the young one is full or old.
func (m *memory[V]) age() {
	now := m.clock()
	idle := now.Sub(m.since)
	if idle < m.ttl && len(m.young) < m.max {
		return
	}
	m.old, m.young, m.since = m.young, map[digest]V{}, now
	if idle >= 2*m.ttl {
		m.old = nil
	}
}
