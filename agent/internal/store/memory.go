package store

import (
	"bytes"
	"container/heap"
	"context"
	"sync"
	"time"
)

// entryOverhead is about what an entry costs besides its value, in bytes.
const entryOverhead = 256

// Memory keeps values in this process, bounded in bytes by purpose. Where a bound
// is reached, what would expire first goes first.
type Memory struct {
	clock func() time.Time

	mu       sync.Mutex
	limits   map[Purpose]int
	purposes map[Purpose]*partition
}

// DefaultLimit bounds a purpose that has no limit of its own, in bytes.
const DefaultLimit = 16 << 20

// NewMemory makes an empty one.
func NewMemory(clock func() time.Time) *Memory {
	return &Memory{clock: clock, limits: map[Purpose]int{}, purposes: map[Purpose]*partition{}}
}

// Limit bounds what is kept for a purpose to so many bytes from now on.
func (m *Memory) Limit(purpose Purpose, bytes int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.limits[purpose] = bytes
	if p := m.purposes[purpose]; p != nil {
		p.trim(bytes)
	}
}

// Get implements [Store].
func (m *Memory) Get(_ context.Context, key Key) ([]byte, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	e := m.partition(key).entries[key]
	if e == nil || e.lease {
		return nil, false, nil
	}
	return bytes.Clone(e.value), true, nil
}

// Put implements [Store].
func (m *Memory) Put(_ context.Context, key Key, value []byte, ttl time.Duration) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.put(&entry{key: key, value: bytes.Clone(value)}, ttl)
	return nil
}

// PutIfAbsent implements [Store].
func (m *Memory) PutIfAbsent(_ context.Context, key Key, value []byte, ttl time.Duration) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.partition(key).entries[key] != nil {
		return false, nil
	}
	m.put(&entry{key: key, value: bytes.Clone(value)}, ttl)
	return true, nil
}

// Delete implements [Store].
func (m *Memory) Delete(_ context.Context, key Key) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	p := m.partition(key)
	p.remove(p.entries[key])
	return nil
}

// Acquire implements [Store].
func (m *Memory) Acquire(_ context.Context, key Key, ttl time.Duration) (Lease, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.partition(key).entries[key] != nil {
		return nil, nil
	}
	e := &entry{key: key, lease: true}
	m.put(e, ttl)
	return memoryLease{m, e}, nil
}

// memoryLease is the lease that one entry stands for.
type memoryLease struct {
	memory *Memory
	entry  *entry
}

// Release implements [Lease].
func (l memoryLease) Release(context.Context) error {
	l.memory.mu.Lock()
	defer l.memory.mu.Unlock()
	p := l.memory.partition(l.entry.key)
	if p.entries[l.entry.key] == l.entry {
		p.remove(l.entry)
	}
	return nil
}

// partition returns the entries of a purpose without those that have expired. The
// lock is held.
func (m *Memory) partition(key Key) *partition {
	p := m.purposes[key.Purpose]
	if p == nil {
		p = &partition{entries: map[Key]*entry{}}
		m.purposes[key.Purpose] = p
	}
	for now := m.clock(); len(p.queue) > 0 && !now.Before(p.queue[0].expires); {
		p.remove(p.queue[0])
	}
	return p
}

// put adds e in the place of what has its key. The lock is held.
func (m *Memory) put(e *entry, ttl time.Duration) {
	p := m.partition(e.key)
	p.remove(p.entries[e.key])
	if ttl <= 0 {
		return
	}
	e.expires = m.clock().Add(ttl)
	p.entries[e.key] = e
	p.bytes += e.cost()
	heap.Push(&p.queue, e)
	limit, ok := m.limits[e.key.Purpose]
	if !ok {
		limit = DefaultLimit
	}
	p.trim(limit)
}

// partition is the entries of one purpose.
type partition struct {
	entries map[Key]*entry
	queue   queue // the same, by expiry
	bytes   int
}

func (p *partition) trim(limit int) {
	for p.bytes > limit && len(p.queue) > 0 {
		p.remove(p.queue[0])
	}
}

// remove drops e, which may be nil.
func (p *partition) remove(e *entry) {
	if e == nil {
		return
	}
	delete(p.entries, e.key)
	heap.Remove(&p.queue, e.index)
	p.bytes -= e.cost()
}

// entry is a value or a lease.
type entry struct {
	key     Key
	value   []byte
	lease   bool
	expires time.Time
	index   int // in the queue
}

func (e *entry) cost() int { return len(e.value) + entryOverhead }

// queue is a heap of entries; the first is the first to expire.
type queue []*entry

func (q queue) Len() int           { return len(q) }
func (q queue) Less(i, j int) bool { return q[i].expires.Before(q[j].expires) }

func (q queue) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].index, q[j].index = i, j
}

// Push implements [heap.Interface].
func (q *queue) Push(x any) {
	e := x.(*entry)
	e.index = len(*q)
	*q = append(*q, e)
}

// Pop implements [heap.Interface].
func (q *queue) Pop() any {
	last := len(*q) - 1
	e := (*q)[last]
	(*q)[last] = nil
	*q = (*q)[:last]
	return e
}
