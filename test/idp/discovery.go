package idp

import "net/http"

// The paths, below the issuer's.
const (
	pathJWKS       = "/jwks"
	pathAuthorize  = "/authorize"
	pathToken      = "/token"
	pathUserinfo   = "/userinfo"
	pathRevoke     = "/revoke"
	pathEndSession = "/end_session"
	pathStyle      = "/style.css"
)

// discovery serves GET /.well-known/openid-configuration (OpenID Connect Discovery
// 1.0, 4) and the same as RFC 8414 metadata.
func (p *Provider) discovery(w http.ResponseWriter, _ *http.Request) {
	doc := p.metadata()
	mutate(p.mutations().discovery, doc)
	writeJSON(w, http.StatusOK, doc)
}

// metadata announces what cfg lets the provider do, and no more.
func (p *Provider) metadata() map[string]any {
	doc := map[string]any{
		"issuer":                                p.cfg.Issuer,
		"authorization_endpoint":                p.url(pathAuthorize),
		"token_endpoint":                        p.url(pathToken),
		"jwks_uri":                              p.url(pathJWKS),
		"scopes_supported":                      p.cfg.scopes(),
		"response_types_supported":              []string{"code"},
		"response_modes_supported":              []string{"query"},
		"grant_types_supported":                 []string{"authorization_code", "refresh_token"},
		"subject_types_supported":               []string{"public"},
		"id_token_signing_alg_values_supported": []string{p.cfg.SigningAlg},
		"prompt_values_supported":               []string{"none", "login", "consent", "select_account"},
		"request_parameter_supported":           false,
		"request_uri_parameter_supported":       false,
		"claims_parameter_supported":            false,
	}
	p.announceOptional(doc)
	return doc
}

func (p *Provider) announceOptional(doc map[string]any) {
	add := func(when bool, key string, value any) {
		if when {
			doc[key] = value
		}
	}
	methods := p.authMethods()
	add(!p.cfg.HideAuthMethods, "token_endpoint_auth_methods_supported", methods)
	add(!p.cfg.NoUserinfo, "userinfo_endpoint", p.url(pathUserinfo))
	add(!p.cfg.NoRevocation, "revocation_endpoint", p.url(pathRevoke))
	add(!p.cfg.NoRevocation && !p.cfg.HideAuthMethods, "revocation_endpoint_auth_methods_supported", methods)
	add(!p.cfg.NoEndSession, "end_session_endpoint", p.url(pathEndSession))
	add(!p.cfg.IgnorePKCE && !p.cfg.HidePKCE, "code_challenge_methods_supported", []string{"S256"})
	add(!p.cfg.NoIssInResponse, "authorization_response_iss_parameter_supported", true)
}

// jwks serves GET /jwks: the current key, public half (RFC 7517 5).
func (p *Provider) jwks(w http.ResponseWriter, _ *http.Request) {
	key := p.keys.signing()
	doc := map[string]any{"keys": []any{key.Public()}}
	mutate(p.mutations().jwks, doc)
	writeJSON(w, http.StatusOK, doc)
}
