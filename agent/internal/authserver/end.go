package authserver

import (
	"context"
	"fmt"
	"net/url"
	"time"

	"oauth-agent/agent/internal/secret"
)

// RevocationLimit bounds what a logout may wait for; the cookies go in any case.
const RevocationLimit = 5 * time.Second

// What a token is, for [Client.Revoke] (RFC 7009 2.1).
const (
	RefreshTokenHint = "refresh_token"
	AccessTokenHint  = "access_token"
)

// Revoke revokes a token (RFC 7009 2.1), if the server has an endpoint for it. It
// takes no longer than [RevocationLimit]. The error is for the log.
func (c *Client) Revoke(ctx context.Context, token secret.String, hint string) error {
	ctx, cancel := context.WithTimeout(ctx, RevocationLimit)
	defer cancel()
	meta, err := c.discovery.get(ctx)
	if err != nil || meta.revocation == "" {
		return err
	}
	form := url.Values{"token": {token.Reveal()}, "token_type_hint": {hint}}
	answer, err := c.http.At(EndpointRevocation).PostForm(ctx, meta.revocation, form, c.cfg.Client, meta.authMethod(c.cfg.AuthMethod))
	if err != nil {
		return fmt.Errorf("revocation: %w", err)
	}
	if r := refused(answer); r != nil {
		return fmt.Errorf("revocation: %w", r)
	}
	return nil
}

// EndSession is the endpoint for RP-initiated logout (OpenID Connect
// RP-Initiated Logout 2); empty when there is none, or the metadata cannot be
// had now.
func (c *Client) EndSession(ctx context.Context) (endpoint string) {
	if c.cfg.EndSession != "" {
		return c.cfg.EndSession
	}
	ctx, cancel := context.WithTimeout(ctx, RevocationLimit)
	defer cancel()
	meta, err := c.discovery.get(ctx)
	if err != nil {
		return ""
	}
	return meta.endSession
}
