package authserver

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/coreos/go-oidc/v3/oidc"

	"oauth-agent/agent/internal/registration"
	"oauth-agent/agent/internal/strictjson"
)

// metadata is what is known of the server: what it announces (OpenID Connect
// Discovery 3, RFC 8414 2), with the explicit endpoints of the settings on top.
type metadata struct {
	authorize, token, userinfo, endSession, jwks, revocation string

	announced   bool     // by the server, rather than known from the settings alone
	authMethods []string // nil: not announced
	algorithms  []string // for ID tokens; asymmetric ones alone
	// issInResponse: authorization responses carry iss (RFC 9207 3).
	issInResponse bool
}

// asymmetric are the algorithms that a public key verifies. HMAC would make a
// signing key of the client secret, and "none" of nothing.
func asymmetric() []string {
	return []string{
		oidc.RS256, oidc.RS384, oidc.RS512, oidc.ES256, oidc.ES384, oidc.ES512,
		oidc.PS256, oidc.PS384, oidc.PS512, oidc.EdDSA,
	}
}

// configured is the metadata of a server that announces nothing.
func configured(cfg Config) *metadata {
	m := &metadata{algorithms: asymmetric()}
	m.override(cfg)
	return m
}

// override puts the explicit endpoints in place of the announced ones.
func (m *metadata) override(cfg Config) {
	for _, e := range m.endpoints(cfg) {
		if e.explicit != "" {
			*e.value = e.explicit
		}
	}
}

// endpoint ties together the three places where an endpoint stands.
type endpoint struct {
	member   string // in the document
	value    *string
	explicit string // in the settings
}

func (m *metadata) endpoints(cfg Config) []endpoint {
	return []endpoint{
		{"authorization_endpoint", &m.authorize, cfg.Authorize},
		{"token_endpoint", &m.token, cfg.Token},
		{"userinfo_endpoint", &m.userinfo, cfg.Userinfo},
		{"end_session_endpoint", &m.endSession, cfg.EndSession},
		{"jwks_uri", &m.jwks, cfg.JWKS},
		{"revocation_endpoint", &m.revocation, cfg.Revocation},
	}
}

// parseMetadata reads a discovery document. It must be the configured issuer's
// own: a document that names another is a mistake or an attack (RFC 8414 6.2).
func parseMetadata(body []byte, cfg Config) (*metadata, error) {
	doc, err := strictjson.Parse(body)
	if err != nil {
		return nil, err
	}
	if issuer, _ := doc.Text("issuer"); issuer != cfg.Issuer {
		return nil, fmt.Errorf("it is of another issuer%s", tellableIssuer(issuer))
	}
	m := &metadata{announced: true}
	for _, e := range m.endpoints(cfg) {
		if err := e.read(doc, cfg); err != nil {
			return nil, err
		}
	}
	m.override(cfg)
	if err := m.readCapabilities(doc); err != nil {
		return nil, err
	}
	return m, m.complete(cfg)
}

// read takes the endpoint from the document, unless the settings have it.
func (e endpoint) read(doc strictjson.Object, cfg Config) error {
	s, ok := doc.OptionalText(e.member)
	if e.explicit != "" || (ok && s == "") {
		return nil
	}
	if !ok || !cfg.usableEndpoint(s) {
		return fmt.Errorf("its %s is no absolute http(s) URL, has a fragment, or would send secrets in clear", e.member)
	}
	*e.value = s
	return nil
}

func (m *metadata) readCapabilities(doc strictjson.Object) error {
	if doc.Has("token_endpoint_auth_methods_supported") {
		methods, ok := doc.Texts("token_endpoint_auth_methods_supported")
		if !ok {
			return errors.New("its token_endpoint_auth_methods_supported is no list of names")
		}
		m.authMethods = append([]string{}, methods...)
	}
	m.algorithms = []string{oidc.RS256} // the one that every server must have
	if doc.Has("id_token_signing_alg_values_supported") {
		algs, _ := doc.Texts("id_token_signing_alg_values_supported")
		m.algorithms = slices.DeleteFunc(algs, func(alg string) bool { return !slices.Contains(asymmetric(), alg) })
	}
	m.issInResponse = string(doc["authorization_response_iss_parameter_supported"]) == "true"
	return nil
}

// complete tells what is missing for a login.
func (m *metadata) complete(cfg Config) error {
	fault := doubled(m.authorize)
	switch {
	case m.authorize == "":
		return errors.New("it has no authorization_endpoint")
	case fault != "":
		return errors.New("its authorization_endpoint " + fault)
	case m.token == "":
		return errors.New("it has no token_endpoint")
	case m.jwks == "" && cfg.wantsOpenID():
		return errors.New("it has no jwks_uri, so that no ID token can be verified")
	case len(m.algorithms) == 0 && cfg.wantsOpenID():
		return errors.New("it signs ID tokens with no asymmetric algorithm")
	}
	return nil
}

// doubled tells what an authorization endpoint has that each request sets too.
func doubled(endpoint string) string {
	u, err := url.Parse(endpoint)
	if err != nil {
		return "is no URL"
	}
	return registration.AuthorizationEndpointFault(u, registration.AgentParameters()...)
}

func (c Config) wantsOpenID() bool { return slices.Contains(c.Scope, oidc.ScopeOpenID) }

// authMethod settles [AuthAuto]: Basic is what every server must support (RFC
// 6749 2.3.1), unless it announces that it does not.
func (m *metadata) authMethod(set AuthMethod) AuthMethod {
	if set == AuthBasic || set == AuthPost {
		return set
	}
	if m.authMethods == nil || slices.Contains(m.authMethods, "client_secret_basic") {
		return AuthBasic
	}
	return AuthPost
}

// usableEndpoint tells whether tokens and codes may go to raw. Plain http is for
// this machine or for those who have allowed it, and then never for an issuer
// that has https itself.
func (c Config) usableEndpoint(raw string) bool {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || strings.Contains(raw, "#") {
		return false
	}
	switch u.Scheme {
	case "https":
		return true
	case "http":
		return loopback(u.Hostname()) || c.InsecureHTTP && !strings.HasPrefix(c.Issuer, "https:")
	}
	return false
}

// loopback tells whether host is this machine.
func loopback(host string) bool {
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip.IsLoopback()
	}
	return host == "localhost" || strings.HasSuffix(host, ".localhost")
}

// tellableIssuer is ": <issuer>" for an issuer that looks like one, so that a
// trailing slash too many is seen at once, and nothing for any other text.
func tellableIssuer(issuer string) string {
	u, err := url.Parse(issuer)
	if err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" || len(issuer) > 256 {
		return ""
	}
	return ": " + location(u)
}
