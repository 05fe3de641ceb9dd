package login

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestSpentOnce(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	s := newSpentOnce(time.Minute, func() time.Time { return now })
	if !s.first("a") || s.first("a") || !s.first("b") || s.first("b") || s.first("a") {
		t.Error("an id was good twice, or not at all")
	}
	now = now.Add(time.Minute) // its cookie may still open
	if s.first("a") {
		t.Error("forgotten while it could still be used")
	}
	now = now.Add(time.Second)
	s.first("c")
	if len(s.seen) != 1 || len(s.queue) != 1 {
		t.Errorf("%d ids are kept past their time", len(s.seen)-1)
	}
}

func TestSpentOnceIsBounded(t *testing.T) {
	s := newSpentOnce(time.Minute, time.Now)
	for i := range maxSpent + 10 {
		s.first(fmt.Sprint(i))
	}
	if len(s.seen) != maxSpent || len(s.queue) != maxSpent || s.first("10") || !s.first("0") {
		t.Errorf("%d ids, and the oldest did not go first", len(s.seen))
	}
}

func TestSpentOnceAmongMany(t *testing.T) {
	s := newSpentOnce(time.Minute, time.Now)
	var wins atomic.Int32
	var group sync.WaitGroup
	for range 64 {
		group.Go(func() {
			if s.first("the same") {
				wins.Add(1)
			}
		})
	}
	group.Wait()
	if wins.Load() != 1 {
		t.Errorf("%d were first", wins.Load())
	}
}
