package agent

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"oauth-agent/agent/config"
	"oauth-agent/agent/internal/observe"
)

// Live is an agent whose settings may change while it serves. A request is
// served to its end, however long that takes, by the settings that it began with.
type Live struct {
	opt     Options
	current atomic.Pointer[tenure]

	mu       sync.Mutex // of one change at a time
	stopping atomic.Bool
	trying   context.Context // of what a change asks of others; ends when the process stops
	giveUp   context.CancelFunc

	leaving sync.Mutex
	left    map[*tenure]struct{} // those before that have not ended
}

// errStopping is why nothing changes any more.
var errStopping = errors.New("the process is stopping")

// NewLive is [New] for a process that may get other settings.
func NewLive(ctx context.Context, cfg *config.Config, opt Options) (*Live, error) {
	a, err := New(ctx, cfg, opt)
	if err != nil {
		return nil, err
	}
	opt.Metrics = a.metrics
	l := &Live{opt: opt, left: map[*tenure]struct{}{}}
	l.trying, l.giveUp = context.WithCancel(context.WithoutCancel(ctx))
	l.current.Store(newTenure(a))
	return l, nil
}

// Reload serves by these settings, and tells them in this log, from the next
// request on. What an agent keeps in memory goes over: refreshes and logins that
// are under way, and what has been spent. The error is that of [New] or
// [ErrUnreachable]; nothing has changed then.
func (l *Live) Reload(ctx context.Context, cfg *config.Config, log *slog.Logger) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.stopping.Load() {
		return errStopping
	}
	before := l.current.Load()
	opt := l.opt
	opt.Log, opt.predecessor = log, before.agent
	a, err := prepare(ctx, cfg, opt)
	if err != nil {
		return err
	}
	if err := a.tryOthers(l.trying, before.agent); err != nil {
		a.retire()
		return err
	}
	a.begin(before.agent)
	l.current.Store(newTenure(a))
	if l.stopping.Load() {
		a.Draining() // Stop may have seen the one before
	}
	before.agent.stop()
	l.leaving.Lock()
	l.left[before] = struct{}{}
	l.leaving.Unlock()
	l.leave(before)
	return nil
}

// Handler serves the public port.
func (l *Live) Handler() http.Handler {
	return l.by(func(t *tenure) http.Handler { return t.public })
}

// ForwardAuth serves the listener for gateways; nil where there is none.
func (l *Live) ForwardAuth() http.Handler {
	if l.current.Load().gateways == nil {
		return nil
	}
	return l.by(func(t *tenure) http.Handler { return t.gateways })
}

// Peer returns the address that the connections of a peer count for; none for trusted
// proxies, which bring many clients, and for what has no address.
func (l *Live) Peer(addr net.Addr) netip.Addr { return l.current.Load().agent.door.Peer(addr) }

// Admin serves the operator's listener.
func (l *Live) Admin() http.Handler {
	return l.by(func(t *tenure) http.Handler { return t.admin })
}

// Stop tells balancers, by /readyz, that the process is about to end. The settings
// stay as they are from now on. It does not wait for a change that is under way.
func (l *Live) Stop() {
	l.stopping.Store(true)
	l.giveUp()
	l.current.Load().agent.Draining()
}

// cutOffTime is how long requests that were cut off may take to end.
const cutOffTime = 100 * time.Millisecond

// Close is [Agent.Close], also of those before that are just ending. No request may
// come any more. Those that were cut off have a moment to end, since their lines are
// what is looked for; what does not end then is left to the end of the process.
func (l *Live) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stopping.Store(true)
	l.giveUp()
	l.leaving.Lock()
	left := slices.Collect(maps.Keys(l.left))
	l.leaving.Unlock()
	current := l.current.Load()
	err := current.agent.close(func() { settle(current, left) })
	for _, t := range left {
		if t.holders.Load() > 0 {
			observe.Finish(t.agent.log)
			continue
		}
		<-t.over
	}
	return err
}

// settle waits for the requests that there still are, for a moment.
func settle(current *tenure, left []*tenure) {
	for end := time.Now().Add(cutOffTime); time.Now().Before(end); time.Sleep(time.Millisecond) {
		running := current.holders.Load() - 1
		for _, t := range left {
			running += t.holders.Load()
		}
		if running == 0 {
			return
		}
	}
}

// by serves a request by the agent of its time.
func (l *Live) by(pick func(*tenure) http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		t := l.current.Load()
		for !t.enter() { // it ended just now
			t = l.current.Load()
		}
		defer l.leave(t)
		pick(t).ServeHTTP(w, r)
	})
}

// tenure is the time of one agent. It ends when another has come and the last
// request is over.
type tenure struct {
	agent                   *Agent
	public, gateways, admin http.Handler
	holders                 atomic.Int64 // requests, and one while it is current
	over                    chan struct{}
}

func newTenure(a *Agent) *tenure {
	t := &tenure{agent: a, public: a.Handler(), gateways: a.ForwardAuth(), admin: a.Admin(), over: make(chan struct{})}
	t.holders.Store(1)
	return t
}

// enter is false when the time is over.
func (t *tenure) enter() bool {
	for {
		n := t.holders.Load()
		if n == 0 {
			return false
		}
		if t.holders.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

// leave ends the time of t when nobody is in it any more. What runs in the
// background, such as the export of its last spans, ends there.
func (l *Live) leave(t *tenure) {
	if t.holders.Add(-1) > 0 {
		return
	}
	go func() {
		t.agent.retire()
		close(t.over)
		l.leaving.Lock()
		delete(l.left, t)
		l.leaving.Unlock()
	}()
}
