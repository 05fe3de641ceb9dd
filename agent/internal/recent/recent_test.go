package recent

import (
	"strconv"
	"testing"
	"time"
)

func TestMemoryIsBounded(t *testing.T) {
	now := time.Unix(0, 0)
	m := New[struct{}](10, time.Minute, func() time.Time { return now })
	for i := range 1000 {
		if !m.PutNew(strconv.Itoa(i), struct{}{}) {
			t.Fatalf("%d is known", i)
		}
		if m.PutNew(strconv.Itoa(i), struct{}{}) {
			t.Fatalf("%d is not known", i)
		}
		if n := len(m.young) + len(m.old); n > 10 {
			t.Fatalf("%d entries", n)
		}
	}
	// The newest survive a flood of half the size.
	if _, known := m.Get("995"); !known {
		t.Error("the newest are forgotten")
	}
	now = now.Add(2 * time.Minute)
	if _, known := m.Get("999"); known {
		t.Error("an old one is known")
	}
}

func TestMemoryKeepsForItsTime(t *testing.T) {
	now := time.Unix(0, 0)
	m := New[int](1000, time.Minute, func() time.Time { return now })
	for range 200 {
		now = now.Add(7 * time.Second)
		key := now.String()
		m.Put(key, 1)
		start := now
		now = start.Add(time.Minute)
		if _, known := m.Get(key); !known {
			t.Fatal("forgotten too early")
		}
		now = start
	}
}
