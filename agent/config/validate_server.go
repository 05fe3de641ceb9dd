package config

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"oauth-agent/agent/internal/oauthsyntax"
)

// AnyTenant in the place of a list of tenants accepts every one.
const AnyTenant = "any"

func (c *Config) validateAuthorizationServer(ms *Mistakes) {
	if c.Issuer != "" {
		urlRules{insecure: c.InsecureHTTP}.check(ms, "issuer", "ISSUER", c.Issuer)
	}
	c.validateTenants(ms)
	c.validateMetadataURL(ms)
	e := c.Endpoints
	for _, p := range []struct {
		key, env, value string
	}{
		{"endpoints.authorize", "AUTHORIZE_ENDPOINT", e.Authorize},
		{"endpoints.token", "TOKEN_ENDPOINT", e.Token},
		{"endpoints.userinfo", "USERINFO_ENDPOINT", e.Userinfo},
		{"endpoints.logout", "LOGOUT_ENDPOINT", e.Logout},
		{"endpoints.jwks", "JWKS_ENDPOINT", e.JWKS},
		{"endpoints.revocation", "REVOCATION_ENDPOINT", e.Revocation},
	} {
		if p.value != "" {
			c.validateEndpoint(ms, p.key, p.env, p.value)
		}
	}
	checkAuthorizationEndpoint(ms, "endpoints.authorize", "AUTHORIZE_ENDPOINT", e.Authorize, oauthsyntax.AgentParameters()...)
	if c.Issuer == "" {
		required(ms, "endpoints.authorize", "AUTHORIZE_ENDPOINT", e.Authorize == "", "Set issuer, or the authorization endpoint.")
		required(ms, "endpoints.token", "TOKEN_ENDPOINT", e.Token == "", "Set issuer, or the token endpoint.")
		if slices.Contains(c.Scopes(), "openid") && e.JWKS == "" {
			ms.add("endpoints.jwks", "JWKS_ENDPOINT", "the scope has openid, but there are no keys to verify ID tokens with",
				"Set issuer or the JWKS endpoint, or take openid out of the scope.")
		}
	}
}

// validateEndpoint holds an endpoint to what discovery holds it to as well.
func (c *Config) validateEndpoint(ms *Mistakes, key, env, raw string) {
	known := len(*ms)
	urlRules{insecure: c.InsecureHTTP, query: true}.check(ms, key, env, raw)
	endpoint, err := url.Parse(raw)
	issuer, issuerErr := url.Parse(c.Issuer)
	if len(*ms) > known || err != nil || issuerErr != nil {
		return
	}
	if fault := oauthsyntax.EndpointFault(endpoint, issuer); fault != "" {
		ms.add(key, env, fault, "Give the address that others reach the authorization server at, or correct the issuer.")
	}
}

// validateTenants wants tenants with an issuer that has a place for them, and with no
// other.
func (c *Config) validateTenants(ms *Mistakes) {
	places := strings.Count(c.Issuer, oauthsyntax.TenantPlaceholder)
	rest := strings.ReplaceAll(c.Issuer, oauthsyntax.TenantPlaceholder, "")
	switch {
	case places > 1 || strings.ContainsAny(rest, "{}"):
		ms.add("issuer", "ISSUER", "has braces that are not one {tenantid}", "Copy it from the issuer of the metadata.")
	case places == 1 && len(c.Tenants) == 0:
		ms.add("tenants", "TENANTS", "not set, though issuer has {tenantid}", "List the ids of the tenants whose users may log in, or write any.")
	case places == 0 && len(c.Tenants) > 0:
		ms.add("tenants", "TENANTS", "set, though issuer has no {tenantid}", "Remove it, or copy the issuer from the metadata of the tenants.")
	case len(c.Tenants) > 1 && slices.Contains(c.Tenants, AnyTenant):
		ms.add("tenants", "TENANTS", "has any beside others", "Write any alone, or list tenants.")
	}
	for _, tenant := range c.Tenants {
		if slices.Contains([]string{"common", "organizations", "consumers"}, tenant) || !oauthsyntax.Tenant(tenant) {
			ms.add("tenants", "TENANTS", fmt.Sprintf("%q is not the id of a tenant", tenant), "Use what tokens have as tid, such as 72f988bf-86f1-41af-91ab-2d7cd011db47.")
		}
	}
}

// validateMetadataURL wants no less than https for what decides where an https
// issuer's secrets go, but on this machine.
func (c *Config) validateMetadataURL(ms *Mistakes) {
	if c.MetadataURL == "" {
		return
	}
	known := len(*ms)
	urlRules{insecure: c.InsecureHTTP, query: true, metadata: true}.check(ms, "metadata_url", "METADATA_URL", c.MetadataURL)
	u, err := url.Parse(c.MetadataURL)
	switch {
	case len(*ms) > known || err != nil:
	case c.Issuer == "":
		ms.add("metadata_url", "METADATA_URL", "set, though issuer is not", "Set issuer to what the metadata says.")
	case strings.HasPrefix(c.Issuer, "https:") && u.Scheme != "https" && !oauthsyntax.Loopback(u.Hostname()):
		ms.add("metadata_url", "METADATA_URL", "must be https, as the issuer is", "Give the inside address a certificate, see SSL_CERT_FILE.")
	}
}
