package observe

import (
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Looking a series up by its labels costs more than counting does. Those that
// every request needs are kept by what they are for.

// served is a kind of request; its parts come from fixed sets.
type served struct {
	route, method string
	status        int
}

// timings are the histograms of requests.
type timings struct {
	vec *prometheus.HistogramVec

	mu    sync.RWMutex
	known map[served]prometheus.Observer
}

func newTimings(r *prometheus.Registry, opts prometheus.HistogramOpts) *timings {
	t := &timings{vec: prometheus.NewHistogramVec(opts, []string{"route", "method", "status"}), known: map[served]prometheus.Observer{}}
	r.MustRegister(t.vec)
	return t
}

func (t *timings) observe(s served, took time.Duration) {
	t.mu.RLock()
	o := t.known[s]
	t.mu.RUnlock()
	if o == nil {
		o = t.vec.WithLabelValues(s.route, s.method, knownStatus(s.status))
		t.mu.Lock()
		t.known[s] = o
		t.mu.Unlock()
	}
	o.Observe(took.Seconds())
}

// passed is a kind of API call.
type passed struct{ route, outcome string }

// counts are the counters of API calls.
type counts struct {
	vec *prometheus.CounterVec

	mu    sync.RWMutex
	known map[passed]prometheus.Counter
}

func newCounts(r *prometheus.Registry, opts prometheus.CounterOpts) *counts {
	c := &counts{vec: prometheus.NewCounterVec(opts, []string{"route", "outcome"}), known: map[passed]prometheus.Counter{}}
	r.MustRegister(c.vec)
	return c
}

func (c *counts) inc(p passed) {
	p.outcome = oneOf(p.outcome, proxyOutcomes())
	c.mu.RLock()
	n := c.known[p]
	c.mu.RUnlock()
	if n == nil {
		n = c.vec.WithLabelValues(p.route, p.outcome)
		c.mu.Lock()
		c.known[p] = n
		c.mu.Unlock()
	}
	n.Inc()
}
