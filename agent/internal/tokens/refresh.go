package tokens

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"oauth-agent/agent/internal/authserver"
	"oauth-agent/agent/internal/secret"
)

const (
	// soonExpired is when an access token is not worth handing out any more.
	soonExpired = 5 * time.Second
	// mostTurns bounds how often a call looks again because another was faster.
	mostTurns = 8
)

// Grant is what a session has.
type Grant struct {
	Refresh secret.String
	// Access is the access token that the caller holds now; it may be empty. A
	// caller who holds the newest already wants another.
	Access secret.String
	// ID is the session's ID token; it may be empty. One that the server sends
	// must be of the same user. A session without one stays without.
	ID secret.String
}

var (
	// errMoved: the chain went on between a look at it and the exchange.
	errMoved = errors.New("the refresh token was spent meanwhile")
	// errLate: an exchange that others began came to nothing, after longer than the
	// server has for an answer. Whether the token is spent, nobody knows.
	errLate = errors.New("the answer never came")
)

// Refresh renews the tokens (RFC 6749 6) in a way that survives rotation with reuse
// detection. What the server does not send again is kept. It fails with
// [authserver.ErrSessionOver], [authserver.ErrClientRefused] or
// [authserver.ErrUnavailable].
func (s *Source) Refresh(ctx context.Context, g Grant) (authserver.Tokens, error) {
	t, outcome, err := s.refresh(ctx, g)
	if t.ID.Empty() {
		t.ID = g.ID
	}
	if !t.ID.Empty() {
		_, t.Identity, _ = s.Server.ReadIDToken(t.ID)
	}
	s.Observer.Refreshed(ctx, outcome, t.Identity)
	if err != nil {
		return authserver.Tokens{}, err
	}
	return t, nil
}

// refresh returns the tokens, and where they come from or why there are none.
func (s *Source) refresh(ctx context.Context, g Grant) (t authserver.Tokens, outcome string, err error) {
	if g.Refresh.Empty() {
		return t, SessionExpired, fmt.Errorf("%w: there is no refresh token", authserver.ErrSessionOver)
	}
	for range mostTurns {
		t, outcome, err = s.refreshOnce(ctx, g)
		if errors.Is(err, errMoved) || errors.Is(err, errLate) {
			continue
		}
		return t, outcomeOf(outcome, err), err
	}
	return t, Unavailable, unavailable(fmt.Errorf("refresh: %w, %d times", errMoved, mostTurns))
}

// outcomeOf is what came of a refresh that ends with err; success without one.
func outcomeOf(success string, err error) string {
	switch {
	case err == nil:
		return success
	case errors.Is(err, authserver.ErrSessionOver):
		return SessionExpired
	case errors.Is(err, authserver.ErrClientRefused):
		return ClientRefused
	}
	return Unavailable
}

// refreshOnce answers from the store or takes part in the exchange of the latest
// token of the chain.
func (s *Source) refreshOnce(ctx context.Context, g Grant) (authserver.Tokens, string, error) {
	last, err := s.latest(ctx, g.Refresh)
	switch {
	case err != nil:
		return authserver.Tokens{}, "", unavailable(err)
	case last.ended:
		return authserver.Tokens{}, "", fmt.Errorf("%w: it was ended here", authserver.ErrSessionOver)
	case last.serves(g.Access, s.Clock()):
		return last.tokens, Remembered, nil
	}
	if last.tokens.ID.Empty() {
		last.tokens.ID = g.ID
	}
	return s.exchangeOnce(ctx, last)
}

