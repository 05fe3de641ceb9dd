package authserver

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"time"

	"oauth-agent/agent/internal/secret"
)

const (
	// soonExpired is when an access token is not worth handing out any more.
	soonExpired = 5 * time.Second
	// mostTurns bounds how often a call looks again because another was faster.
	mostTurns = 8
)

// RefreshGrant is what a session has.
type RefreshGrant struct {
	Refresh secret.String
	// Access is the access token that the caller holds now; it may be empty. A
	// caller who holds the newest already wants another.
	Access secret.String
	// ID is the session's ID token; it may be empty. One that the server sends
	// must be of the same user. A session without one stays without.
	ID secret.String
}

var (
	// errMoved: the chain went on between a look at it and the flight.
	errMoved = errors.New("the refresh token was spent meanwhile")
	// errLate: a flight that others began came to nothing, after longer than the
	// server has for an answer. Whether the token is spent, nobody knows.
	errLate = errors.New("the answer never came")
)

// Refresh renews the tokens (RFC 6749 6) in a way that survives rotation with
// reuse detection (RFC 9700 4.14.2): a refresh token is spent once, however many
// callers bring it at the same time, and who brings it late gets what it was
// spent for. What the server does not send again is kept. It fails with
// [ErrSessionOver], [ErrClientRefused] or [ErrUnavailable].
func (c *Client) Refresh(ctx context.Context, g RefreshGrant) (Tokens, error) {
	t, outcome, err := c.refresh(ctx, g)
	if t.ID.Empty() {
		t.ID = g.ID
	}
	if !t.ID.Empty() {
		_, t.Identity, _ = c.ReadIDToken(t.ID)
	}
	c.refreshed(ctx, outcome, t.Identity)
	if err != nil {
		return Tokens{}, err
	}
	return t, nil
}

// refresh gives the tokens, and where they come from or why there are none.
func (c *Client) refresh(ctx context.Context, g RefreshGrant) (t Tokens, outcome string, err error) {
	if g.Refresh.Empty() {
		return t, RefreshSessionExpired, fmt.Errorf("%w: there is no refresh token", ErrSessionOver)
	}
	for range mostTurns {
		t, outcome, err = c.refreshOnce(ctx, g)
		if errors.Is(err, errMoved) || errors.Is(err, errLate) {
			continue
		}
		return t, refreshOutcome(outcome, err), err
	}
	return t, RefreshUnavailable, unavailable("refresh: %w, %d times", errMoved, mostTurns)
}

// refreshOnce answers from memory or joins the flight that spends the newest
// token of the chain.
func (c *Client) refreshOnce(ctx context.Context, g RefreshGrant) (Tokens, string, error) {
	seen, err := c.memory.newest(g.Refresh)
	switch {
	case err != nil:
		return Tokens{}, "", unavailable("%w", err)
	case seen.ended:
		return Tokens{}, "", fmt.Errorf("%w: it was ended here", ErrSessionOver)
	case seen.serves(g.Access, c.now()):
		return seen.tokens, RefreshRemembered, nil
	}
	if seen.tokens.ID.Empty() {
		seen.tokens.ID = g.ID
	}
	return c.await(ctx, seen)
}

// await waits for the flight that spends seen.refresh, a little longer than the
// server has for its answer. The flight itself has twice that time: a server
// that is slow may have rotated the token, and then its late answer is all that
// is left of the session. Who calls meanwhile waits with it, and begins a new
// one if it fails.
func (c *Client) await(ctx context.Context, seen newest) (Tokens, string, error) {
	ctx, cancel := context.WithTimeout(ctx, c.http.timeout+c.http.timeout/5)
	defer cancel()
	began, led := time.Now(), false
	key := hashOf(seen.refresh)
	defer c.crowds.join(key)()
	t, err := once(ctx, &c.refreshes, string(key[:]), c.refreshLimit(), func(ctx context.Context) (Tokens, error) {
		led = true // read below only after the flight has landed
		t, err := c.spend(ctx, seen)
		if !errors.Is(err, errMoved) {
			c.told(c.crowds.size(key))
		}
		if errors.Is(err, ErrUnavailable) && time.Since(began) > c.http.timeout {
			err = fmt.Errorf("%w: %w", errLate, err)
		}
		return t, err
	})
	if errors.Is(err, errLate) && led {
		err = unavailable("refresh: %w", context.DeadlineExceeded)
	}
	if err == nil && led {
		return t, RefreshExchanged, nil
	}
	return t, RefreshShared, err
}

