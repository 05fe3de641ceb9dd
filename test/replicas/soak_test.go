//go:build interop

package replicas

import (
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"oauth-agent/test/double"
)

// One process at full load with everything that comes to it: SOAK is how long
// (30s), after a warm-up. What it holds afterwards is what it held before.
func TestSoak(t *testing.T) {
	length := 30 * time.Second
	if text := os.Getenv("SOAK"); text != "" {
		var err error
		if length, err = time.ParseDuration(text); err != nil {
			t.Fatal(err)
		}
	}
	port := double.FreePort(t)
	// The memory of refreshes is full after a while that is longer than most soaks.
	w := newWorld(t, port, "log: {level: error}\nrefresh: {memory: 2s}\nlimits: {login_start: 0}")
	r := w.addReplica(port, "localhost")
	s := &soak{world: w, replica: r}
	s.atRest("at rest")
	s.load("warm-up", max(length/4, 10*time.Second))
	before := s.atRest("after the warm-up")
	half := s.load("first half", length/2)
	full := s.load("second half", length/2)
	after := s.atRest("at the end")
	t.Logf("\n%s", w.tally)
	if sum, examples := w.tally.failures(); sum > 0 {
		t.Errorf("%d requests failed, such as %q", sum, examples)
	}
	// Connections to the authorization server are kept for a while, few or many, at
	// two goroutines each. Of everything else there were thousands.
	const kept = users
	for _, tt := range []struct {
		what       string
		before, is float64
		slack      float64
	}{
		{"goroutines at rest", before.goroutines, after.goroutines, 2*kept + 10},
		{"file descriptors at rest", before.files, after.files, kept + 10},
		{"goroutines under load", half.goroutines, full.goroutines, half.goroutines / 4},
		{"file descriptors under load", half.files, full.files, half.files / 4},
		{"live heap under load", half.heap, full.heap, half.heap/5 + 2*mega},
		{"resident memory under load", half.resident, full.resident, half.resident/5 + 8*mega},
	} {
		if tt.is > tt.before+tt.slack {
			t.Errorf("%s: %.0f have become %.0f", tt.what, tt.before, tt.is)
		}
	}
}

const mega = 1 << 20

// soak is one process and what it was seen to hold.
type soak struct {
	*world
	replica *replica
}

// held is what a process holds: under load, the most of goroutines, files and
// memory, and the least heap, which is that after a collection.
type held struct{ goroutines, files, heap, resident float64 }

func (h held) String() string {
	return fmt.Sprintf("%4.0f goroutines, %4.0f files, %5.1f MB heap, %5.1f MB resident", h.goroutines, h.files, h.heap/mega, h.resident/mega)
}

func (s *soak) look() held {
	m := s.replica.metrics()
	return held{m["go_goroutines"], m["process_open_fds"], m["go_memstats_heap_alloc_bytes"], m["process_resident_memory_bytes"]}
}

// atRest waits for what goes on to end, and tells what is held then.
func (s *soak) atRest(when string) held {
	time.Sleep(time.Second)
	s.api.CloseClientConnections() // those that are kept for later calls
	time.Sleep(time.Second)
	h := s.look()
	s.t.Logf("%-18s %v", when, h)
	return h
}

// load is everything at once for a while.
func (s *soak) load(when string, length time.Duration) held {
	stop := make(chan struct{})
	var all sync.WaitGroup
	count := s.tally.sum()
	for n := range users {
		all.Go(func() { s.user(n, stop) })
	}
	seen := s.watch(length)
	close(stop)
	all.Wait()
	s.t.Logf("%-18s %v; %.0f requests a second", when, seen, float64(s.tally.sum()-count)/length.Seconds())
	return seen
}

// watch looks until the time is over.
func (s *soak) watch(length time.Duration) held {
	seen := s.look()
	for end := time.Now().Add(length); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		now := s.look()
		seen = held{
			max(seen.goroutines, now.goroutines), max(seen.files, now.files),
			min(seen.heap, now.heap), max(seen.resident, now.resident),
		}
	}
	return seen
}

// user logs in, does some of everything, and leaves.
func (s *soak) user(n int, stop <-chan struct{}) {
	transport := s.transport(n + 1)
	defer transport.CloseIdleConnections()
	for {
		u, err := s.login(transport)
		for turn := 0; err == nil && turn < 50; turn++ {
			select {
			case <-stop:
				return
			default:
				_ = u.anything()
			}
		}
		select {
		case <-stop:
			return
		default:
		}
	}
}
