// Package storetest is the contract of a [store.Store] as a test suite: each
// implementation passes the same.
package storetest

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"oauth-agent/agent/internal/store"
)

// Run holds stores that open returns against the contract. sleep lets time pass
// for them.
func Run(t *testing.T, open func(t *testing.T) store.Store, sleep func(time.Duration)) {
	for name, test := range map[string]func(*suite){
		"a value is found until its time is over":      (*suite).values,
		"a value is the caller's own copy":             (*suite).copies,
		"one of many is the first":                     (*suite).firstOnly,
		"a lease keeps others out":                     (*suite).leases,
		"a value beats a lease":                        (*suite).valueBeatsLease,
		"a lease that is over is released by nobody":   (*suite).lateRelease,
		"apps and purposes do not see each other":      (*suite).apart,
		"a time to live of zero keeps nothing":         (*suite).noLife,
		"another value has a time to live of its own":  (*suite).renewed,
		"what was deleted is absent":                   (*suite).deleted,
		"many at once, each finds what it has written": (*suite).parallel,
	} {
		t.Run(name, func(t *testing.T) {
			test(&suite{T: t, store: open(t), sleep: sleep})
		})
	}
}

// life is a time to live that no step of a test takes.
const life = time.Minute

type suite struct {
	*testing.T
	store store.Store
	sleep func(time.Duration)
}

func (s *suite) key(name string) store.Key { return store.NewKey("test", s.Name(), name) }

func (s *suite) put(key store.Key, value string, ttl time.Duration) {
	s.Helper()
	if err := s.store.Put(s.Context(), key, []byte(value), ttl); err != nil {
		s.Fatal(err)
	}
}

// holds checks that key has this value; "" means none.
func (s *suite) holds(key store.Key, want string) {
	s.Helper()
	value, found, err := s.store.Get(s.Context(), key)
	if err != nil || found != (want != "") || string(value) != want {
		s.Errorf("got %q, %v, %v; want %q", value, found, err, want)
	}
}

func (s *suite) first(key store.Key, value string, want bool) {
	s.Helper()
	stored, err := s.store.PutIfAbsent(s.Context(), key, []byte(value), life)
	if err != nil || stored != want {
		s.Errorf("PutIfAbsent: %v, %v; want %v", stored, err, want)
	}
}

func (s *suite) acquire(key store.Key, want bool) store.Lease {
	s.Helper()
	lease, err := s.store.Acquire(s.Context(), key, life)
	if err != nil || (lease != nil) != want {
		s.Errorf("Acquire: %v, %v; want one: %v", lease, err, want)
	}
	return lease
}

func (s *suite) release(lease store.Lease) {
	s.Helper()
	if err := lease.Release(context.WithoutCancel(s.Context())); err != nil {
		s.Error(err)
	}
}

func (s *suite) values() {
	key := s.key("a")
	s.holds(key, "")
	s.put(key, "1", life)
	s.holds(key, "1")
	s.sleep(life - time.Second)
	s.holds(key, "1")
	s.sleep(2 * time.Second)
	s.holds(key, "")
	s.first(key, "2", true)
}

func (s *suite) copies() {
	key, value := s.key("a"), []byte("value")
	if err := s.store.Put(s.Context(), key, value, life); err != nil {
		s.Fatal(err)
	}
	value[0] = 'x'
	s.holds(key, "value")
	got, _, _ := s.store.Get(s.Context(), key)
	got[0] = 'x'
	s.holds(key, "value")
}

func (s *suite) firstOnly() {
	key := s.key("a")
	var firsts atomic.Int32
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			if stored, err := s.store.PutIfAbsent(s.Context(), key, []byte("1"), life); err != nil {
				s.Error(err)
			} else if stored {
				firsts.Add(1)
			}
		})
	}
	all.Wait()
	if n := firsts.Load(); n != 1 {
		s.Errorf("%d calls were the first", n)
	}
}

func (s *suite) leases() {
	key := s.key("a")
	lease := s.acquire(key, true)
	s.acquire(key, false)
	s.first(key, "1", false)
	s.holds(key, "")
	s.release(lease)
	s.release(lease) // twice does no harm
	second := s.acquire(key, true)
	s.release(lease) // and is not the lease of another
	s.acquire(key, false)
	s.sleep(life + time.Second) // its holder has died
	s.release(s.acquire(key, true))
	s.release(second)
	s.first(key, "1", true)
}

func (s *suite) valueBeatsLease() {
	key := s.key("a")
	lease := s.acquire(key, true)
	s.put(key, "result", life)
	s.holds(key, "result")
	s.release(lease)
	s.holds(key, "result")
	s.acquire(key, false)
}

func (s *suite) lateRelease() {
	key := s.key("a")
	late := s.acquire(key, true)
	s.sleep(life + time.Second)
	s.put(key, "of another", life)
	s.release(late)
	s.holds(key, "of another")
}

func (s *suite) apart() {
	shop, admin := store.ForApp(s.store, "shop"), store.ForApp(s.store, "admin")
	key := s.key("a")
	if err := shop.Put(s.Context(), key, []byte("of shop"), life); err != nil {
		s.Fatal(err)
	}
	for name, other := range map[string]store.Store{"admin": admin, "none": s.store} {
		if _, found, err := other.Get(s.Context(), key); found || err != nil {
			s.Errorf("app %s: %v, %v", name, found, err)
		}
	}
	if value, found, err := shop.Get(s.Context(), key); !found || string(value) != "of shop" || err != nil {
		s.Errorf("%q, %v, %v", value, found, err)
	}
	other := key
	other.Purpose = "another"
	s.put(other, "2", life)
	s.holds(key, "")
	s.first(store.NewKey("test", "ab", "c"), "1", true)
	s.first(store.NewKey("test", "a", "bc"), "1", true) // parts do not run together
}

func (s *suite) noLife() {
	key := s.key("a")
	s.put(key, "1", life)
	s.put(key, "2", 0)
	s.holds(key, "")
}

func (s *suite) renewed() {
	key := s.key("a")
	s.put(key, "1", life)
	s.sleep(life / 2)
	s.put(key, "2", life)
	s.sleep(life/2 + time.Second)
	s.holds(key, "2")
	s.put(key, "3", time.Second)
	s.sleep(2 * time.Second)
	s.holds(key, "")
}

func (s *suite) deleted() {
	key := s.key("a")
	for range 2 {
		if err := s.store.Delete(s.Context(), key); err != nil {
			s.Fatal(err)
		}
		s.holds(key, "")
		s.first(key, "1", true)
	}
}

func (s *suite) parallel() {
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for n := range 50 {
				key, value := s.key(fmt.Sprint(i, " ", n)), []byte(fmt.Sprint(i, n))
				if err := s.store.Put(s.Context(), key, value, life); err != nil {
					s.Error(err)
				}
				if got, _, err := s.store.Get(s.Context(), key); err != nil || !bytes.Equal(got, value) {
					s.Errorf("%q, %v; want %q", got, err, value)
				}
			}
		})
	}
	all.Wait()
}
