// Package store is the home of what must outlive a request and a reload, for a
// bounded time: the results of refreshes, and what was used and must not be used
// again (codes, logouts, logout tokens).
//
// [Memory] keeps it in one process. Every implementation passes the one contract
// suite of package storetest.
//
// Keys are hashes and say nothing to whoever reads the store. Values are the
// caller's; a caller that keeps a token seals it first.
package store

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"time"
)

// ErrUnavailable is returned by a store that cannot be reached, or that answers
// too late. A [Memory] never returns it.
var ErrUnavailable = errors.New("store unavailable")

// Store keeps values by key until their time to live is over. It is safe for
// concurrent use. An implementation may drop values early when its own bounds are
// reached, so that what it does not find may have been there.
type Store interface {
	// Get returns the value under key, and reports whether there is one.
	Get(ctx context.Context, key Key) (value []byte, found bool, err error)
	// Put keeps value under key for ttl, in the place of what was there.
	Put(ctx context.Context, key Key, value []byte, ttl time.Duration) error
	// PutIfAbsent keeps value under key for ttl unless there is a value or a lease
	// already, and reports whether it did. Of several calls at the same time, one
	// is told true.
	PutIfAbsent(ctx context.Context, key Key, value []byte, ttl time.Duration) (stored bool, err error)
	// Delete drops what is under key, if anything.
	Delete(ctx context.Context, key Key) error
	// Acquire takes key for the caller alone until ttl is over or the lease is
	// released. It returns nil without an error when there is a lease or a value
	// under key already: a value beats a lease, and Put writes over one.
	Acquire(ctx context.Context, key Key, ttl time.Duration) (Lease, error)
}

// Lease is the right to work out the value of a key while others wait for it.
type Lease interface {
	// Release ends the lease if it is still the caller's; it never drops a value
	// or the lease of another.
	Release(ctx context.Context) error
}

// Key names a value. Purposes have limits of their own, so that a flood of one
// does not push out another.
type Key struct {
	App     string // see [ForApp]
	Purpose Purpose
	Hash    [sha256.Size]byte
}

// Purpose is what a value is kept for.
type Purpose string

// NewKey makes the key of a purpose from what identifies the value, such as a
// code. The parts need no key to be hashed with, since each of them that is a
// secret is too random to be guessed.
func NewKey(purpose Purpose, parts ...string) Key {
	h := sha256.New()
	for _, part := range parts {
		var size [8]byte
		binary.BigEndian.PutUint64(size[:], uint64(len(part)))
		h.Write(size[:])
		h.Write([]byte(part))
	}
	return Key{Purpose: purpose, Hash: [sha256.Size]byte(h.Sum(nil))}
}

// ForApp returns s as one app uses it: no key of one app is ever another's.
func ForApp(s Store, app string) Store { return appStore{s, app} }

type appStore struct {
	store Store
	app   string
}

func (s appStore) key(k Key) Key {
	k.App = s.app
	return k
}

func (s appStore) Get(ctx context.Context, key Key) ([]byte, bool, error) {
	return s.store.Get(ctx, s.key(key))
}

func (s appStore) Put(ctx context.Context, key Key, value []byte, ttl time.Duration) error {
	return s.store.Put(ctx, s.key(key), value, ttl)
}

func (s appStore) PutIfAbsent(ctx context.Context, key Key, value []byte, ttl time.Duration) (bool, error) {
	return s.store.PutIfAbsent(ctx, s.key(key), value, ttl)
}

func (s appStore) Delete(ctx context.Context, key Key) error {
	return s.store.Delete(ctx, s.key(key))
}

func (s appStore) Acquire(ctx context.Context, key Key, ttl time.Duration) (Lease, error) {
	return s.store.Acquire(ctx, s.key(key), ttl)
}
