package authserver

import (
	"context"
	"fmt"
	"net/url"
	"time"

	"oauth-agent/agent/internal/secret"
)

// endLimit bounds what a logout may wait for; the cookies go in any case.
const endLimit = 5 * time.Second

// End ends a session: a late refresh with any token of its chain is
// [ErrSessionOver] from now on, and its newest refresh token, or without one the
// access token, is revoked where the server can (RFC 7009). It takes no longer
// than 5 seconds and goes on when ctx ends. The error is for the log.
func (c *Client) End(ctx context.Context, refresh, access secret.String) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), endLimit)
	defer cancel()

	token, hint := access, "access_token"
	if !refresh.Empty() {
		token, hint = c.memory.end(refresh), "refresh_token"
	}
	if token.Empty() {
		return nil
	}
	meta, err := c.discovery.get(ctx)
	if err != nil {
		return err
	}
	return c.revoke(ctx, meta, token, hint)
}

// revoke sends a revocation request (RFC 7009 2.1), if there is an endpoint.
func (c *Client) revoke(ctx context.Context, meta *metadata, token secret.String, hint string) error {
	if meta.revocation == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, endLimit)
	defer cancel()
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
	ctx, cancel := context.WithTimeout(ctx, endLimit)
	defer cancel()
	meta, err := c.discovery.get(ctx)
	if err != nil {
		return ""
	}
	return meta.endSession
}
