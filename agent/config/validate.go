package config

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"oauth-agent/agent/internal/seal"
	"oauth-agent/agent/internal/secret"
)

// validate appends every mistake to ms, and puts a few values into their one
// form (no slash at the end of a path).
func (c *Config) validate(ms *Mistakes) {
	c.validateServer(ms)
	if !c.HasAgent() && !c.HasPKCEProxy() {
		ms.add("client_id", "CLIENT_ID", "neither the agent nor the PKCE proxy is configured",
			"Set issuer, client_id and the rest of the agent's settings, or those of pkce_proxy.")
	}
	if c.HasAgent() {
		c.validateAgent(ms)
	}
	c.validateProxy(ms)
	c.validateSPA(ms)
	if c.HasPKCEProxy() {
		c.PKCEProxy.validate(ms, c.InsecureHTTP)
	}
	if c.HasAgent() && c.HasPKCEProxy() {
		c.validateBasePath(ms)
	}
}

func (c *Config) validateServer(ms *Mistakes) {
	if c.Port < 1 || c.Port > 65535 {
		ms.add("port", "PORT", fmt.Sprintf("%d is not a TCP port", c.Port), "Use 1 to 65535.")
	}
	if c.BindAddress != "" {
		if _, err := netip.ParseAddr(c.BindAddress); err != nil {
			ms.add("bind_address", "BIND_ADDRESS", "not an IP address", "Write one such as 127.0.0.1, or leave it unset.")
		}
	}
	c.BasePath = cleanPath(ms, "base_path", "BASE_PATH", c.BasePath)
	if c.PublicURL != "" {
		checkOrigin(ms, "public_url", "PUBLIC_URL", c.PublicURL, c.InsecureHTTP)
	}
	c.TLS.validate(ms)
	c.Timeouts.validate(ms)
	c.Log.validate(ms)
	c.validateOperations(ms)
}

func (t TLS) validate(ms *Mistakes) {
	switch {
	case t.CertFile == "" && t.KeyFile == "":
	case t.CertFile == "":
		ms.add("tls.cert_file", "SERVER_CERT_FILE", "not set, though tls.key_file is", "Set both or neither.")
	case t.KeyFile == "":
		ms.add("tls.key_file", "SERVER_KEY_FILE", "not set, though tls.cert_file is", "Set both or neither.")
	default:
		if _, err := t.Pair(); err != nil {
			*ms = append(*ms, Mistake{
				Key: "tls", Env: "SERVER_CERT_FILE", Reason: err.Error(),
				Remedy: "Give PEM files that belong together.", cause: err,
			})
		}
	}
}

func (t Timeouts) validate(ms *Mistakes) {
	for _, d := range []struct {
		key, env string
		value    time.Duration
	}{
		{"timeouts.authorization_server", "AUTHORIZATION_SERVER_TIMEOUT", t.AuthorizationServer},
		{"timeouts.request", "REQUEST_TIMEOUT", t.Request},
		{"timeouts.write", "WRITE_TIMEOUT", t.Write},
		{"timeouts.shutdown", "SHUTDOWN_TIMEOUT", t.Shutdown},
	} {
		if d.value <= 0 || d.value > 10*time.Minute {
			ms.add(d.key, d.env, d.value.String()+" is out of range", "Use more than 0s and at most 10m.")
		}
	}
}

func (l Log) validate(ms *Mistakes) {
	oneOf(ms, "log.level", "LOG_LEVEL", l.Level, "debug", "info", "warn", "error")
	oneOf(ms, "log.format", "LOG_FORMAT", l.Format, "text", "json")
	if _, err := seal.NewRing([]secret.String{l.SubjectKey}); err != nil && !l.SubjectKey.Empty() {
		ms.add("log.subject_key", "LOG_SUBJECT_KEY", "not 64 hexadecimal characters", "Make one with: oauth-agent keygen")
	}
}

// oneOf refuses a value that is not among the allowed ones.
func oneOf(ms *Mistakes, key, env, value string, allowed ...string) {
	if !slices.Contains(allowed, value) {
		ms.add(key, env, fmt.Sprintf("%q is unknown", value), "Use one of "+strings.Join(allowed, ", ")+".")
	}
}

const notSet = "not set"

// required refuses an empty value.
func required(ms *Mistakes, key, env string, empty bool, remedy string) {
	if empty {
		ms.add(key, env, notSet, remedy)
	}
}
