package authserver

import (
	"container/list"
	"crypto/sha256"
	"encoding/json"
	"sync"
	"time"

	"oauth-agent/agent/internal/secret"
)

const (
	// orphanLife is how long a refresh token is kept that nobody else holds:
	// the server rotated it in an answer that was otherwise unusable.
	orphanLife = 10 * time.Minute
	// entryOverhead is about what an entry costs besides its sealed bytes.
	entryOverhead = 512
)

// tokenHash stands for a refresh token, which is too random to be guessed back.
type tokenHash [sha256.Size]byte

func hashOf(refresh secret.String) tokenHash { return sha256.Sum256([]byte(refresh.Reveal())) }

// memory knows, for a short time, what became of spent refresh tokens: an entry
// a token, from the old one to what the server gave for it. Entries make a
// chain, old to new to newer. What could be used is sealed.
type memory struct {
	life  time.Duration
	limit int // bytes
	now   func() time.Time
	*chains
}

// chains are the entries. Clients that follow one another have them in common,
// each with limits of its own; so they are sealed with a key that outlives those
// of the settings.
type chains struct {
	sealer Sealer

	mu      sync.Mutex
	entries map[tokenHash]*list.Element // of *entry
	order   *list.List                  // oldest first
	size    int                         // bytes
	serial  uint64
}

// entry is what became of one refresh token.
type entry struct {
	key, next tokenHash // equal when the server does not rotate
	sealed    string    // a record; empty for an ended session, whose next is no token
	serial    uint64    // tells a newer entry of the same key apart
	expires   time.Time
	ended     bool
	orphan    bool // next is good, the rest was not
}

// record is what is sealed.
type record struct {
	Access, Refresh, ID string
	Issued, Expiry      time.Time
}

func newMemory(life time.Duration, limit int, sealer Sealer, now func() time.Time) *memory {
	return &memory{
		life: life, limit: limit, now: now,
		chains: &chains{sealer: sealer, entries: map[tokenHash]*list.Element{}, order: list.New()},
	}
}

// at gives the entry of key, or nil. The lock is held, and expired entries are
// swept.
func (m *chains) at(key tokenHash) *entry {
	if el := m.entries[key]; el != nil {
		return el.Value.(*entry)
	}
	return nil
}

// put adds e as the newest entry, at the price of the oldest. The lock is held.
func (m *memory) put(e *entry, life time.Duration) {
	if life <= 0 {
		return
	}
	if el := m.entries[e.key]; el != nil {
		m.remove(el)
	}
	m.serial++
	e.serial, e.expires = m.serial, m.now().Add(life)
	m.entries[e.key] = m.order.PushBack(e)
	m.size += e.cost()
	for m.size > m.limit && m.order.Len() > 0 {
		m.remove(m.order.Front())
	}
}

// sweep drops what is expired. Orphans live longer than what comes after them
// and are stepped over. The lock is held.
func (m *memory) sweep() {
	now := m.now()
	for el := m.order.Front(); el != nil; {
		e, next := el.Value.(*entry), el.Next()
		if !now.Before(e.expires) {
			m.remove(el)
		} else if !e.orphan {
			return
		}
		el = next
	}
}

func (m *chains) remove(el *list.Element) {
	e := m.order.Remove(el).(*entry)
	delete(m.entries, e.key)
	m.size -= e.cost()
}

func (e *entry) cost() int { return len(e.sealed) + entryOverhead }

func (m *chains) seal(t Tokens) (string, error) {
	plain, err := json.Marshal(record{t.Access.Reveal(), t.Refresh.Reveal(), t.ID.Reveal(), t.Issued, t.Expiry})
	if err != nil {
		return "", err
	}
	return m.sealer.Seal(plain)
}

func (m *chains) open(sealed string) (Tokens, error) {
	plain, err := m.sealer.Open(sealed)
	if err != nil {
		return Tokens{}, err
	}
	var r record
	if err := json.Unmarshal(plain, &r); err != nil {
		return Tokens{}, err
	}
	return Tokens{
		Access: secret.New(r.Access), Refresh: secret.New(r.Refresh), ID: secret.New(r.ID),
		Issued: r.Issued, Expiry: r.Expiry,
	}, nil
}
