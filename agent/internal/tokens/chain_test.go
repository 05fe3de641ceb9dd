package tokens

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"oauth-agent/agent/internal/authserver"
	"oauth-agent/agent/internal/secret"
	"oauth-agent/agent/internal/store"
)

func newStore(as *fakeAS) *store.Memory { return store.NewMemory(as.Clock.Now) }

// brokenStore fails, in all that it does or in some of it.
type brokenStore struct {
	store.Store
	fail, failPut, failDelete error
	failGet                   func() error // may be nil
}

func (b *brokenStore) Get(ctx context.Context, key store.Key) ([]byte, bool, error) {
	err := b.fail
	if b.failGet != nil {
		err = errors.Join(err, b.failGet())
	}
	if err != nil {
		return nil, false, err
	}
	return b.Store.Get(ctx, key)
}

func (b *brokenStore) Delete(ctx context.Context, key store.Key) error {
	if err := errors.Join(b.fail, b.failDelete); err != nil {
		return err
	}
	return b.Store.Delete(ctx, key)
}

func (b *brokenStore) Put(ctx context.Context, key store.Key, value []byte, ttl time.Duration) error {
	if err := errors.Join(b.fail, b.failPut); err != nil {
		return err
	}
	return b.Store.Put(ctx, key, value, ttl)
}

func (b *brokenStore) PutIfAbsent(ctx context.Context, key store.Key, value []byte, ttl time.Duration) (bool, error) {
	if b.fail != nil {
		return false, b.fail
	}
	return b.Store.PutIfAbsent(ctx, key, value, ttl)
}

func given(access, refresh string) authserver.Tokens {
	return authserver.Tokens{Access: secret.New(access), Refresh: secret.New(refresh), ID: secret.New("c4nary-id")}
}

func follow(t *testing.T, s *Source, refresh string) latest {
	t.Helper()
	n, err := s.latest(t.Context(), secret.New(refresh))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func remember(t *testing.T, s *Source, spent, access, refresh string, onlyCopy bool) {
	t.Helper()
	if alive, err := s.remember(t.Context(), secret.New(spent), given(access, refresh), onlyCopy); !alive || err != nil {
		t.Fatalf("remember %s: alive %v, %v", spent, alive, err)
	}
}

func TestTheChainIsFollowed(t *testing.T) {
	as := newAS(t)
	s := as.source()
	remember(t, s, "1", "b", "2", false)
	as.Clock.Add(40 * time.Second)
	remember(t, s, "2", "c", "3", false)
	for _, from := range []string{"1", "2"} {
		if n := follow(t, s, from); n.refresh.Reveal() != "3" || n.tokens.Access.Reveal() != "c" || !n.usable {
			t.Errorf("from %s: %q %q", from, n.refresh.Reveal(), n.tokens.Access.Reveal())
		}
	}
	if n := follow(t, s, "3"); n.refresh.Reveal() != "3" || n.serial != 0 || n.usable {
		t.Errorf("from 3: %q, serial %d", n.refresh.Reveal(), n.serial)
	}
	as.Clock.Add(20 * time.Second) // the first is a minute old
	if n := follow(t, s, "1"); n.serial != 0 {
		t.Error("an entry outlived its time")
	}
	if n := follow(t, s, "2"); n.refresh.Reveal() != "3" {
		t.Error("an entry went before its time")
	}
	as.Clock.Add(time.Minute)
	if n := follow(t, s, "2"); n.serial != 0 {
		t.Error("an entry outlived its time")
	}
}

// The limit in bytes holds: what expires first goes first, and an only copy expires
// last.
func TestTheStoreIsBounded(t *testing.T) {
	as := newAS(t)
	memory := newStore(as)
	memory.Limit(Refreshed, 5_000)
	s := as.source(func(s *setup) { s.store = memory })
	for i := range 100 {
		as.Clock.Add(time.Millisecond)
		remember(t, s, fmt.Sprint("old", i), "a", fmt.Sprint("new", i), i == 0)
	}
	left := 0
	for i := range 100 {
		if follow(t, s, fmt.Sprint("old", i)).serial != 0 {
			left++
		}
	}
	if left < 5 || left > 20 || follow(t, s, "old99").refresh.Reveal() != "new99" || follow(t, s, "old0").refresh.Reveal() != "new0" {
		t.Errorf("%d entries are left; the newest: %v, the only copy: %v", left, follow(t, s, "old99").serial, follow(t, s, "old0").serial)
	}
	memory.Limit(Refreshed, 0)
	remember(t, s, "x", "b", "c", false) // larger than all there is
	if follow(t, s, "x").serial != 0 {
		t.Error("a limit of nothing keeps something")
	}
}

// An only copy is kept longer, and lives on whenever it is looked at: its caller still
// has the token before it, as long as the fault lasts.
func TestAnOnlyCopyIsKeptLonger(t *testing.T) {
	as := newAS(t)
	s := as.source()
	remember(t, s, "1", "", "2", true)
	remember(t, s, "x", "a", "y", false)
	for range 3 {
		as.Clock.Add(onlyCopyLife - time.Second)
		if n := follow(t, s, "1"); n.refresh.Reveal() != "2" || n.usable {
			t.Errorf("the only copy: %q, usable %v", n.refresh.Reveal(), n.usable)
		}
	}
	if n := follow(t, s, "x"); n.serial != 0 {
		t.Error("an ordinary entry is kept as long")
	}
	as.Clock.Add(onlyCopyLife)
	if n := follow(t, s, "1"); n.serial != 0 {
		t.Error("the only copy outlived its time")
	}
}

// spy keeps what is written.
type spy struct {
	store.Store
	seen []string
}

func (s *spy) Put(ctx context.Context, key store.Key, value []byte, ttl time.Duration) error {
	s.seen = append(s.seen, fmt.Sprintf("%v %s", key, value))
	return s.Store.Put(ctx, key, value, ttl)
}

func TestNothingIsStoredInTheClear(t *testing.T) {
	as := newAS(t)
	watched := &spy{Store: newStore(as)}
	s := as.source(func(s *setup) { s.store = watched })
	remember(t, s, "c4nary-old", "c4nary-access", "c4nary-new", false)
	s.end(t.Context(), secret.New("c4nary-new"))
	if all := strings.Join(watched.seen, "\n"); len(watched.seen) != 2 || strings.Contains(all, "c4nary") {
		t.Errorf("%d entries: %q", len(watched.seen), all)
	}
}

// A result that cannot be remembered still reaches those who wait; one that does not
// open is not replaced by spending a token twice.
func TestResultsThatCannotBeKept(t *testing.T) {
	as := newAS(t)
	var log bytes.Buffer
	full := &brokenStore{Store: newStore(as), failPut: errors.New("full")}
	s := as.source(func(s *setup) { s.store, s.log = full, &log })
	session := as.enter(s)
	second := mustRefresh(t, s, grantOf(session))
	if !strings.Contains(log.String(), "could not be remembered") {
		t.Errorf("not logged: %s", &log)
	}

	memory := newStore(as)
	c := as.source(func(s *setup) { s.store = memory })
	mustRefresh(t, c, grantOf(second))
	other := as.source(func(s *setup) { s.store = memory }) // with another key
	if _, err := other.Refresh(t.Context(), grantOf(second)); !errors.Is(err, authserver.ErrUnavailable) || as.Reused() != 0 {
		t.Errorf("error is %v, %d reuses", err, as.Reused())
	}
}
