package idp

import "cmp"

// maxEntries bounds each kind of state, unless the settings do; the oldest goes first.
const maxEntries = 10_000

// memory is a map of bounded size. Entries are marked, never deleted one by one.
type memory[V any] struct {
	entries map[string]V
	order   []string
	max     int // 0: maxEntries
}

func (m *memory[V]) put(key string, v V) {
	if m.entries == nil {
		m.entries = make(map[string]V)
	}
	m.entries[key] = v
	m.order = append(m.order, key)
	if len(m.order) > cmp.Or(m.max, maxEntries) {
		delete(m.entries, m.order[0])
		m.order = m.order[1:]
	}
}

func (m *memory[V]) clear() { m.entries, m.order = nil, nil }
