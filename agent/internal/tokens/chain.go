package tokens

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"oauth-agent/agent/internal/authserver"
	"oauth-agent/agent/internal/secret"
	"oauth-agent/agent/internal/store"
)

// onlyCopyLife is how long a refresh token is kept that nobody else holds: the server
// rotated it in an answer that was otherwise unusable.
const onlyCopyLife = 10 * time.Minute

func refreshKey(refresh secret.String) store.Key { return store.NewKey(Refreshed, refresh.Reveal()) }

// entry is what became of one refresh token.
type entry struct {
	serial   uint64 // tells a newer entry of the same token apart
	ended    bool   // its session was; there are no tokens
	onlyCopy bool   // nobody else holds the refresh token; the rest was unusable
	tokens   authserver.Tokens
}

// latest is the end of the chain that a refresh token begins.
type latest struct {
	refresh secret.String     // the token to spend next
	tokens  authserver.Tokens // what came with it; without identity
	serial  uint64            // of the entry; zero: nothing is known of the token
	usable  bool              // tokens may be handed out
	ended   bool              // the session was ended
}

// serves reports whether the tokens are what a caller with access wants.
func (l latest) serves(access secret.String, now time.Time) bool {
	fresh := l.tokens.Expiry.IsZero() || now.Add(soonExpired).Before(l.tokens.Expiry)
	return l.usable && fresh && !l.tokens.Access.Equal(access)
}

// latest follows the chain of refresh to its end. On an error nobody may go on with
// the token at hand: that could be to spend it twice.
func (s *Source) latest(ctx context.Context, refresh secret.String) (latest, error) {
	s.Shared.chains.Lock()
	defer s.Shared.chains.Unlock()
	return s.follow(ctx, refresh)
}

// follow is latest with the lock held. An entry is always newer than the one that
// leads to it, unless the server gives a token a second time; there the chain ends.
func (s *Source) follow(ctx context.Context, refresh secret.String) (latest, error) {
	last := latest{refresh: refresh}
	for {
		e, found, err := s.entry(ctx, last.refresh)
		switch {
		case err != nil:
			return latest{refresh: refresh}, fmt.Errorf("refresh memory: %w", err)
		case !found || e.serial <= last.serial:
			return last, nil
		case e.ended:
			return latest{refresh: refresh, serial: e.serial, ended: true}, nil
		}
		last = latest{refresh: e.tokens.Refresh, tokens: e.tokens, serial: e.serial, usable: !e.onlyCopy}
	}
}

// remember keeps t as what spent was spent for. It reports false, and keeps nothing,
// when the session was ended meanwhile.
func (s *Source) remember(ctx context.Context, spent secret.String, t authserver.Tokens, onlyCopy bool) (alive bool, err error) {
	s.Shared.chains.Lock()
	defer s.Shared.chains.Unlock()
	if before, found, err := s.entry(ctx, spent); err == nil && found && before.ended {
		return false, nil
	}
	life := s.Life
	if onlyCopy && life > 0 {
		life = max(life, onlyCopyLife)
	}
	return true, s.put(ctx, spent, entry{tokens: t, onlyCopy: onlyCopy}, life)
}

// end makes an ended session of the chain of refresh and returns its last token; the
// token at hand, when the store cannot say. The error is the store's.
func (s *Source) end(ctx context.Context, refresh secret.String) (secret.String, error) {
	s.Shared.chains.Lock()
	defer s.Shared.chains.Unlock()
	last, err := s.follow(ctx, refresh)
	if e := s.put(ctx, last.refresh, entry{ended: true}, s.Life); e != nil {
		err = errors.Join(err, fmt.Errorf("refresh memory: %w", e))
	}
	return last.refresh, err
}

// forget makes refresh an unspent token.
func (s *Source) forget(ctx context.Context, refresh secret.String) error {
	s.Shared.chains.Lock()
	defer s.Shared.chains.Unlock()
	return s.store.Delete(ctx, refreshKey(refresh))
}

// An entry in the store is a byte of flags, the serial and the sealed tokens.
const (
	flagEnded byte = 1 << iota
	flagOnlyCopy
)

const entryHeader = 1 + 8

// record is what is sealed.
type record struct {
	Access, Refresh, ID string
	Issued, Expiry      time.Time
}

var errEntry = errors.New("an entry of another version")

// put keeps e, as the newest of all, under the token that it is about.
func (s *Source) put(ctx context.Context, refresh secret.String, e entry, life time.Duration) error {
	if life <= 0 {
		return nil
	}
	flags := byte(0)
	if e.ended {
		flags |= flagEnded
	}
	if e.onlyCopy {
		flags |= flagOnlyCopy
	}
	value := binary.BigEndian.AppendUint64([]byte{flags}, s.Shared.serial.Add(1))
	if !e.ended {
		t := e.tokens
		plain, err := json.Marshal(record{t.Access.Reveal(), t.Refresh.Reveal(), t.ID.Reveal(), t.Issued, t.Expiry})
		if err != nil {
			return err
		}
		value = append(value, s.Shared.sealer.Seal(plain)...)
	}
	return s.store.Put(ctx, refreshKey(refresh), value, life)
}

// entry reads what became of a token. An only copy lives on each time: its caller
// still holds the token that was spent for it, as long as the fault lasts.
func (s *Source) entry(ctx context.Context, refresh secret.String) (e entry, found bool, err error) {
	key := refreshKey(refresh)
	value, found, err := s.store.Get(ctx, key)
	if err != nil || !found {
		return entry{}, false, err
	}
	if len(value) < entryHeader {
		return entry{}, false, errEntry
	}
	e = entry{
		serial: binary.BigEndian.Uint64(value[1:entryHeader]),
		ended:  value[0]&flagEnded != 0, onlyCopy: value[0]&flagOnlyCopy != 0,
	}
	if e.ended {
		return e, true, nil
	}
	if e.tokens, err = s.open(value[entryHeader:]); err != nil {
		return entry{}, false, err
	}
	if e.onlyCopy {
		// If this fails, there is still what was left of its life.
		_ = s.store.Put(ctx, key, value, max(s.Life, onlyCopyLife))
	}
	return e, true, nil
}

func (s *Source) open(sealed []byte) (authserver.Tokens, error) {
	plain, err := s.Shared.sealer.Open(sealed)
	if err != nil {
		return authserver.Tokens{}, err
	}
	var r record
	if err := json.Unmarshal(plain, &r); err != nil {
		return authserver.Tokens{}, errEntry
	}
	return authserver.Tokens{
		Access: secret.New(r.Access), Refresh: secret.New(r.Refresh), ID: secret.New(r.ID),
		Issued: r.Issued, Expiry: r.Expiry,
	}, nil
}
