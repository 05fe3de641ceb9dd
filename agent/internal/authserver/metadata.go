package authserver

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/coreos/go-oidc/v3/oidc"

	"oauth-agent/agent/internal/oauthsyntax"
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
	warnings      []string // what of the document makes no sense, and is not needed
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
	needed   bool   // for a login
}

func (m *metadata) endpoints(cfg Config) []endpoint {
	return []endpoint{
		{"authorization_endpoint", &m.authorize, cfg.Authorize, true},
		{"token_endpoint", &m.token, cfg.Token, true},
		{"userinfo_endpoint", &m.userinfo, cfg.Userinfo, false},
		{"end_session_endpoint", &m.endSession, cfg.EndSession, false},
		{"jwks_uri", &m.jwks, cfg.JWKS, cfg.wantsOpenID()},
		{"revocation_endpoint", &m.revocation, cfg.Revocation, false},
	}
}

// parseMetadata reads a discovery document. It must be the configured issuer's
// own: a document that names another is a mistake or an attack (RFC 8414 6.2). What
// is wrong in it is an error where a login needs it, and otherwise a warning.
func parseMetadata(body []byte, cfg Config) (*metadata, error) {
	doc, err := strictjson.Parse(body)
	if err != nil {
		return nil, err
	}
	if issuer, isText := doc.Text("issuer"); !isText {
		return nil, errors.New("its issuer is missing or no text, so that it is of another issuer")
	} else if issuer != cfg.Issuer {
		return nil, fmt.Errorf("it is of another issuer%s", tellableIssuer(issuer))
	}
	m := &metadata{announced: true}
	for _, e := range m.endpoints(cfg) {
		if err := m.readEndpoint(e, doc, cfg); err != nil {
			return nil, err
		}
	}
	m.override(cfg)
	m.readCapabilities(doc)
	return m, m.complete(cfg)
}

// readEndpoint takes an endpoint from the document, unless the settings have it.
func (m *metadata) readEndpoint(e endpoint, doc strictjson.Object, cfg Config) error {
	if e.explicit != "" || !doc.Has(e.member) {
		return nil
	}
	raw, isText := doc.Text(e.member)
	fault := "must be a text"
	if isText {
		fault = cfg.endpointFault(raw)
	}
	switch {
	case fault == "":
		*e.value = raw
	case raw == "" && isText: // as good as missing
	case e.needed:
		return fmt.Errorf("its %s %s", e.member, fault)
	default:
		m.warn(e.member, fault+"; it is ignored")
	}
	return nil
}

func (m *metadata) readCapabilities(doc strictjson.Object) {
	if methods, ok := m.names(doc, "token_endpoint_auth_methods_supported"); ok {
		m.authMethods = methods
	}
	m.algorithms = []string{oidc.RS256} // the one that every server must have
	if algs, ok := m.names(doc, "id_token_signing_alg_values_supported"); ok {
		m.algorithms = slices.DeleteFunc(algs, func(alg string) bool { return !slices.Contains(asymmetric(), alg) })
	}
	m.issInResponse = m.flag(doc, "authorization_response_iss_parameter_supported")
}

// names reads a list of names, as far as there are names in it. Names in one text are
// taken too, since real servers have them; ok is false where there is nothing to go by.
func (m *metadata) names(doc strictjson.Object, member string) (names []string, ok bool) {
	if !doc.Has(member) {
		return nil, false
	}
	if names, ok = doc.Texts(member); ok {
		return append([]string{}, names...), true
	}
	m.warn(member, "must be a list of texts; what is none is ignored")
	if text, isText := doc.Text(member); isText {
		names = strings.FieldsFunc(text, func(r rune) bool { return r == ' ' || r == ',' })
	}
	var items []any
	_ = json.Unmarshal(doc[member], &items)
	for _, item := range items {
		if name, isText := item.(string); isText {
			names = append(names, name)
		}
	}
	return names, len(names) > 0
}

// flag reads a truth value. A text that says the same is taken too.
func (m *metadata) flag(doc strictjson.Object, member string) bool {
	value := string(doc[member])
	switch value {
	case "", "null", "true", "false":
	default:
		m.warn(member, "must be true or false; what is neither is ignored")
	}
	return strings.Trim(value, `"`) == "true"
}

// warn notes what the document has wrongly. It quotes nothing of it.
func (m *metadata) warn(member, fault string) {
	m.warnings = append(m.warnings, member+" "+fault)
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
	return oauthsyntax.AuthorizationEndpointFault(u, oauthsyntax.AgentParameters()...)
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

// endpointFault says why tokens and codes may not go to raw; empty: they may. Plain
// http is for this machine or for those who have allowed it.
func (c Config) endpointFault(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || strings.Contains(raw, "#") || u.Scheme != "http" && u.Scheme != "https" {
		return "must be an absolute http(s) URL without a fragment"
	}
	if u.Scheme == "http" && !oauthsyntax.Loopback(u.Hostname()) && !c.InsecureHTTP {
		return "must not be http://, which would send secrets in clear"
	}
	issuer, err := url.Parse(c.Issuer)
	if err != nil {
		return "cannot be held against the issuer, which is no URL"
	}
	return oauthsyntax.EndpointFault(u, issuer)
}
