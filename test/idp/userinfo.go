package idp

import (
	"maps"
	"net/http"
	"slices"
	"strings"
)

// userinfo serves GET and POST /userinfo (OpenID Connect Core 5.3), with the access
// token in the header (RFC 6750 2.1).
func (p *Provider) userinfo(w http.ResponseWriter, r *http.Request) {
	c, fault := p.bearer(r)
	if fault != nil {
		p.refuse(w, r, nil, fault)
		return
	}
	claims := maps.Clone(c.grant.user.Claims)
	if claims == nil {
		claims = make(map[string]any)
	}
	claims["sub"] = c.grant.user.Sub
	mutate(p.mutations().userinfo, claims)
	writeJSON(w, http.StatusOK, claims)
}

// bearer finds the access token of r, which must be for userinfo.
func (p *Provider) bearer(r *http.Request) (*credential, *oauthError) {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return nil, &oauthError{
			status: http.StatusUnauthorized, code: "invalid_request",
			description: "no access token", authenticate: `Bearer realm="idp"`,
		}
	}
	c := p.store.bearer(token, p.now())
	if c == nil {
		return nil, &oauthError{
			status: http.StatusUnauthorized, code: "invalid_token", description: "the access token is not alive",
			authenticate: `Bearer realm="idp", error="invalid_token"`,
		}
	}
	if !p.cfg.NoOpenID && !slices.Contains(c.scopes, "openid") {
		return nil, &oauthError{
			status: http.StatusForbidden, code: "insufficient_scope", description: "openid is needed",
			authenticate: `Bearer realm="idp", error="insufficient_scope", scope="openid"`,
		}
	}
	return c, nil
}
