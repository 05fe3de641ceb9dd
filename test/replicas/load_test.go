//go:build interop

package replicas

import (
	"fmt"
	"net/http"
	"sync"
	"time"
)

// load is users at work, until it is stopped. Each has an address and many
// sessions of his own, in which one refresh goes on at a time, as the page's
// library sees to; API calls go on beside it.
type load struct {
	w     *world
	due   chan struct{} // a login each
	stop  chan struct{}
	users sync.WaitGroup
	mu    sync.Mutex
	all   []*session
}

const (
	users         = 24
	loginsASecond = 60
)

// startLoad begins, with so many logins over time.
func (w *world) startLoad(logins int) *load {
	l := &load{w: w, due: make(chan struct{}), stop: make(chan struct{})}
	go func() {
		defer close(l.due)
		tick := time.NewTicker(time.Second / loginsASecond)
		defer tick.Stop()
		for range logins {
			<-tick.C
			l.due <- struct{}{}
		}
	}()
	for n := range users {
		l.users.Go(func() { l.user(n) })
	}
	for range 4 {
		l.users.Go(l.abuse)
	}
	return l
}

// user logs in whenever that is due, and uses his sessions in turn.
func (l *load) user(n int) {
	transport := l.w.transport(n + 1)
	var own []*session
	due := l.due
	for turn := 0; ; turn++ {
		select {
		case _, more := <-due:
			if !more {
				due = nil
				continue
			}
			if s, err := l.w.login(transport); err == nil {
				own = append(own, s)
				l.keep(s)
			}
			continue
		case <-l.stop:
			if due == nil {
				return
			}
		default:
		}
		if len(own) > 0 {
			l.use(own[turn%len(own)])
		} else {
			time.Sleep(time.Millisecond)
		}
	}
}

// use calls the API while the session is being refreshed, and after.
func (l *load) use(s *session) {
	var beside sync.WaitGroup
	beside.Go(func() { _ = s.work() })
	err := s.refresh()
	beside.Wait()
	if err == nil {
		_ = s.work()
	}
}

func (l *load) keep(s *session) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, s)
}

// abuse begins logins from one more address, far more often than one may, and says
// each time that it is another's. Nobody else is the worse for it.
func (l *load) abuse() {
	s := &session{w: l.w, http: &http.Client{Transport: l.w.transport(users + 1), Timeout: patience}}
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for n := 0; ; n++ {
		select {
		case <-l.stop:
			return
		case <-tick.C:
			req := s.request(l.w.t.Context(), http.MethodPost, "/oauth-agent/login/start", nil)
			req.Header.Set("X-Forwarded-For", fmt.Sprintf("203.0.113.%d", n%256))
			resp, err := s.http.Do(req)
			if err != nil {
				l.w.tally.note("abuse", err)
				continue
			}
			_ = resp.Body.Close()
			l.w.tally.note(fmt.Sprintf("abuse, %d", resp.StatusCode), nil)
		}
	}
}
