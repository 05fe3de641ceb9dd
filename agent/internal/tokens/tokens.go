// Package tokens exchanges what a session has for new tokens, and each of it once: a
// code, and a refresh token that the authorization server rotates.
//
// # What it promises
//
// A browser presents a refresh token several times: from two tabs at once, and late,
// with a cookie that was rotated a moment ago. A server that detects reuse (RFC 9700
// 4.14.2) would end the session. So of all callers with one token one exchanges it
// and all get the result, at the same time or within the life of its memory. A server
// that is down, slow or makes no sense never ends a session; only its verdict about
// the refresh token does.
//
// # Where the state is
//
// In [Shared], which belongs to the process and outlives every reload: the calls that
// are under way, and a [store.Store] with what came of those before. An entry stands
// under a hash of the token that was spent and holds the tokens that it was spent
// for, sealed; so entries make a chain, old to new to newer. A process that dies
// between the answer of the server and the answer to the browser takes the result
// with it; nothing can save that session.
//
// The protocol is [authserver]'s.
package tokens

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"oauth-agent/agent/internal/authserver"
	"oauth-agent/agent/internal/secret"
	"oauth-agent/agent/internal/sharedcall"
	"oauth-agent/agent/internal/store"
)

// What the store keeps.
const (
	// Refreshed is for what came of refresh tokens.
	Refreshed store.Purpose = "refresh"
	usedCode  store.Purpose = "code" // codes and logins that were redeemed
)

// Server is the authorization server; an [authserver.Client] is one.
type Server interface {
	RedeemCode(ctx context.Context, grant authserver.CodeGrant) (authserver.Tokens, error)
	ExchangeRefreshToken(ctx context.Context, refresh, id secret.String) (authserver.Tokens, error)
	Revoke(ctx context.Context, token secret.String, hint string) error
	ReadIDToken(id secret.String) (claims json.RawMessage, who authserver.Identity, err error)
	// Timeout is how long it has for an answer.
	Timeout() time.Duration
}

// Observer is called with what comes of refreshes.
type Observer interface {
	// Refreshed is called after each call of [Source.Refresh] with one of the outcomes
	// of this package, and whose session it was as far as that is known.
	Refreshed(ctx context.Context, outcome string, who authserver.Identity)
	// CallersServed is called after each exchange of a refresh token with how many
	// callers waited for it.
	CallersServed(callers int)
}

// What comes of a refresh.
const (
	Exchanged      = "exchanged"  // by this call
	SharedCall     = "shared"     // by another, at the same time
	Remembered     = "remembered" // by another, a moment ago
	SessionExpired = "session_expired"
	ClientRefused  = "client_refused"
	Unavailable    = "unavailable"
)

// Shared is what all sources of a process have in common, so that no token and no
// code is spent once by each.
type Shared struct {
	store  store.Store
	sealer sealer
	serial atomic.Uint64 // of the newest entry

	chains      sync.Mutex       // of what reads an entry and writes one by it
	refreshes   sharedcall.Group // by app and hash of the refresh token
	redemptions sharedcall.Group // by app, code and what proves it
	waiters     waiters          // by the keys of refreshes
}

// NewShared makes one that keeps results in s.
func NewShared(s store.Store, clock func() time.Time) *Shared {
	shared := &Shared{store: s, sealer: newSealer()}
	shared.serial.Store(uint64(clock().UnixNano())) // newer than those of a process before
	return shared
}

// Wait waits for the refreshes and redemptions that are under way, until ctx ends. It
// is for the end of the process: cut off, a refresh would lose its session, and one
// whose session was ended meanwhile would leave tokens that nobody revokes.
func (s *Shared) Wait(ctx context.Context) error {
	return errors.Join(s.refreshes.Wait(ctx), s.redemptions.Wait(ctx))
}

// Options are what a [Source] works with; Server, Shared and Observer are needed.
type Options struct {
	Server   Server
	Shared   *Shared
	App      string        // whose tokens these are
	Life     time.Duration // of a result in the store; 0: results are for callers at the same time alone
	Clock    func() time.Time
	Log      *slog.Logger
	Observer Observer
}

// Source exchanges the tokens of one app's sessions. It is safe for concurrent use.
type Source struct {
	Options
	store store.Store
}

// New makes a source.
func New(opt Options) *Source {
	return &Source{Options: opt, store: store.ForApp(opt.Shared.store, opt.App)}
}

// limit bounds an exchange with all the requests that it may take (metadata, tokens,
// keys, revocation), of which each is bounded by itself.
func (s *Source) limit() time.Duration { return 6*s.Server.Timeout() + authserver.RevocationLimit }

// unavailable is an [authserver.ErrUnavailable] of our own making.
func unavailable(cause error) error { return fmt.Errorf("%w: %w", authserver.ErrUnavailable, cause) }
