//go:build interop

package replicas

import (
	"testing"
	"time"
)

// shutdownDelay is long enough: its second half, in which replicas end their
// connections, is longer than nginx keeps idle ones.
const shutdownDelay = 3 * time.Second

// Three replicas are restarted one by one while users go on, get another key in
// the three steps of docs/operations.md, and other certificates. No request fails
// and no session is lost.
func TestReplicasChangeUnderLoad(t *testing.T) {
	const logins = 2000
	w := behindNginx(t, sticky, shutdownDelay)
	began := time.Now()
	l := w.startLoad(logins)
	step := func(name string, do func()) {
		from := time.Now()
		do()
		t.Logf("%5.1fs  %s, in %.1fs; %d logins so far", time.Since(began).Seconds(), name, time.Since(from).Seconds(), w.tally.count("logins"))
	}
	fresh := newKey()
	step("users at work", func() { time.Sleep(2 * time.Second) })
	step("restarted one by one", w.restartAll)
	step("new key in second place", func() { w.rotate(w.key, fresh) })
	step("new key in first place", func() { w.rotate(fresh, w.key) })
	rotated := time.Now()
	step("other certificates", w.changeCertificates)
	step("restarted again", w.restartAll)
	step("every session refreshed", func() { l.awaitRefreshed(rotated) })
	step("old key dropped", func() { w.rotate(fresh) })
	step("all logins done", l.end)
	step("every session looked at", func() { l.checkAll(logins) })
	w.report(began)
}

// restartAll restarts the replicas one by one. The next one follows when nginx
// has noticed that this one is back.
func (w *world) restartAll() {
	for _, r := range w.replicas {
		r.stop()
		r.start()
		time.Sleep(1100 * time.Millisecond) // fail_timeout
	}
}

// rotate gives these keys to all replicas, one after the other.
func (w *world) rotate(keys ...string) {
	for _, r := range w.replicas {
		r.setKeys(keys...)
		r.reload()
	}
}

func (w *world) changeCertificates() {
	for _, r := range w.replicas {
		before := r.serial(w.authority)
		want := w.authority.issue(r.dir, replicaName)
		r.reload()
		if got := r.serial(w.authority); got != want || got == before {
			w.t.Errorf("the certificate has number %d, was %d and should be %d", got, before, want)
		}
	}
}

// awaitRefreshed waits until each session that is older was refreshed, as the
// operator does before the old key goes.
func (l *load) awaitRefreshed(since time.Time) {
	deadline := time.Now().Add(4 * patience) // a busy machine
	for l.older(since) > 0 {
		if time.Now().After(deadline) {
			l.w.t.Errorf("%d sessions were not refreshed", l.older(since))
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func (l *load) older(than time.Time) (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range l.all {
		if s.refreshedAt().Before(than) {
			n++
		}
	}
	return n
}

// end waits for the logins that are left, and lets the users stop.
func (l *load) end() {
	close(l.stop)
	l.users.Wait()
}

// checkAll wants every session that there ever was alive.
func (l *load) checkAll(want int) {
	if len(l.all) != want {
		l.w.t.Errorf("%d sessions, want %d", len(l.all), want)
	}
	lost := 0
	for _, s := range l.all {
		if s.refresh() != nil || s.work() != nil || !s.isLoggedIn() {
			lost++
		}
	}
	l.w.t.Logf("%d sessions, %d lost", len(l.all), lost)
	if lost > 0 {
		l.w.t.Errorf("%d sessions were lost", lost)
	}
}

// report prints the counts, and wants no failure among them.
func (w *world) report(began time.Time) {
	passes, again := w.passes()
	w.t.Logf("in %.1fs:\n%s  nginx passed on %v, %d of them to another replica after the first", time.Since(began).Seconds(), w.tally, passes, again)
	if sum, examples := w.tally.failures(); sum > 0 {
		w.t.Errorf("%d requests failed, such as %q", sum, examples)
	}
	if w.tally.count("abuse, 429") < w.tally.count("abuse, 200")/4 {
		w.t.Error("one address may begin as many logins as it likes")
	}
	if len(passes) < len(w.replicas) {
		w.t.Errorf("not all replicas were asked")
	}
}
