package config

import (
	"encoding/hex"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"oauth-agent/agent/internal/oauthsyntax"
	"oauth-agent/agent/internal/secret"
)

// rawKeySize is the size of the PKCE proxy's keys, in bytes.
const rawKeySize = 32

func (p *PKCEProxy) validate(ms *Mistakes, insecure bool) {
	required(ms, "pkce_proxy.client_id", "OAUTH_CLIENT_ID", p.ClientID == "", "Register a confidential client at the authorization server.")
	required(ms, "pkce_proxy.client_secret", "OAUTH_CLIENT_SECRET", p.ClientSecret.Empty(), "Give the secret of that client, or client_secret_file.")
	for _, t := range []struct{ key, env, value string }{
		{"pkce_proxy.client_id", "OAUTH_CLIENT_ID", p.ClientID},
		{"pkce_proxy.client_secret", "OAUTH_CLIENT_SECRET", p.ClientSecret.Reveal()},
	} {
		reason, remedy := clientFault(t.value)
		ms.addFault(t.key, t.env, reason, remedy)
	}
	oneOf(ms, "pkce_proxy.auth_method", "OAUTH_AUTH_METHOD", p.AuthMethod, "auto", "basic", "post")
	u := urlRules{insecure: insecure, query: true}
	for _, e := range []struct {
		key, env, value string
		optional        bool
	}{
		{"pkce_proxy.auth_url", "OAUTH_AUTH_URL", p.AuthURL, false},
		{"pkce_proxy.token_url", "OAUTH_TOKEN_URL", p.TokenURL, false},
		{"pkce_proxy.redirect_url", "OAUTH_REDIRECT_URL", p.RedirectURL, false},
		{"pkce_proxy.revocation_url", "OAUTH_REVOCATION_URL", p.RevocationURL, true},
	} {
		if e.value != "" {
			u.check(ms, e.key, e.env, e.value)
		} else if !e.optional {
			ms.add(e.key, e.env, "not set", "Give an absolute URL.")
		}
	}
	checkAuthorizationEndpoint(ms, "pkce_proxy.auth_url", "OAUTH_AUTH_URL", p.AuthURL)
	p.validateRedirectURL(ms)
	p.validateKeys(ms)
	p.validateAllowed(ms, insecure)
}

// validateRedirectURL wants a path that ends in /callback, since the issuer is
// what stands before it. Requests are matched as they were sent, so that
// nothing in the path may have two spellings.
func (p *PKCEProxy) validateRedirectURL(ms *Mistakes) {
	u, err := url.Parse(p.RedirectURL)
	switch {
	case p.RedirectURL == "" || err != nil: // told
	case u.RawQuery != "" || !strings.HasSuffix(p.RedirectURL, "/callback"):
		ms.add("pkce_proxy.redirect_url", "OAUTH_REDIRECT_URL", "does not end in /callback", "Give this proxy's public URL followed by /callback.")
	case !plainPath.MatchString(u.EscapedPath()):
		ms.add("pkce_proxy.redirect_url", "OAUTH_REDIRECT_URL", "its path is not plain", "Use a path of letters, digits, '-', '_', '.' and '~' without dot segments.")
	}
}

func (p *PKCEProxy) validateKeys(ms *Mistakes) {
	for _, k := range []struct {
		key, env string
		value    secret.String
	}{
		{"pkce_proxy.signing_key", "JWT_SIGNING_KEY", p.SigningKey},
		{"pkce_proxy.encryption_key", "ENCRYPTION_KEY", p.EncryptionKey},
	} {
		if k.value.Empty() {
			ms.add(k.key, k.env, "not set", "Make a key with: oauth-agent keygen")
		} else if _, err := RawKey(k.value); err != nil {
			ms.add(k.key, k.env, err.Error(), "Make a key with: oauth-agent keygen")
		} else if isPlaceholder(k.value) {
			ms.add(k.key, k.env, "a placeholder", "Make a key with: oauth-agent keygen")
		}
	}
	a, errA := RawKey(p.SigningKey)
	b, errB := RawKey(p.EncryptionKey)
	if errA == nil && errB == nil && a.Equal(b) {
		ms.add("pkce_proxy.encryption_key", "ENCRYPTION_KEY", "the same as the signing key", "Make a second key with: oauth-agent keygen")
	}
}

