package config

import (
	"net"
	"net/url"
	"slices"
	"strings"

	"oauth-agent/agent/internal/oauthsyntax"
)

// Warnings are settings that work and may surprise; they are told at every
// start.
func (c *Config) Warnings() []string {
	var out []string
	if c.InsecureHTTP {
		out = append(out, "insecure_http is set: tokens and cookies may travel in clear")
	}
	if host, _, err := net.SplitHostPort(c.AdminAddr); err == nil && !oauthsyntax.Loopback(host) {
		out = append(out, "admin_addr is not a loopback address: see that only operators can reach it")
	}
	if !c.HasAgent() {
		return out
	}
	if c.CORSEnabled && c.HasPlainHTTPPage() {
		out = append(out, "a trusted origin is on plain http: browsers send no Sec-Fetch-Site there, so that a GET without Origin needs the CSRF header, to the agent and to APIs")
	}
	if c.Issuer == "" && slices.Contains(c.Scopes(), "openid") {
		out = append(out, "issuer is not set: the issuer of ID tokens is compared with nothing, only their keys")
	}
	if u, err := url.Parse(c.RedirectURI); err == nil && !slices.Contains(c.TrustedWebOrigins, serialiseOrigin(u)) {
		out = append(out, "the origin of redirect_uri is not among trusted_web_origins: that page could not end a login")
	}
	if strings.Contains(c.Scope, ",") {
		out = append(out, "scope has a comma in it: the authorization server gets it as a part of a scope, since scopes are separated by spaces")
	}
	if c.Cookie.Domain != "" {
		out = append(out, "cookie.domain is set: every subdomain can set cookies beside the agent's")
	}
	if strings.Contains(c.Cookie.NamePrefix, "_") {
		out = append(out, "cookie.name_prefix has an underscore, and so has the CSRF header: nginx drops such headers unless told otherwise")
	}
	if path := c.Cookie.BasePath; path != "" && !isUnder(c.BasePath, strings.TrimSuffix(path, "/")) {
		out = append(out, "cookie.base_path does not cover base_path: unless a gateway rewrites the path, the browser sends no cookie back and no login ends")
	}
	if host := c.outsideCookieDomain(c.TrustedWebOrigins...); c.PublicURL == "" && host != "" {
		out = append(out, "cookie.domain does not cover "+host+": browsers drop the cookies unless the agent's own host is under it")
	}
	if warning := c.publicURLWarning(); warning != "" {
		out = append(out, warning)
	}
	if host, _, err := net.SplitHostPort(c.ForwardAuth.Addr); err == nil && !oauthsyntax.Loopback(host) {
		out = append(out, "forward_auth.addr is not a loopback address: see that the gateway alone can reach it, since its answers hold tokens")
	}
	return out
}

// publicURLWarning says why no logout can go on under public_url.
func (c *Config) publicURLWarning() string {
	u, err := url.Parse(c.PublicURL)
	if err != nil || c.PublicURL == "" {
		return ""
	}
	host := u.Hostname()
	switch inside := oauthsyntax.Loopback(host) || !strings.Contains(host, "."); {
	case u.Scheme == "http" && c.SecureCookies() && !oauthsyntax.Loopback(host):
		return "public_url is http://, and cookies are Secure: browsers send none there, so that no logout goes on"
	case inside && !slices.Contains(hostsOf(c.TrustedWebOrigins...), host):
		return "public_url is an inside address, and no page is there: browsers send no cookie to it, so that no logout goes on"
	}
	return ""
}
