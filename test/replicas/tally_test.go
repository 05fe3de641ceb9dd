//go:build interop

package replicas

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
)

// tally counts what was asked for, and what failed of it.
type tally struct {
	mu       sync.Mutex
	counts   map[string]int
	failed   map[string]int
	examples []string
}

func newTally() *tally { return &tally{counts: map[string]int{}, failed: map[string]int{}} }

func (c *tally) note(kind string, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.counts[kind]++
	if err == nil {
		return
	}
	c.failed[kind]++
	if len(c.examples) < 10 {
		c.examples = append(c.examples, kind+": "+err.Error())
	}
}

func (c *tally) count(kind string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.counts[kind]
}

// sum is how much there was.
func (c *tally) sum() (n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, of := range c.counts {
		n += of
	}
	return n
}

// failures is how many there are, and some of them.
func (c *tally) failures() (sum int, examples []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, n := range c.failed {
		sum += n
	}
	return sum, slices.Clone(c.examples)
}

// String lists the counts.
func (c *tally) String() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out strings.Builder
	for _, kind := range slices.Sorted(maps.Keys(c.counts)) {
		fmt.Fprintf(&out, "  %-12s %6d, failed %d\n", kind, c.counts[kind], c.failed[kind])
	}
	return out.String()
}
