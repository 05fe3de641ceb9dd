package authserver

import (
	"fmt"

	"oauth-agent/agent/internal/secret"
)

// newest is the end of the chain that a refresh token begins.
type newest struct {
	refresh secret.String // the token to spend next
	tokens  Tokens        // what came with it; without identity
	serial  uint64        // of the entry; zero: nothing is known of the token
	usable  bool          // tokens may be handed out
	ended   bool          // the session was ended
}

// newest follows the chain of refresh to its end. It fails only when the sealer
// does: to go on with the token at hand would be to spend it twice.
func (m *memory) newest(refresh secret.String) (newest, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.follow(refresh)
}

// follow is newest with the lock held.
func (m *memory) follow(refresh secret.String) (newest, error) {
	m.sweep()
	last := m.last(hashOf(refresh))
	switch {
	case last == nil:
		return newest{refresh: refresh}, nil
	case last.ended:
		return newest{refresh: refresh, serial: last.serial, ended: true}, nil
	}
	tokens, err := m.open(last.sealed)
	if err != nil {
		return newest{refresh: refresh}, fmt.Errorf("refresh memory: %w", err)
	}
	return newest{refresh: tokens.Refresh, tokens: tokens, serial: last.serial, usable: !last.orphan}, nil
}

// last is the last entry of the chain that begins at key, or nil. An entry is
// always younger than the one that leads to it, unless the server gives a token
// a second time; there the chain ends. The lock is held.
func (m *memory) last(key tokenHash) (last *entry) {
	for e := m.at(key); e != nil && (last == nil || e.serial > last.serial); e = m.at(e.next) {
		if e.orphan { // its caller still holds key, as long as the fault lasts
			e.expires = m.now().Add(orphanLife)
		}
		last = e
	}
	return last
}

// remember keeps what was given for spent. It reports false, and keeps nothing,
// when the session was ended meanwhile.
func (m *memory) remember(spent secret.String, t Tokens, orphan bool) (alive bool, err error) {
	e := &entry{key: hashOf(spent), next: hashOf(t.Refresh), orphan: orphan}
	e.sealed, err = m.seal(t)

	m.mu.Lock()
	defer m.mu.Unlock()
	m.sweep()
	if before := m.at(e.key); before != nil && before.ended {
		return false, nil
	}
	life := m.life
	if orphan && life > 0 {
		life = max(life, orphanLife)
	}
	if err == nil {
		m.put(e, life)
	}
	return true, err
}

// end makes an ended session of the chain of refresh and gives its last token.
func (m *memory) end(refresh secret.String) secret.String {
	m.mu.Lock()
	defer m.mu.Unlock()
	last, _ := m.follow(refresh) // the token at hand, when the sealer fails
	m.put(&entry{key: hashOf(last.refresh), ended: true}, m.life)
	return last.refresh
}

// forget makes refresh an unspent token.
func (m *memory) forget(refresh secret.String) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if el := m.entries[hashOf(refresh)]; el != nil {
		m.remove(el)
	}
}
