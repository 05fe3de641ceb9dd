package pkceproxy

import (
	"net/http"

	"oauth-agent/agent/internal/httperr"
)

// metadata is RFC 8414 2, with RFC 9207 3 and RFC 9101 10.5. There is no
// jwks_uri: the proxy signs nothing that a client could verify.
type metadata struct {
	Issuer                string   `json:"issuer"`
	AuthorizationEndpoint string   `json:"authorization_endpoint"`
	TokenEndpoint         string   `json:"token_endpoint"`
	RevocationEndpoint    string   `json:"revocation_endpoint,omitempty"`
	ResponseTypes         []string `json:"response_types_supported"`
	ResponseModes         []string `json:"response_modes_supported"`
	GrantTypes            []string `json:"grant_types_supported"`
	TokenAuthMethods      []string `json:"token_endpoint_auth_methods_supported"`
	RevocationAuthMethods []string `json:"revocation_endpoint_auth_methods_supported,omitempty"`
	CodeChallengeMethods  []string `json:"code_challenge_methods_supported"`
	ResponseIss           bool     `json:"authorization_response_iss_parameter_supported"`
	RequestParameter      bool     `json:"request_parameter_supported"`
	RequestURIParameter   bool     `json:"request_uri_parameter_supported"`
}

// Metadata answers GET /.well-known/oauth-authorization-server, so that
// standard clients configure themselves. It is public.
func (p *Proxy) Metadata(w http.ResponseWriter, _ *http.Request) error {
	public := []string{"none"}
	m := metadata{
		Issuer:                p.issuer,
		AuthorizationEndpoint: p.issuer + authorizationPath,
		TokenEndpoint:         p.issuer + tokenPath,
		ResponseTypes:         []string{"code"},
		ResponseModes:         []string{"query"},
		GrantTypes:            []string{"authorization_code", "refresh_token"},
		TokenAuthMethods:      public,
		CodeChallengeMethods:  []string{methodS256},
		ResponseIss:           true,
	}
	if p.revocation {
		m.RevocationEndpoint = p.issuer + revokePath
		m.RevocationAuthMethods = public
	}
	if p.allowPlain {
		m.CodeChallengeMethods = append(m.CodeChallengeMethods, methodPlain)
	}
	w.Header().Set("Cache-Control", "max-age=300")
	httperr.WriteJSON(w, http.StatusOK, m)
	return nil
}
