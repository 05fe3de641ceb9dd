package idp

import (
	"crypto/sha256"
	"encoding/base64"
	"mime"
	"net/http"
	"strings"
	"time"
)

// The grant types.
const (
	grantCode    = "authorization_code"
	grantRefresh = "refresh_token"
)

// token serves POST /token (RFC 6749 3.2): a code or a refresh token becomes tokens.
func (p *Provider) token(w http.ResponseWriter, r *http.Request) {
	client, fault := p.tokenClient(r)
	if fault != nil {
		p.refuse(w, r, client, fault)
		return
	}
	answer, fault := p.exchange(client, r)
	if fault != nil {
		p.refuse(w, r, client, fault)
		return
	}
	mutate(p.mutations().tokenResponse, answer)
	writeJSON(w, http.StatusOK, answer)
}

// tokenClient checks the form of a request, and who sends it.
func (p *Provider) tokenClient(r *http.Request) (*Client, *oauthError) {
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || media != "application/x-www-form-urlencoded" {
		return nil, invalidRequest("the body is not form-encoded")
	}
	if duplicate(r.PostForm) {
		return nil, invalidRequest("a parameter is there twice")
	}
	return p.authenticate(r)
}

func (p *Provider) refuse(w http.ResponseWriter, r *http.Request, client *Client, fault *oauthError) {
	id := ""
	if client != nil {
		id = client.ID
	}
	p.cfg.Log.InfoContext(r.Context(), "refused", "path", r.URL.Path, "client_id", id,
		"error", fault.code, "description", fault.description)
	writeError(w, fault)
}

func (p *Provider) exchange(client *Client, r *http.Request) (map[string]any, *oauthError) {
	switch r.PostForm.Get("grant_type") {
	case grantCode:
		return p.exchangeCode(client, r)
	case grantRefresh:
		return p.exchangeRefreshToken(client, r)
	case "":
		return nil, invalidRequest("grant_type is missing")
	}
	return nil, &oauthError{
		status: http.StatusBadRequest, code: "unsupported_grant_type",
		description: "the grant type is not supported",
	}
}

// exchangeCode is RFC 6749 4.1.3 with RFC 7636 4.6. A wrong verifier or redirect
// URI spends the code, so that nobody guesses twice.
func (p *Provider) exchangeCode(client *Client, r *http.Request) (map[string]any, *oauthError) {
	code := r.PostForm.Get("code")
	if code == "" {
		return nil, invalidRequest("code is missing")
	}
	c, fault := p.store.redeem(code, client, p.now())
	if fault != nil {
		return nil, fault
	}
	if c.redirectURI != r.PostForm.Get("redirect_uri") {
		return nil, invalidGrant("redirect_uri is not that of the authorization request")
	}
	if fault := p.checkVerifier(c.challenge, r.PostForm.Get("code_verifier")); fault != nil {
		return nil, fault
	}
	answer := p.tokens(c.grant, c.grant.scopes)
	if !p.cfg.NoRefreshToken {
		answer["refresh_token"] = p.newRefreshToken(c.grant)
	}
	return p.withIDToken(answer, c.grant, grantCode)
}

// checkVerifier does RFC 7636 4.6. A verifier without a challenge is a sign of a
// downgrade (RFC 9700 2.1.1).
func (p *Provider) checkVerifier(challenge, verifier string) *oauthError {
	sum := sha256.Sum256([]byte(verifier))
	switch {
	case p.cfg.IgnorePKCE, challenge == "" && verifier == "":
		return nil
	case challenge == "":
		return invalidGrant("code_verifier without code_challenge")
	case verifier == "":
		return invalidGrant("code_verifier is missing")
	case len(verifier) < 43 || len(verifier) > 128:
		return invalidGrant("code_verifier has a wrong length")
	case !sameSecret(challenge, base64.RawURLEncoding.EncodeToString(sum[:])):
		return invalidGrant("code_verifier does not match")
	}
	return nil
}

// exchangeRefreshToken is RFC 6749 6 with rotation.
func (p *Provider) exchangeRefreshToken(client *Client, r *http.Request) (map[string]any, *oauthError) {
	token := r.PostForm.Get("refresh_token")
	if token == "" {
		return nil, invalidRequest("refresh_token is missing")
	}
	scopes := strings.Fields(r.PostForm.Get("scope"))
	g, fault := p.store.renew(token, client, scopes, !p.cfg.NoRotation, p.now())
	if fault != nil {
		return nil, fault
	}
	if len(scopes) == 0 {
		scopes = g.scopes
	}
	if p.cfg.RefreshKillsAccessToken {
		p.store.spendAccess(g)
	}
	answer := p.tokens(g, scopes)
	switch {
	case !p.cfg.NoRotation:
		answer["refresh_token"] = p.newRefreshToken(g)
	case !p.cfg.OmitRefreshTokenOnReuse:
		answer["refresh_token"] = token
	}
	if p.cfg.OmitIDTokenOnRefresh {
		return answer, nil
	}
	return p.withIDToken(answer, g, grantRefresh)
}

// tokens begins a token response (RFC 6749 5.1) with an access token.
func (p *Provider) tokens(g *grant, scopes []string) map[string]any {
	token := p.newToken(&p.store.access, "at_", p.cfg.AccessTokenLifetime, &credential{grant: g, scopes: scopes})
	answer := map[string]any{"access_token": token, "token_type": "Bearer"}
	if !p.cfg.OmitExpiresIn {
		answer["expires_in"] = int64(p.cfg.AccessTokenLifetime / time.Second)
	}
	if !p.cfg.OmitScope {
		answer["scope"] = strings.Join(scopes, " ")
	}
	return answer
}

func (p *Provider) newRefreshToken(g *grant) string {
	return p.newToken(&p.store.refresh, "rt_", p.cfg.RefreshTokenLifetime, &credential{grant: g})
}

func (p *Provider) newToken(m *memory[*credential], prefix string, lifetime time.Duration, c *credential) string {
	token := randomToken(prefix, p.cfg.Padding)
	c.expires = p.now().Add(lifetime)
	p.issued.add(token)
	p.store.add(m, token, c)
	return token
}
