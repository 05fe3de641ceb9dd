package config

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"oauth-agent/agent/internal/oauthsyntax"
	"oauth-agent/agent/internal/seal"
)

func (c *Config) validateAgent(ms *Mistakes) {
	c.validateAuthorizationServer(ms)
	c.validateClient(ms)
	c.validateOrigins(ms)
	c.Cookie.validate(ms)
	c.validateCookieDomain(ms)
	oneOf(ms, "logout.url", "LOGOUT_URL", c.Logout.URL, "continue", "direct")
	if c.Session.Lifetime < 0 || c.Session.Lifetime > 0 && c.Session.Lifetime < time.Minute {
		ms.add("session.lifetime", "SESSION_LIFETIME", c.Session.Lifetime.String()+" is out of range", "Use 0 for none, or at least 1m.")
	}
	if c.Refresh.Memory < 0 || c.Refresh.Memory > time.Hour {
		ms.add("refresh.memory", "REFRESH_MEMORY", c.Refresh.Memory.String()+" is out of range", "Use 0s to 1h; 1m is the default.")
	}
	if c.Refresh.MemoryBytes < 1<<16 {
		ms.add("refresh.memory_bytes", "REFRESH_MEMORY_BYTES", "too small to remember anything", "Use at least 65536.")
	}
}

// scopeToken is RFC 6749 3.3.
var scopeToken = regexp.MustCompile(`^[\x21\x23-\x5B\x5D-\x7E]+$`)

func (c *Config) validateClient(ms *Mistakes) {
	required(ms, "client_id", "CLIENT_ID", c.ClientID == "", "Register a confidential client at the authorization server.")
	required(ms, "client_secret", "CLIENT_SECRET", c.ClientSecret.Empty(), "Give the secret of that client, or client_secret_file.")
	for _, t := range []struct{ key, env, value string }{
		{"client_id", "CLIENT_ID", c.ClientID},
		{"client_secret", "CLIENT_SECRET", c.ClientSecret.Reveal()},
	} {
		reason, remedy := clientFault(t.value)
		ms.addFault(t.key, t.env, reason, remedy)
	}
	for _, audience := range c.TrustedAudiences {
		reason, remedy := leftover(audience)
		ms.addFault("trusted_audiences", "TRUSTED_AUDIENCES", reason, remedy)
	}
	oneOf(ms, "client_auth_method", "CLIENT_AUTH_METHOD", c.ClientAuthMethod, "auto", "basic", "post")
	required(ms, "redirect_uri", "REDIRECT_URI", c.RedirectURI == "", "Give the SPA's page that is registered as redirect URI.")
	u := urlRules{insecure: c.InsecureHTTP, query: true}
	if c.RedirectURI != "" {
		c.validateRedirectURI(ms, u)
	}
	if c.PostLogoutRedirectURI != "" {
		u.check(ms, "post_logout_redirect_uri", "POST_LOGOUT_REDIRECT_URI", c.PostLogoutRedirectURI)
	}
	c.validateScope(ms)
}

func (c *Config) validateScope(ms *Mistakes) {
	scopes := c.Scopes()
	required(ms, "scope", "SCOPE", len(scopes) == 0, "Use the default, openid profile, or what your APIs need.")
	for _, s := range scopes {
		switch {
		case !scopeToken.MatchString(s) || inQuotes(s):
			ms.add("scope", "SCOPE", fmt.Sprintf("%q is not a scope", s), "Separate scopes by one space.")
		case isScopeList(s):
			ms.add("scope", "SCOPE", fmt.Sprintf("%q would be one scope", s), "Separate scopes by one space, such as openid profile.")
		}
	}
}

// isScopeList reports whether a scope is several, separated by what does not
// separate scopes: one of them is defined by OpenID Connect Core (5.4, 11).
func isScopeList(scope string) bool {
	parts := strings.FieldsFunc(strings.ReplaceAll(scope, "%20", "+"), func(r rune) bool { return strings.ContainsRune(",;+|", r) })
	return slices.ContainsFunc(parts, func(part string) bool {
		return part != scope && slices.Contains([]string{"openid", "profile", "email", "address", "phone", "offline_access"}, part)
	})
}

// validateRedirectURI wants the one spelling that a browser shows to the page:
// by it the page's URL is told to hold a response.
func (c *Config) validateRedirectURI(ms *Mistakes, rules urlRules) {
	known := len(*ms)
	rules.check(ms, "redirect_uri", "REDIRECT_URI", c.RedirectURI)
	u, err := url.Parse(c.RedirectURI)
	if len(*ms) > known || err != nil {
		return
	}
	host, ok := browserHost(u.Hostname())
	fault := oauthsyntax.RedirectURIFault(c.RedirectURI)
	switch {
	case ok && host != strings.ToLower(u.Hostname()):
		ms.add("redirect_uri", "REDIRECT_URI", "its host is not how a browser writes it", fmt.Sprintf("Write %q.", host))
	case !ok && !strings.Contains(c.RedirectURI, "*"):
		ms.add("redirect_uri", "REDIRECT_URI", "its host is not how a browser writes it", "Write it in Punycode, such as xn--mnchen-3ya.example.")
	case fault != "":
		ms.add("redirect_uri", "REDIRECT_URI", fault, "Give the page's address as the browser shows it, without what a response adds.")
	case hasDotSegment(u.EscapedPath()):
		ms.add("redirect_uri", "REDIRECT_URI", "its path has a dot segment", "Write the path without . and .. in it.")
	}
}

