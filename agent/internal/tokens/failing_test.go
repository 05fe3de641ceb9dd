package tokens

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"oauth-agent/agent/internal/authserver"
	"oauth-agent/agent/internal/store"
)

var errDown = errors.New("store down")

// broken is a source with a store that can be made to fail.
func (as *fakeAS) broken(change ...func(*setup)) (*Source, *brokenStore) {
	b := &brokenStore{Store: newStore(as)}
	return as.source(append(change, func(s *setup) { s.store = b })...), b
}

// A store that fails to read at any one of the looks that a refresh takes costs no
// session, and has no token spent twice.
func TestStoreThatFailsToRead(t *testing.T) {
	for failing := 1; failing <= 3; failing++ { // before the exchange, at its begin, after it
		as := newAS(t)
		s, b := as.broken()
		session := as.enter(s)
		looks := 0
		b.failGet = func() error {
			if looks++; looks == failing {
				return errDown
			}
			return nil
		}
		if _, err := s.Refresh(t.Context(), grantOf(session)); err != nil && !errors.Is(err, authserver.ErrUnavailable) {
			t.Errorf("look %d: %v", failing, err)
		}
		b.failGet = nil
		late := mustRefresh(t, s, grantOf(session))
		mustRefresh(t, s, grantOf(late))
		if n, reused := as.Refreshes(), as.Reused(); looks < failing || n != 2 || reused != 0 {
			t.Errorf("look %d of %d: %d exchanges, %d reuses; want 2 and 0", failing, looks, n, reused)
		}
	}
}

// A store that fails to write does not keep the tokens from the caller, whose session
// goes on with them.
func TestStoreThatFailsToWrite(t *testing.T) {
	as := newAS(t)
	s, b := as.broken()
	b.failPut = errDown
	session := as.enter(s)
	for range 3 {
		session = mustRefresh(t, s, grantOf(session))
	}
	if n, reused := as.Refreshes(), as.Reused(); n != 3 || reused != 0 {
		t.Errorf("%d exchanges, %d reuses", n, reused)
	}
}

// An only copy can be spent though its life cannot be made longer.
func TestOnlyCopyInAStoreThatFailsToWrite(t *testing.T) {
	as := newAS(t)
	s, b := as.broken()
	grant := grantOf(as.enter(s))
	as.Set(func() {
		as.Answer = func(form url.Values) (int, any) {
			status, body := as.Grant(form)
			delete(body, "access_token")
			return status, body
		}
	})
	if _, err := s.Refresh(t.Context(), grant); !errors.Is(err, authserver.ErrUnavailable) {
		t.Fatal(err)
	}
	as.Set(func() { as.Answer = nil })
	b.failPut = errDown
	if got := mustRefresh(t, s, grant); got.Refresh.Reveal() != "refresh-3" || as.Reused() != 0 {
		t.Errorf("refresh token %q, %d reuses", got.Refresh.Reveal(), as.Reused())
	}
}

// An only copy does not live shorter because somebody looks at it.
func TestALookDoesNotShortenALife(t *testing.T) {
	as := newAS(t)
	s := as.source(life(time.Hour))
	remember(t, s, "1", "", "2", true)
	for range 3 {
		as.Clock.Add(59 * time.Minute)
		if n := follow(t, s, "1"); n.refresh.Reveal() != "2" {
			t.Fatalf("it was not kept: %q", n.refresh.Reveal())
		}
	}
}

// A logout revokes what it has, and says what the store could not do.
func TestEndWithAStoreThatFails(t *testing.T) {
	as := newAS(t)
	s, b := as.broken()
	session := as.enter(s)
	b.fail = errDown
	if err := s.End(t.Context(), session.Refresh, session.Access); !errors.Is(err, errDown) {
		t.Errorf("the store's fault was not returned: %v", err)
	}
	as.wantRevoked("refresh_token refresh-1")

	b.fail = nil
	session = as.enter(s)
	newest := mustRefresh(t, s, grantOf(session))
	b.failPut = errDown
	if err := s.End(t.Context(), session.Refresh, session.Access); !errors.Is(err, errDown) {
		t.Errorf("the store's fault was not returned: %v", err)
	}
	as.wantRevoked("refresh_token refresh-1", "refresh_token "+newest.Refresh.Reveal())
}

// failsFor is a store that keeps no more used codes after the first so many.
type failsFor struct {
	store.Store
	left int
}

