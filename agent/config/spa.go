package config

import (
	"os"
	"path/filepath"
	"strings"
)

// SPA is the page itself, where this program serves it.
type SPA struct {
	// Dir is the directory of the built app, with its index.html; empty: the page
	// is served by another.
	Dir string `yaml:"dir" env:"SPA_DIR"`
	// CSP replaces the Content-Security-Policy of its files as a whole.
	CSP string `yaml:"csp" env:"SPA_CSP"`
}

// validateSPA checks that there is a page, and an agent that it is for.
func (c *Config) validateSPA(ms *Mistakes) {
	for _, s := range []struct{ key, env, value string }{{"spa.dir", "SPA_DIR", c.SPA.Dir}, {"spa.csp", "SPA_CSP", c.SPA.CSP}} {
		if s.value != "" && !c.HasAgent() {
			ms.add(s.key, s.env, "set without the agent, whose page it is for", "Set issuer, client_id and the rest of the agent's settings, or remove it.")
		}
	}
	if c.SPA.Dir != "" {
		c.SPA.validateDir(ms)
	}
	if strings.ContainsFunc(c.SPA.CSP, func(r rune) bool { return r < ' ' || r > '~' }) {
		ms.add("spa.csp", "SPA_CSP", "not a header value", "Write the policy in one line of ASCII.")
	}
	if c.SPA.CSP != "" && c.SPA.Dir == "" {
		ms.add("spa.dir", "SPA_DIR", "not set, though spa.csp is", "Set both, or remove spa.csp.")
	}
}

func (s SPA) validateDir(ms *Mistakes) {
	tell := func(reason string) {
		ms.add("spa.dir", "SPA_DIR", reason, "Give the directory that the build of the app writes, such as ./dist.")
	}
	if info, err := os.Stat(s.Dir); err != nil {
		tell("cannot be read: " + withoutPath(err).Error() + ": " + s.Dir)
	} else if !info.IsDir() {
		tell("not a directory: " + s.Dir)
	} else if info, err := os.Stat(filepath.Join(s.Dir, "index.html")); err != nil || !info.Mode().IsRegular() {
		tell("has no index.html: " + s.Dir)
	}
}
