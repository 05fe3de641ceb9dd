package authserver

import (
	"context"
	"errors"
	"fmt"
	"net/url"

	"oauth-agent/agent/internal/secret"
)

// ExchangeRefreshToken spends a refresh token (RFC 6749 6). id is the ID token of the
// session, which may be empty: one that the server sends must be of the same user.
// What the server does not send again is kept. It fails with [ErrSessionOver],
// [ErrClientRefused] or [ErrUnavailable]. Along with the latter there may be a refresh
// token, of an answer that cannot be used otherwise: the one that was sent is spent.
//
// The answer has twice the usual time, since it must not be lost; those who wait for it
// give up long before.
func (c *Client) ExchangeRefreshToken(ctx context.Context, refresh, id secret.String) (Tokens, error) {
	meta, err := c.discovery.get(ctx)
	if err != nil {
		return Tokens{}, err
	}
	answer, err := c.requestTokens(ctx, c.http.patient(), meta, url.Values{
		"grant_type":    {"refresh_token"},
		"refresh_token": {refresh.Reveal()},
	})
	if r, ok := errors.AsType[*refusal](err); ok {
		return Tokens{}, refusedRefresh(r)
	}
	t := Tokens{Refresh: answer.refresh, ID: id}
	if err == nil {
		t.Access, t.Issued, t.Expiry = answer.access, answer.issued, answer.expiry
		t.ID, err = c.renewedID(ctx, meta, answer, id)
	}
	if err != nil {
		return Tokens{Refresh: t.Refresh, ID: id}, err
	}
	if t.Refresh.Empty() {
		t.Refresh = refresh
	}
	return t, nil
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
