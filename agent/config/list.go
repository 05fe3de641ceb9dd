package config

import (
	"strings"

	"go.yaml.in/yaml/v4"

	"oauth-agent/agent/internal/secret"
)

// List is a list of texts: a sequence in YAML, separated by commas in the
// environment.
type List []string

// Tenants is a [List], or the word "any" in its place.
type Tenants []string

// UnmarshalYAML reads one text as a list of one.
func (l *Tenants) UnmarshalYAML(node *yaml.Node) error {
	if node.Kind == yaml.ScalarNode {
		*l = make(Tenants, 1)
		return node.Decode(&(*l)[0])
	}
	return node.Decode((*[]string)(l))
}

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
	for _, l := range []*List{(*List)(&c.Tenants), &c.TrustedAudiences, &c.TrustedWebOrigins, &c.TrustedProxies, &c.PKCEProxy.AllowedRedirectURIs, &c.PKCEProxy.AllowedClientIDs} {
		l.trim()
	}
}
