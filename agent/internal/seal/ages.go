package seal

import (
	"crypto/sha256"
	"sync"
	"time"
)

// KeyAges is since when a process has had each key of its settings. It outlives
// reloads.
type KeyAges struct {
	mu    sync.Mutex
	since map[keyHash]time.Time
}

type keyHash = [sha256.Size]byte

// NewKeyAges makes one that knows of no key.
func NewKeyAges() *KeyAges { return &KeyAges{since: map[keyHash]time.Time{}} }

// Observe notes that the process has had the keys of the ring since now, as far as it
// did not have them before, and reports whether the first of them is new. The zero time
// is for the keys that a process starts with, which others have as well.
func (a *KeyAges) Observe(r *Ring, now time.Time) (firstIsNew bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for i, key := range r.keys {
		hash := sha256.Sum256(key)
		if _, known := a.since[hash]; !known {
			a.since[hash] = now
			firstIsNew = firstIsNew || i == 0
		}
	}
	return firstIsNew
}

// sealing returns the index of the key that seals: the first one if the process has
// had it since due, otherwise the one that it has had for longest. A key that is no
// longer in the list has leaked, perhaps, and seals nothing more.
func (a *KeyAges) sealing(keys [][]byte, due time.Time) (index int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	oldest := a.since[sha256.Sum256(keys[0])]
	if !oldest.After(due) {
		return 0
	}
	for i, key := range keys[1:] {
		if since, known := a.since[sha256.Sum256(key)]; known && since.Before(oldest) {
			index, oldest = i+1, since
		}
	}
	return index
}
