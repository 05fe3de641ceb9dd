package config

import (
	"strings"

	"oauth-agent/agent/internal/secret"
)

// List is a list of texts: a sequence in YAML, separated by commas in the
// environment.
type List []string

// Secrets is a list of secrets, written like a [List].
type Secrets []secret.String

// trim takes the white space off the items and drops empty ones, as a list with
// ", " between its items or a comma at its end has them.
func (l *List) trim() {
	var out List
	for _, item := range *l {
		if item = strings.TrimSpace(item); item != "" {
			out = append(out, item)
		}
	}
	*l = out
}

func (s *Secrets) trim() {
	var out Secrets
	for _, item := range *s {
		if text := strings.TrimSpace(item.Reveal()); text != "" {
			out = append(out, secret.New(text))
		}
	}
	*s = out
}

func (c *Config) trimLists() {
	c.Cookie.EncryptionKeys.trim()
	for _, l := range []*List{&c.TrustedAudiences, &c.TrustedWebOrigins, &c.TrustedProxies, &c.PKCEProxy.AllowedRedirectURIs, &c.PKCEProxy.AllowedClientIDs} {
		l.trim()
	}
}