// refreshLimit is for the requests that a refresh may take (discovery, tokens,
// keys, revocation), of which each is bounded by itself.
func (c *Client) refreshLimit() time.Duration { return 6*c.http.timeout + endLimit }

// serves tells whether the tokens are what a caller with access wants.
func (n newest) serves(access secret.String, now time.Time) bool {
	fresh := n.tokens.Expiry.IsZero() || now.Add(soonExpired).Before(n.tokens.Expiry)
	return n.usable && fresh && !n.tokens.Access.Equal(access)
}

// spend exchanges seen.refresh and remembers what it was spent for, before the
// flight ends: who comes a moment later must find it.
func (c *Client) spend(ctx context.Context, seen newest) (Tokens, error) {
	if now, err := c.memory.newest(seen.refresh); err != nil || now.serial > seen.serial {
		return Tokens{}, errMoved
	}
	meta, err := c.discovery.get(ctx)
	if err != nil {
		return Tokens{}, err
	}
	answer, err := c.requestTokens(ctx, c.http.patient(), meta, url.Values{
		"grant_type":    {"refresh_token"},
		"refresh_token": {seen.refresh.Reveal()},
	})
	if r, ok := errors.AsType[*refusal](err); ok {
		return Tokens{}, refusedRefresh(r)
	}
	merged := Tokens{Refresh: answer.refresh, ID: seen.tokens.ID}
	if merged.Refresh.Empty() {
		merged.Refresh = seen.refresh
	}
	if err == nil {
		merged.Access, merged.Issued, merged.Expiry = answer.access, answer.issued, answer.expiry
		merged.ID, err = c.renewedID(ctx, meta, answer, seen.tokens.ID)
	}
	if err != nil {
		return Tokens{}, c.salvage(ctx, meta, seen.refresh, merged.Refresh, seen.tokens.ID, err)
	}
	return merged, c.keep(ctx, meta, seen.refresh, merged, false)
}

// refusedRefresh says what a refused refresh costs: the session alone where the
// refusal is about its refresh token.
func refusedRefresh(r *refusal) error {
	switch r.verdict {
	case aboutGrant:
		return fmt.Errorf("%w: %w", ErrSessionOver, r)
	case aboutClient:
		return fmt.Errorf("%w: %w", ErrClientRefused, r)
	}
	return unavailable("token endpoint: %w", r)
}

// renewedID is the ID token to keep: the one before, or the server's new one if
// it sent one and there is one to hold it against, once verified.
func (c *Client) renewedID(ctx context.Context, meta *metadata, answer tokenAnswer, before secret.String) (secret.String, error) {
	_, previous, err := readPayload(before)
	if answer.id.Empty() || err != nil {
		return before, nil
	}
	renewed, err := c.verifyIDToken(ctx, meta, answer.id, answer.access)
	if err == nil {
		err = renewed.continues(previous)
	}
	if bad, ok := asFault(err); ok {
		err = unavailable("ID token refused at refresh: %s", string(bad))
	}
	if err != nil {
		return before, err
	}
	return answer.id, nil
}

// salvage keeps a rotated refresh token out of an answer that cannot be used,
// so that the server's fault does not cost the session. It returns fault, or
// that the session is over.
func (c *Client) salvage(ctx context.Context, meta *metadata, spent, rotated, id secret.String, fault error) error {
	if rotated.Equal(spent) {
		return fault
	}
	if err := c.keep(ctx, meta, spent, Tokens{Refresh: rotated, ID: id}, true); err != nil {
		return err
	}
	return fault
}

// keep remembers t as what spent was spent for. A session that was ended while
// the flight was in the air stays ended: what came is revoked.
func (c *Client) keep(ctx context.Context, meta *metadata, spent secret.String, t Tokens, orphan bool) error {
	alive, err := c.memory.remember(spent, t, orphan)
	if err != nil {
		c.log.LogAttrs(ctx, slog.LevelError, "a refresh could not be remembered", slog.String("error", err.Error()))
	}
	if alive {
		return nil
	}
	if err := c.revoke(ctx, meta, t.Refresh, "refresh_token"); err != nil {
		c.log.LogAttrs(ctx, slog.LevelWarn, "a token was not revoked", slog.String("error", err.Error()))
	}
	return fmt.Errorf("%w: it was ended meanwhile", ErrSessionOver)
}
