package seal

import (
	"crypto/sha256"
	"sync"
	"time"
)

// KeyAges is since when a process has had each key of its settings. It outlives
// reloads.
type KeyAges struct {
	mu       sync.Mutex
	since    map[keyHash]time.Time
	newFirst map[keyHash]time.Time // keys that were new when they came first in the list, since then
}

type keyHash = [sha256.Size]byte

// NewKeyAges makes one that knows of no key.
func NewKeyAges() *KeyAges {
	return &KeyAges{since: map[keyHash]time.Time{}, newFirst: map[keyHash]time.Time{}}
}

// Observe notes that the process has had the keys of the ring since now, as far as it
// did not have them before, and reports whether the first of them is new. The zero time
// is for the keys that a process starts with, which others have as well.
func (a *KeyAges) Observe(r *Ring, now time.Time) (firstIsNew bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for i, key := range r.keys {
		hash := sha256.Sum256(key)
		if _, known := a.since[hash]; known {
			continue
		}
		if a.since[hash] = now; i == 0 {
			a.newFirst[hash], firstIsNew = now, true
		}
	}
	return firstIsNew
}

// sealing returns the index of the key that seals: the first one, unless it was new when
// it came there, and that after due; then the one that the process has had for longest.
// A key that stood further back before has been brought to all processes in that step,
// and seals at once. One that is no longer in the list has leaked, perhaps, and seals
// nothing more.
func (a *KeyAges) sealing(keys [][]byte, due time.Time) (index int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	first := sha256.Sum256(keys[0])
	if waits, ok := a.newFirst[first]; !ok || !waits.After(due) {
		return 0
	}
	oldest := a.since[first]
	for i, key := range keys[1:] {
		if since, known := a.since[sha256.Sum256(key)]; known && since.Before(oldest) {
			index, oldest = i+1, since
		}
	}
	return index
}
