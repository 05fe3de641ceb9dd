package pkceproxy_test

import (
	"strings"
	"testing"

	"oauth-agent/agent/internal/pkceproxy"
	"oauth-agent/agent/internal/secret"
)

func TestNewRefuses(t *testing.T) {
	key := secret.New(strings.Repeat("k", 32))
	uris := func(u ...string) func(*pkceproxy.Config) {
		return func(c *pkceproxy.Config) { c.AllowedRedirectURIs = u }
	}
	for _, tt := range []struct {
		name   string
		change func(*pkceproxy.Config)
		want   string
	}{
		{"no client id", func(c *pkceproxy.Config) { c.ClientID = "" }, "client id: missing"},
		{"no secret", func(c *pkceproxy.Config) { c.ClientSecret = secret.String{} }, "client secret: missing"},
		{"method", func(c *pkceproxy.Config) { c.AuthMethod = "none" }, "auth method"},
		{"no auth URL", func(c *pkceproxy.Config) { c.AuthURL = "" }, "authorization URL: missing"},
		{"relative", func(c *pkceproxy.Config) { c.TokenURL = "/token" }, "token URL: must be an absolute"},
		{"scheme", func(c *pkceproxy.Config) { c.TokenURL = "ftp://as/token" }, "token URL: must be an absolute"},
		{"fragment", func(c *pkceproxy.Config) { c.AuthURL += "#" }, "must not have a fragment"},
		{"user", func(c *pkceproxy.Config) { c.RevocationURL = "https://u:p@as/" }, "must not have a user name"},
		{"own parameter", func(c *pkceproxy.Config) { c.AuthURL += "?state=x" }, "must not have state"},
		{"callback", func(c *pkceproxy.Config) { c.RedirectURL = "https://pkce.example.com/cb" }, "must end in /callback"},
		{"short key", func(c *pkceproxy.Config) { c.SigningKey = secret.New("short") }, "signing key: must be 32 bytes"},
		{"hex key", func(c *pkceproxy.Config) { c.EncryptionKey = secret.New(strings.Repeat("a", 64)) }, "encryption key: must be 32 bytes"},
		{"same key", func(c *pkceproxy.Config) { c.SigningKey, c.EncryptionKey = key, key }, "must differ"},
		{"no redirect URIs", uris(), "there must be one"},
		{"empty URI", uris(""), "must be an absolute URI"},
		{"relative URI", uris("/cb"), "must be an absolute URI"},
		{"wildcard", uris("https://*.example.com/cb"), "no wildcard"},
		{"URI with fragment", uris("https://app.example.com/#"), "no fragment"},
		{"URI with user", uris("https://a@app.example.com/"), "no user name"},
		{"URI without host", uris("https:///cb"), "must have a host"},
		{"upper case", uris("HTTPS://app.example.com/"), "lower case"},
		{"javascript", uris("javascript:alert(1)"), "private-use scheme"},
		{"undotted", uris("myapp://cb"), "private-use scheme"},
		{"backslash", uris(`https://app.example.com\@evil.example/`), "must be an absolute URI"},
		{"line break", uris("https://app.example.com/\r\n"), "must be an absolute URI"},
		{"own response parameter", uris("https://app.example.com/?code=1"), "must not have code"},
		{"client id of odd characters", func(c *pkceproxy.Config) { c.AllowedClientIDs = []string{"a\n"} }, "allowed client id"},
		{"empty client id", func(c *pkceproxy.Config) { c.AllowedClientIDs = []string{""} }, "allowed client id"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cfg := config("https://as.example.com", "https://pkce.example.com")
			tt.change(&cfg)
			p, err := pkceproxy.New(cfg, pkceproxy.Options{})
			if p != nil || err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
		})
	}
	_, err := pkceproxy.New(pkceproxy.Config{}, pkceproxy.Options{})
	if err == nil || strings.Count(err.Error(), "\n") < 7 {
		t.Errorf("not every mistake at once: %v", err)
	}
	if _, err := pkceproxy.New(config("https://as.example.com", "https://pkce.example.com"), pkceproxy.Options{}); err != nil {
		t.Errorf("a good one, without options: %v", err)
	}
}
