package tokens

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"oauth-agent/agent/internal/authserver"
	"oauth-agent/agent/internal/store"
)

// codeLife is how long a code is remembered: longer than a login may take, so that
// the cookie of its login is dead before.
const codeLife = 20 * time.Minute

// ErrCodeSpent is returned for a code that was sent to the token endpoint before, and
// for another one of the same login.
var ErrCodeSpent = errors.New("authorization code spent")

// Redeem redeems a code (RFC 6749 4.1.3), once, and one code for a login. A caller
// who brings a code while it is being redeemed gets the same tokens: a server that
// sees a code twice revokes what it gave for it. It fails with [ErrCodeSpent] or as
// [authserver.Client.RedeemCode] does; the code is spent in any case.
func (s *Source) Redeem(ctx context.Context, g authserver.CodeGrant) (authserver.Tokens, error) {
	key := s.App + " " + g.Code.Reveal() + " " + g.Verifier.Reveal() + " " + g.Nonce
	return authserver.Once(ctx, &s.Shared.redemptions, key, s.limit(), func(ctx context.Context) (authserver.Tokens, error) {
		// One login is one code: else its cookie would do for any number of guesses.
		for _, once := range []store.Key{
			store.NewKey(usedCode, "verifier", g.Verifier.Reveal()),
			store.NewKey(usedCode, "code", g.Code.Reveal()),
		} {
			if first, err := s.store.PutIfAbsent(ctx, once, []byte{1}, codeLife); err != nil {
				return authserver.Tokens{}, unavailable(err)
			} else if !first {
				return authserver.Tokens{}, ErrCodeSpent
			}
		}
		t, err := s.Server.RedeemCode(ctx, g)
		if err != nil || t.Refresh.Empty() {
			return t, err
		}
		// A server may give the very refresh token of a session that ended here.
		if err := s.forget(ctx, t.Refresh); err != nil {
			s.Log.LogAttrs(ctx, slog.LevelWarn, "what became of a refresh token could not be forgotten", slog.String("error", err.Error()))
		}
		return t, nil
	})
}
