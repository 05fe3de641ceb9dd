package tokens

import "sync"

// waiters counts the callers who wait for an exchange, by what they bring. The zero
// value is ready.
type waiters struct {
	mu      sync.Mutex
	waiting map[string]int
}

// join counts a caller until leave is called.
func (w *waiters) join(key string) (leave func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.waiting == nil {
		w.waiting = map[string]int{}
	}
	w.waiting[key]++
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.waiting[key]--; w.waiting[key] == 0 {
			delete(w.waiting, key)
		}
	}
}

func (w *waiters) number(key string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.waiting[key]
}
