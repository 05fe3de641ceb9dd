// Package recent remembers what has just been used, so that it is not used
// again: bounded in number and in time, in one process. It only ever refuses
// more; nothing depends on it that must hold across replicas.
package recent

import (
	"crypto/sha256"
	"sync"
	"time"
)

// digest stands for what is remembered, so that a memory dump holds no code and
// no token that could be used.
type digest [sha256.Size]byte

func digestOf(s string) digest { return sha256.Sum256([]byte(s)) }

// Memory remembers values under the digests of their keys, bounded in time and in number. It has
// two generations and forgets the older one whole: an entry lives for at least
// ttl, unless more than max newer ones push it out, and for at most twice as
// long.
type Memory[V any] struct {
	max   int // of one generation
	ttl   time.Duration
	clock func() time.Time

	mu         sync.Mutex
	young, old map[digest]V
	since      time.Time // when the young generation began
}

// New makes a memory of at most max entries that live for ttl.
func New[V any](max int, ttl time.Duration, clock func() time.Time) *Memory[V] {
	return &Memory[V]{max: max / 2, ttl: ttl, clock: clock, young: map[digest]V{}, since: clock()}
}

// Get finds what is remembered under key.
func (m *Memory[V]) Get(key string) (V, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.age()
	return m.find(digestOf(key))
}

// Put remembers value under key.
func (m *Memory[V]) Put(key string, value V) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.age()
	m.young[digestOf(key)] = value
}

// PutNew remembers value, unless there is one under key already. Of several
// calls at once with the same key, one is told true.
func (m *Memory[V]) PutNew(name string, value V) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.age()
	key := digestOf(name)
	if _, known := m.find(key); known {
		return false
	}
	m.young[key] = value
	return true
}

func (m *Memory[V]) find(key digest) (V, bool) {
	if v, ok := m.young[key]; ok {
		return v, true
	}
	v, ok := m.old[key]
	return v, ok
}

// age begins a new generation when the young one is full or old.
func (m *Memory[V]) age() {
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