// Scopes is the scope as a list.
func (c *Config) Scopes() []string { return strings.Fields(c.Scope) }

func (c *Config) validateOrigins(ms *Mistakes) {
	required(ms, "trusted_web_origins", "TRUSTED_WEB_ORIGIN", len(c.TrustedWebOrigins) == 0, "Give the SPA's origin, such as https://www.example.com.")
	for _, o := range c.TrustedWebOrigins {
		checkOrigin(ms, "trusted_web_origins", "TRUSTED_WEB_ORIGIN", o, c.InsecureHTTP)
	}
}

// SecureCookies tells whether cookies are Secure: whenever an origin of the SPA
// is https.
func (c *Config) SecureCookies() bool {
	return slices.ContainsFunc(c.TrustedWebOrigins, func(o string) bool { return strings.HasPrefix(o, "https://") })
}

// HasPlainHTTPPage reports whether a page is on plain http beyond loopback, where
// browsers do not tell which site a request comes from (Fetch Metadata 2.3: the
// headers are for trustworthy addresses alone).
func (c *Config) HasPlainHTTPPage() bool {
	return slices.ContainsFunc(c.TrustedWebOrigins, func(origin string) bool {
		u, err := url.Parse(origin)
		return err == nil && u.Scheme == "http" && !oauthsyntax.Loopback(u.Hostname())
	})
}

var (
	cookiePrefix = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,49}$`)
	domainName   = regexp.MustCompile(`^\.?([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z0-9]([a-z0-9-]*[a-z0-9])?$`)
)

func (k *Cookie) validate(ms *Mistakes) {
	if !cookiePrefix.MatchString(k.NamePrefix) {
		ms.add("cookie.name_prefix", "COOKIE_NAME_PREFIX", fmt.Sprintf("%q cannot begin a cookie and a header name", k.NamePrefix),
			"Use 1 to 50 letters, digits, '-' and '_', such as example.")
	}
	required(ms, "cookie.encryption_keys", "COOKIE_ENCRYPTION_KEY", len(k.EncryptionKeys) == 0, "Make a key with: oauth-agent keygen")
	if len(k.EncryptionKeys) > 0 {
		if _, err := seal.NewRing(k.EncryptionKeys); err != nil {
			ms.add("cookie.encryption_keys", "COOKIE_ENCRYPTION_KEY", err.Error(), "Make a key with: oauth-agent keygen")
		}
	}
	for i, a := range k.EncryptionKeys {
		if isPlaceholder(a) {
			ms.add("cookie.encryption_keys", "COOKIE_ENCRYPTION_KEY", fmt.Sprintf("key %d is a placeholder", i+1), "Make a key with: oauth-agent keygen")
		}
		for _, b := range k.EncryptionKeys[:i] {
			if strings.EqualFold(a.Reveal(), b.Reveal()) { // at start, nobody times it
				ms.add("cookie.encryption_keys", "COOKIE_ENCRYPTION_KEY", fmt.Sprintf("key %d stands there twice", i+1), "Remove it.")
			}
		}
	}
	if k.KeyGrace < 0 || k.KeyGrace > 24*time.Hour {
		ms.add("cookie.key_grace", "COOKIE_KEY_GRACE", k.KeyGrace.String()+" is out of range", "Use 0s to 24h; 5m is the default.")
	}
	if _, err := time.Parse(time.DateOnly, k.KeyCreated); err != nil && k.KeyCreated != "" {
		ms.add("cookie.key_created", "COOKIE_KEY_CREATED", "not a day", "Write it as 2026-11-21.")
	}
	if k.Domain != "" && !k.hasDomain() {
		ms.add("cookie.domain", "COOKIE_DOMAIN", fmt.Sprintf("%q is not a domain", k.Domain), "Use a lower-case domain such as example.com, or leave it unset.")
	}
	if k.BasePath != "" {
		k.BasePath = cleanPath(ms, "cookie.base_path", "COOKIE_BASE_PATH", k.BasePath)
	}
}

// hasDomain tells a domain of two names at least, or localhost. A browser takes
// no other, and no address.
func (k *Cookie) hasDomain() bool {
	return k.Domain == "localhost" || domainName.MatchString(k.Domain) && !oauthsyntax.NumberHost(k.Domain)
}

// validateCookieDomain wants a domain that browsers accept from the agent: they
// drop cookies of a foreign one without a word, and logins never end. Without a
// public URL the agent's host is not known, and there is only a warning.
func (c *Config) validateCookieDomain(ms *Mistakes) {
	if host := c.outsideCookieDomain(c.PublicURL); host != "" {
		ms.add("cookie.domain", "COOKIE_DOMAIN", fmt.Sprintf("%q does not cover %s: browsers would drop the cookies", c.Cookie.Domain, host),
			"Use the domain that public_url is under, or leave it unset.")
	}
}

// outsideCookieDomain gives the first host of some URLs when the cookies' domain
// covers none of them.
func (c *Config) outsideCookieDomain(urls ...string) string {
	hosts := hostsOf(urls...)
	covered := slices.ContainsFunc(hosts, func(host string) bool { return covers(c.Cookie.Domain, host) })
	if !c.Cookie.hasDomain() || len(hosts) == 0 || covered {
		return ""
	}
	return hosts[0]
}