func (s *failsFor) PutIfAbsent(ctx context.Context, key store.Key, value []byte, ttl time.Duration) (bool, error) {
	if s.left--; s.left < 0 {
		return false, errDown
	}
	return s.Store.PutIfAbsent(ctx, key, value, ttl)
}

// A code is not sent before both it and its login are known to be new.
func TestCodeIsNotSentUnseen(t *testing.T) {
	for left := range 2 {
		as := newAS(t)
		s := as.source(func(s *setup) { s.store = &failsFor{newStore(as), left} })
		if _, err := s.Redeem(t.Context(), goodGrant()); !errors.Is(err, authserver.ErrUnavailable) || !errors.Is(err, errDown) {
			t.Errorf("%d kept: %v", left, err)
		}
		if n := as.Count("/token"); n != 0 {
			t.Errorf("%d kept: the code was sent", left)
		}
	}
}

// A login that the server has granted is not lost because the store fails after it.
func TestLoginWithAStoreThatFailsToForget(t *testing.T) {
	as := newAS(t)
	var log bytes.Buffer
	s, b := as.broken(func(s *setup) { s.log = &log })
	b.failDelete = errDown
	mustRefresh(t, s, grantOf(as.enter(s)))
	if !strings.Contains(log.String(), "could not be forgotten") || strings.Contains(log.String(), "refresh-1") {
		t.Errorf("log: %s", &log)
	}
}

// A caller who comes with a code that is on its way, from the source before a reload to
// the one after it, waits for the same answer.
func TestCodeOnItsWayIsWaitedFor(t *testing.T) {
	as := newAS(t)
	first := as.source()
	asked, release := as.hold()
	grant := goodGrant()
	done := make(chan error, 1)
	go func() {
		_, err := first.Redeem(t.Context(), grant)
		done <- err
	}()
	<-asked
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := as.source(sharing(first)).Redeem(ctx, grant); !errors.Is(err, authserver.ErrUnavailable) || !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "waiting for the answer") {
		t.Errorf("the second caller: %v", err)
	}
	release()
	if err := <-done; err != nil || as.Count("/token") != 1 {
		t.Errorf("%v, the code was sent %d times", err, as.Count("/token"))
	}
}

// Apps that bring one refresh token or one code at the same time do not share a call.
func TestAppsDoNotShareCalls(t *testing.T) {
	grant := goodGrant()
	for name, call := range map[string]func(*Source, authserver.Tokens) error{
		"refresh": func(s *Source, session authserver.Tokens) error {
			_, err := s.Refresh(t.Context(), grantOf(session))
			return err
		},
		"redeem": func(s *Source, _ authserver.Tokens) error {
			_, err := s.Redeem(t.Context(), grant)
			return err
		},
	} {
		as := newAS(t)
		shop := as.source()
		admin := as.source(sharing(shop), func(s *setup) { s.App = "admin" })
		session := as.enter(shop)
		arrived, may := make(chan struct{}, 2), make(chan struct{})
		as.Handle("/token", func(w http.ResponseWriter, r *http.Request) {
			arrived <- struct{}{}
			<-may
			as.ServeForm(w, r)
		})
		done := make(chan error, 2)
		for _, s := range []*Source{shop, admin} {
			go func() { done <- call(s, session) }()
		}
		for range 2 {
			select {
			case <-arrived:
			case <-time.After(3 * time.Second):
				t.Errorf("%s: one app waits for the call of another", name)
			}
		}
		close(may)
		for range 2 { // the server takes the second refresh for a reuse
			if err := <-done; err != nil && !errors.Is(err, authserver.ErrSessionOver) {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

// Without a life, a caller who comes during an exchange still waits for it, and nothing
// of it is kept.
func TestLifeOfZero(t *testing.T) {
	as := newAS(t)
	watched := &spy{Store: newStore(as)}
	s := as.source(life(0), func(s *setup) { s.store = watched })
	session := as.enter(s)
	asked, release := as.hold()
	done := make(chan error, 1)
	go func() {
		_, err := s.Refresh(t.Context(), grantOf(session))
		done <- err
	}()
	<-asked
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := s.Refresh(ctx, grantOf(session)); !errors.Is(err, authserver.ErrUnavailable) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the second caller: %v", err)
	}
	release()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if err := s.End(t.Context(), session.Refresh, session.Access); err != nil {
		t.Error(err)
	}
	if n := as.Refreshes(); n != 1 || len(watched.seen) != 0 {
		t.Errorf("%d exchanges, kept: %q", n, watched.seen)
	}
	as.wantRevoked("refresh_token refresh-1")
}
