package authserver

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
)

// Trial is what a token endpoint says of a client that brings a code which does
// not exist.
type Trial struct {
	Verdict TrialVerdict
	Reason  string // the answer, in a few words
}

// TrialVerdict is whether a server knows the client.
type TrialVerdict int

// The code was refused, so that the client was not; the client was refused; the
// answer says neither.
const (
	ClientUnclear TrialVerdict = iota
	ClientAccepted
	ClientRefused
)

// TryClient asks at the token endpoint as the configured client. Nothing comes of
// it at the server: the code that it sends does not exist.
func (c *Client) TryClient(ctx context.Context) (Trial, error) {
	meta, err := c.discovery.get(ctx)
	if err != nil {
		return Trial{}, err
	}
	return c.http.TryClient(ctx, meta.token, c.cfg.RedirectURI, c.cfg.Client, meta.authMethod(c.cfg.AuthMethod), true)
}

// TryClient is the same for a client with these credentials. With [AuthAuto] both
// methods are tried.
func (h *HTTP) TryClient(ctx context.Context, endpoint, redirectURI string, cred Credentials, method AuthMethod, pkce bool) (Trial, error) {
	if method != AuthAuto && method != "" {
		return h.tryClient(ctx, endpoint, redirectURI, cred, method, pkce)
	}
	trial, err := h.tryClient(ctx, endpoint, redirectURI, cred, AuthBasic, pkce)
	if err != nil || trial.Verdict == ClientAccepted {
		return trial, err
	}
	byPost, err := h.tryClient(ctx, endpoint, redirectURI, cred, AuthPost, pkce)
	if err != nil || byPost.Verdict == ClientAccepted {
		return byPost, err
	}
	return trial, nil
}

func (h *HTTP) tryClient(ctx context.Context, endpoint, redirectURI string, cred Credentials, method AuthMethod, pkce bool) (Trial, error) {
	form := url.Values{
		"grant_type":   {"authorization_code"},
		"code":         {"oauth-agent-check-" + NewVerifier().Reveal()},
		"redirect_uri": {redirectURI},
	}
	if pkce {
		form.Set("code_verifier", NewVerifier().Reveal())
	}
	answer, err := h.At(EndpointToken).PostForm(ctx, endpoint, form, cred, method)
	if err != nil {
		return Trial{}, err
	}
	r := refused(answer)
	if r == nil {
		return Trial{Reason: fmt.Sprintf("status %d, no error", answer.Status)}, nil
	}
	return Trial{Verdict: r.aboutTrial(), Reason: r.Error()}, nil
}

// aboutTrial reads a refusal more strictly than a login does: only what names the
// code vouches for the client.
func (r *refusal) aboutTrial() TrialVerdict {
	switch {
	case r.verdict == outage:
		return ClientUnclear
	case slices.Contains([]string{"invalid_grant", "bad_verification_code"}, r.code):
		return ClientAccepted
	case slices.Contains([]string{"invalid_client", "unauthorized_client", "incorrect_client_credentials"}, r.code),
		r.status == http.StatusUnauthorized && r.code != "":
		return ClientRefused
	}
	return ClientUnclear
}
