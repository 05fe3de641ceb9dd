package authserver

import (
	"net/url"
	"slices"
	"strings"

	"oauth-agent/agent/internal/oauthsyntax"
)

// anyTenant in [Config.Tenants] accepts every tenant.
const anyTenant = "any"

// manyTenants reports whether the issuer has a place for the tenant, so that each
// tenant's tokens have an issuer of their own.
func (c Config) manyTenants() bool { return strings.Contains(c.Issuer, oauthsyntax.TenantPlaceholder) }

// issuerOf returns the issuer of a tenant.
func (c Config) issuerOf(tenant string) string {
	return strings.Replace(c.Issuer, oauthsyntax.TenantPlaceholder, tenant, 1)
}

// trusts reports whether the users of tenant may log in.
func (c Config) trusts(tenant string) bool {
	return oauthsyntax.Tenant(tenant) && (slices.Contains(c.Tenants, tenant) || slices.Contains(c.Tenants, anyTenant))
}

// isIssuer reports whether iss is the configured issuer, or that of a tenant that is
// trusted.
func (c Config) isIssuer(iss string) bool {
	if iss == c.Issuer || !c.manyTenants() {
		return iss == c.Issuer
	}
	before, after, _ := strings.Cut(c.Issuer, oauthsyntax.TenantPlaceholder)
	rest, isPrefix := strings.CutPrefix(iss, before)
	tenant, isSuffix := strings.CutSuffix(rest, after)
	return isPrefix && isSuffix && c.trusts(tenant)
}

// checkTenant wants iss to be the issuer of the token's own tenant, one that is
// trusted. tid alone would not do: it is the issuer that the signature is of.
func (c Config) checkTenant(found claims) fault {
	tenant, ok := found.Text("tid")
	iss, _ := found.Text("iss")
	switch {
	case !ok:
		return "tid is missing, though the issuer has a place for it"
	case !c.trusts(tenant):
		return "tid is not among the tenants"
	case iss != c.issuerOf(tenant):
		return "iss is not the issuer of its tid" + fault(tellableIssuer(iss))
	}
	return ""
}

// ofAnother reports whether the key is only for tokens of another issuer than iss.
// Entra ID publishes the keys of some tenants beside those that are good for all.
func (k publicKey) ofAnother(iss string) bool {
	return k.issuer != "" && k.issuer != iss && !strings.Contains(k.issuer, oauthsyntax.TenantPlaceholder)
}

// tellableIssuer is ": <issuer>" for an issuer that looks like one, so that a
// trailing slash too many is seen at once, and nothing for any other text.
func tellableIssuer(issuer string) string {
	u, err := url.Parse(issuer)
	if err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" || len(issuer) > 256 {
		return ""
	}
	return ": " + strings.Replace(location(u), url.PathEscape(oauthsyntax.TenantPlaceholder), oauthsyntax.TenantPlaceholder, 1)
}
