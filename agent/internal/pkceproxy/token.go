package pkceproxy

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"net/http"
	"net/url"

	"oauth-agent/agent/internal/httperr"
	"oauth-agent/agent/internal/store"
)

// Error codes of the token endpoint (RFC 6749 5.2).
const (
	invalidClient        = "invalid_client"
	invalidGrant         = "invalid_grant"
	unsupportedGrantType = "unsupported_grant_type"
)

// Causes, for the log alone.
var (
	errOtherClient   = errors.New("the grant belongs to another client")
	errOtherRedirect = errors.New("the code belongs to another redirect_uri")
	errWrongVerifier = errors.New("code_verifier does not match the challenge")
	errSpent         = errors.New("the code was used before")
)

// Token answers POST /oauth/token: the token endpoint (RFC 6749 3.2).
//
// The proxy lends its client secret to whoever asks here, so it does for two
// grants only: a code whose verifier is shown, and a refresh token, which is a
// secret itself.
func (p *Proxy) Token(w http.ResponseWriter, r *http.Request) error {
	form, err := parseForm(w, r)
	if err != nil {
		return err
	}
	clientID, err := p.identify(w, r, form)
	if err != nil {
		return err
	}
	switch form.Get("grant_type") {
	case "authorization_code":
		return p.redeem(w, r, form, clientID)
	case "refresh_token":
		return p.refresh(w, r, form, clientID)
	case "":
		return missing("grant_type")
	}
	return httperr.New(http.StatusBadRequest, unsupportedGrantType,
		"grant_type must be authorization_code or refresh_token", nil)
}

// redeem exchanges a code (RFC 6749 4.1.3, RFC 7636 4.6).
//
//  1. Check that nothing is missing and the verifier is well formed.
//  2. Open the code; compare client, redirect URI and verifier.
//  3. Note that the AS's code is spent, before it is sent: of two calls at once
//     one goes on. It stays spent when the AS fails, since nobody knows then
//     whether the AS has used it up.
//  4. Send the AS's code to the AS.
func (p *Proxy) redeem(w http.ResponseWriter, r *http.Request, form url.Values, clientID string) error {
	for _, name := range []string{"code", "redirect_uri", "code_verifier"} {
		if form.Get(name) == "" {
			return missing(name)
		}
	}
	if !validVerifier(form.Get("code_verifier")) {
		return httperr.BadRequest("code_verifier must be 43 to 128 unreserved characters", nil)
	}
	g, err := p.openCode(r.Context(), form, clientID)
	if _, told := errors.AsType[*httperr.Error](err); told {
		return err
	}
	if err != nil {
		return httperr.New(http.StatusBadRequest, invalidGrant, "the code is not valid", err).Because(httperr.ReasonCode)
	}
	request := forUpstream(form)
	request.Set("grant_type", "authorization_code")
	request.Set("code", g.Code)
	request.Set("redirect_uri", p.redirectURL)
	return p.exchange(w, r, request, clientID)
}

// openCode opens the code of a token request and checks all that it is bound to. The
// error is an [httperr.Error] where it is not the code's fault.
func (p *Proxy) openCode(ctx context.Context, form url.Values, clientID string) (grant, error) {
	g, err := p.envelopes.open(p.envelopes.code, form.Get("code"))
	switch {
	case err != nil:
		return grant{}, err
	case g.ClientID != clientID:
		return grant{}, errOtherClient
	case g.RedirectURI != form.Get("redirect_uri"):
		return grant{}, errOtherRedirect
	case !g.verifies(form.Get("code_verifier")):
		return grant{}, errWrongVerifier
	}
	first, err := p.store.PutIfAbsent(ctx, store.NewKey(usedCode, g.Code), []byte{1}, usedCodeLife)
	switch {
	case err != nil:
		return grant{}, unavailable(err)
	case !first:
		return grant{}, errSpent
	}
	return g, nil
}

// refresh passes a refresh token on (RFC 6749 6).
func (p *Proxy) refresh(w http.ResponseWriter, r *http.Request, form url.Values, clientID string) error {
	token := form.Get("refresh_token")
	if token == "" {
		return missing("refresh_token")
	}
	if p.ofOther(r.Context(), token, clientID) {
		return httperr.New(http.StatusBadRequest, invalidGrant, "the refresh token is not valid", errOtherClient).Because(httperr.ReasonToken)
	}
	request := forUpstream(form)
	request.Set("grant_type", "refresh_token")
	request.Set("refresh_token", token)
	return p.exchange(w, r, request, clientID)
}

// exchange asks the AS for tokens and hands its answer to the client.
func (p *Proxy) exchange(w http.ResponseWriter, r *http.Request, request url.Values, clientID string) error {
	answer, err := p.upstream.token(r.Context(), request)
	if err != nil {
		return err
	}
	if answer.refreshToken != "" {
		// Not kept, it is taken from any client, as after a restart.
		_ = p.store.Put(r.Context(), store.NewKey(refreshOwner, answer.refreshToken), clientHash(clientID), refreshLife)
	}
	answer.write(w)
	return nil
}

// ofOther reports whether the refresh token is known to be another client's. The
// token is the AS's and passes unchanged, so that nothing in it can say; the store
// does, as long as it remembers.
func (p *Proxy) ofOther(ctx context.Context, token, clientID string) bool {
	owner, found, err := p.store.Get(ctx, store.NewKey(refreshOwner, token))
	return err == nil && found && !bytes.Equal(owner, clientHash(clientID))
}

// clientHash stands for a client id in the store: one size, whatever a client sends.
func clientHash(clientID string) []byte {
	sum := sha256.Sum256([]byte(clientID))
	return sum[:]
}

func missing(name string) error { return httperr.BadRequest(name+" is missing", nil) }