// RawKey gives the 32 bytes of a key that is written as 64 hexadecimal
// characters, or as 32 raw bytes, as deployments of older proxies have it.
func RawKey(k secret.String) (secret.String, error) {
	text := k.Reveal()
	if len(text) == rawKeySize {
		return k, nil
	}
	raw, err := hex.DecodeString(text)
	if err != nil || len(raw) != rawKeySize {
		return secret.String{}, fmt.Errorf("neither %d hexadecimal characters nor %d bytes", 2*rawKeySize, rawKeySize)
	}
	return secret.New(string(raw)), nil
}

// isPlaceholder tells a key that fills a template, such as 64 zeros: one that
// everybody knows. It has no character, written or raw, but one of these.
func isPlaceholder(k secret.String) bool {
	text := k.Reveal()
	return slices.ContainsFunc([]string{"0", "f", "F", "\x00", "\xff"}, func(filler string) bool {
		return text != "" && strings.Count(text, filler) == len(text)
	})
}

// validateAllowed takes http redirect URIs on loopback alone, since a code would
// go over the network in clear (RFC 9700 2.6).
func (p *PKCEProxy) validateAllowed(ms *Mistakes, insecure bool) {
	required(ms, "pkce_proxy.allowed_redirect_uris", "OAUTH_ALLOWED_REDIRECT_URIS", len(p.AllowedRedirectURIs) == 0,
		"List the redirect URIs of the client apps: without them anybody could fetch codes.")
	for _, raw := range p.AllowedRedirectURIs {
		if fault := oauthsyntax.RedirectURIFault(raw); fault != "" {
			ms.add("pkce_proxy.allowed_redirect_uris", "OAUTH_ALLOWED_REDIRECT_URIS", quote(raw)+" is not a redirect URI: it "+fault,
				"Write it as the client app sends it, such as https://app.example.com/cb or com.example.app:/cb.")
		} else if u, err := url.Parse(raw); err == nil {
			urlRules{insecure: insecure}.checkScheme(ms, "pkce_proxy.allowed_redirect_uris", "OAUTH_ALLOWED_REDIRECT_URIS", u)
		}
	}
	for _, id := range p.AllowedClientIDs {
		if reason, remedy := leftover(id); reason != "" {
			ms.add("pkce_proxy.allowed_client_ids", "OAUTH_ALLOWED_CLIENT_IDS", reason, remedy)
		} else if fault := oauthsyntax.ClientIDFault(id); fault != "" {
			ms.add("pkce_proxy.allowed_client_ids", "OAUTH_ALLOWED_CLIENT_IDS", fmt.Sprintf("%.80q is not a client id: it %s", id, fault),
				"List the ids that the client apps use, or leave it unset for any.")
		}
	}
}

// validateBasePath keeps the paths of the agent and of the PKCE proxy apart.
//
// The PKCE proxy is at the root and below the path of its issuer. The two share
// one name, /authorize, which is forward auth's with all that is below it. A
// base path cannot begin with a dot, so it is never that of the metadata.
func (c *Config) validateBasePath(ms *Mistakes) {
	u, err := url.Parse(c.PKCEProxy.RedirectURL)
	if err != nil {
		return // told
	}
	base, issuer := strings.TrimSuffix(c.BasePath, "/"), strings.TrimSuffix(u.Path, "/callback")
	if base == "/oauth" || base == issuer+"/oauth" || isUnder(issuer, base+"/authorize") {
		ms.add("base_path", "BASE_PATH", fmt.Sprintf("a path under %q would be both forward auth's and the PKCE proxy's", c.BasePath), "Use one such as /oauth-agent.")
	}
}

// isUnder tells whether path is parent or below it.
func isUnder(path, parent string) bool { return path == parent || strings.HasPrefix(path, parent+"/") }