// exchangeOnce waits for the exchange of last.refresh, a little longer than the
// server has for its answer. The exchange itself has twice that time: a server that
// is slow may have rotated the token, and then its late answer is all that is left of
// the session. A caller who comes meanwhile waits with the others, and begins a new
// exchange if that one fails.
func (s *Source) exchangeOnce(ctx context.Context, last latest) (authserver.Tokens, string, error) {
	timeout := s.Server.Timeout()
	ctx, cancel := context.WithTimeout(ctx, timeout+timeout/5)
	defer cancel()
	began, led := time.Now(), false
	hash := refreshKey(last.refresh).Hash
	key := s.App + " " + string(hash[:])
	defer s.Shared.waiters.join(key)()
	t, err := authserver.Once(ctx, &s.Shared.refreshes, key, s.limit(), func(ctx context.Context) (authserver.Tokens, error) {
		led = true // read below only after the exchange has ended
		t, err := s.exchangeRefreshToken(ctx, last)
		if !errors.Is(err, errMoved) {
			s.Observer.CallersServed(s.Shared.waiters.number(key))
		}
		if errors.Is(err, authserver.ErrUnavailable) && time.Since(began) > timeout {
			err = fmt.Errorf("%w: %w", errLate, err)
		}
		return t, err
	})
	if errors.Is(err, errLate) && led {
		err = unavailable(fmt.Errorf("refresh: %w", context.DeadlineExceeded))
	}
	if err == nil && led {
		return t, Exchanged, nil
	}
	return t, SharedCall, err
}

// exchangeRefreshToken spends last.refresh and stores what it was spent for before
// the exchange ends: a caller who comes a moment later must find it.
func (s *Source) exchangeRefreshToken(ctx context.Context, last latest) (authserver.Tokens, error) {
	if now, err := s.latest(ctx, last.refresh); err != nil || now.serial > last.serial {
		return authserver.Tokens{}, errMoved
	}
	t, err := s.Server.ExchangeRefreshToken(ctx, last.refresh, last.tokens.ID)
	if err != nil {
		return authserver.Tokens{}, s.saveRotatedToken(ctx, last.refresh, t, err)
	}
	return t, s.storeResult(ctx, last.refresh, t, false)
}

// saveRotatedToken keeps a rotated refresh token out of an answer that cannot be
// used, so that the server's fault does not cost the session. It returns fault, or
// that the session is over.
func (s *Source) saveRotatedToken(ctx context.Context, spent secret.String, t authserver.Tokens, fault error) error {
	if t.Refresh.Empty() || t.Refresh.Equal(spent) {
		return fault
	}
	if err := s.storeResult(ctx, spent, authserver.Tokens{Refresh: t.Refresh, ID: t.ID}, true); err != nil {
		return err
	}
	return fault
}

// storeResult keeps t as what spent was spent for; onlyCopy says that no caller has
// its refresh token. A session that was ended meanwhile stays ended: what came is
// revoked.
func (s *Source) storeResult(ctx context.Context, spent secret.String, t authserver.Tokens, onlyCopy bool) error {
	alive, err := s.remember(ctx, spent, t, onlyCopy)
	if err != nil {
		s.Log.LogAttrs(ctx, slog.LevelError, "a refresh could not be remembered", slog.String("error", err.Error()))
	}
	if alive {
		return nil
	}
	if err := s.Server.Revoke(ctx, t.Refresh, authserver.RefreshTokenHint); err != nil {
		s.Log.LogAttrs(ctx, slog.LevelWarn, "a token was not revoked", slog.String("error", err.Error()))
	}
	return fmt.Errorf("%w: it was ended meanwhile", authserver.ErrSessionOver)
}

// End ends a session: a late refresh with any token of its chain is
// [authserver.ErrSessionOver] from now on, and its latest refresh token, or without
// one the access token, is revoked where the server can (RFC 7009). It takes no
// longer than [authserver.RevocationLimit] and goes on when ctx ends. The error is
// for the log.
func (s *Source) End(ctx context.Context, refresh, access secret.String) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), authserver.RevocationLimit)
	defer cancel()
	if !refresh.Empty() {
		latest, err := s.end(ctx, refresh)
		return errors.Join(err, s.Server.Revoke(ctx, latest, authserver.RefreshTokenHint))
	}
	if access.Empty() {
		return nil
	}
	return s.Server.Revoke(ctx, access, authserver.AccessTokenHint)
}
