package store_test

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"oauth-agent/agent/internal/store"
	"oauth-agent/agent/internal/store/storetest"
	"oauth-agent/test/double"
)

func TestMemory(t *testing.T) {
	clock := double.NewClock(time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC))
	open := func(*testing.T) store.Store { return store.NewMemory(clock.Now) }
	storetest.Run(t, open, clock.Add)
}

// A flood of one purpose pushes out what expires first, and nothing of another.
func TestMemoryIsBounded(t *testing.T) {
	clock := double.NewClock(time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC))
	m := store.NewMemory(clock.Now)
	m.Limit("flooded", 10_000)
	put := func(key store.Key, ttl time.Duration) {
		t.Helper()
		if err := m.Put(t.Context(), key, bytes.Repeat([]byte("x"), 744), ttl); err != nil { // 1,000 bytes each
			t.Fatal(err)
		}
	}
	kept := func(key store.Key) bool {
		_, found, _ := m.Get(t.Context(), key)
		return found
	}
	other, long := store.NewKey("quiet", "a"), store.NewKey("flooded", "long")
	put(other, time.Second)
	put(long, time.Hour)
	for i := range 100 {
		put(store.NewKey("flooded", fmt.Sprint(i)), time.Minute)
	}
	left := 0
	for i := range 100 {
		if kept(store.NewKey("flooded", fmt.Sprint(i))) {
			left++
		}
	}
	if left != 9 || !kept(long) || !kept(other) {
		t.Errorf("%d of the flood, the long-lived one: %v, the other purpose's: %v", left, kept(long), kept(other))
	}
	m.Limit("flooded", 1_000)
	if !kept(long) {
		t.Error("a smaller limit pushed out what expires last")
	}
	if m.Limit("flooded", 0); kept(long) {
		t.Error("a limit of nothing keeps something")
	}
}
