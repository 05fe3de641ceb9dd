package authserver

import (
	"context"
	"errors"
	"fmt"
	"net/url"

	"oauth-agent/agent/internal/secret"
)

// CodeGrant is a code that came back, with what was remembered of its login.
type CodeGrant struct {
	Code, Verifier secret.String
	Nonce          string
	OpenID         bool // of [AuthorizationURL]
	MaxAge         *int // of [AuthorizationURL]
}

// RedeemCode redeems a code (RFC 6749 4.1.3) and verifies the ID token that it brings.
// It fails with [ErrCodeRefused], [ErrClientRefused], [ErrIDToken] or
// [ErrUnavailable]; the code is spent in any case.
func (c *Client) RedeemCode(ctx context.Context, g CodeGrant) (Tokens, error) {
	meta, err := c.discovery.get(ctx)
	if err != nil {
		return Tokens{}, err
	}
	answer, err := c.requestTokens(ctx, c.http, meta, url.Values{
		"grant_type":    {"authorization_code"},
		"code":          {g.Code.Reveal()},
		"redirect_uri":  {c.cfg.RedirectURI},
		"code_verifier": {g.Verifier.Reveal()},
	})
	if r, ok := errors.AsType[*refusal](err); ok && r.verdict == aboutClient {
		return Tokens{}, fmt.Errorf("%w: %w", ErrClientRefused, r)
	} else if ok {
		return Tokens{}, fmt.Errorf("%w: %w", ErrCodeRefused, r)
	}
	if err != nil {
		return Tokens{}, err
	}
	tokens := Tokens{Access: answer.access, Refresh: answer.refresh, Issued: answer.issued, Expiry: answer.expiry}
	if g.OpenID {
		tokens.ID = answer.id
		if tokens.Identity, err = c.verifyLogin(ctx, meta, tokens, g); err != nil {
			return Tokens{}, err
		}
	}
	return tokens, nil
}

// verifyLogin checks the ID token of a login. One that was not asked for is
// not looked at, and not kept either.
func (c *Client) verifyLogin(ctx context.Context, meta *metadata, t Tokens, g CodeGrant) (Identity, error) {
	if t.ID.Empty() {
		return Identity{}, unavailable("token endpoint: no id_token, though openid was asked for")
	}
	claims, err := c.verifyIDToken(ctx, meta, t.ID, t.Access)
	if err == nil {
		err = claims.ofLogin(g.Nonce, g.MaxAge, c.now(), c.cfg.ClockSkew)
	}
	if bad, ok := asFault(err); ok {
		return Identity{}, fmt.Errorf("%w: %s", ErrIDToken, string(bad))
	}
	return claims.identity(), err
}
