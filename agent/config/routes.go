package config

import (
	"net/netip"
	"reflect"
	"strings"
	"time"

	"github.com/caarlos0/env/v11"
)

// Routes is the list of routes: a sequence in YAML, and path=upstream separated
// by commas in the environment.
type Routes []Route

// Route passes what is under a path on to one upstream.
type Route struct {
	// Path is a prefix in whole segments; the longest one wins.
	Path string `yaml:"path"`
	// Upstream is scheme, host, port and base path of the API. The whole path of
	// a request is put behind the base path.
	Upstream string `yaml:"upstream"`
	// StripPrefix takes Path off before.
	StripPrefix bool `yaml:"strip_prefix"`
	// Methods are all that are allowed; none means any.
	Methods List `yaml:"methods"`
	// Timeout is how long the upstream may take to begin its answer; 0: 30s.
	Timeout time.Duration `yaml:"timeout"`
	// MaxBody is the most that a request may send, in bytes; 0: no limit.
	MaxBody int64 `yaml:"max_body"`
	// AllowBearer passes requests that bring a bearer token of their own.
	AllowBearer bool `yaml:"allow_bearer"`
	// Public needs no session; a token is attached when there is one.
	Public bool `yaml:"public"`
	// CSRF asks for the CSRF token with unsafe methods; unset means true.
	CSRF *bool `yaml:"csrf"`
	// H2C speaks HTTP/2 in clear text to the upstream.
	H2C bool `yaml:"h2c"`
}

// parseRoutes reads the form of the environment. It takes anything: what is no
// route is told by validation.
func parseRoutes(text string) (any, error) {
	var rs Routes
	for item := range strings.SplitSeq(text, ",") {
		if item = strings.TrimSpace(item); item != "" {
			path, upstream, _ := strings.Cut(item, "=")
			rs = append(rs, Route{Path: strings.TrimSpace(path), Upstream: strings.TrimSpace(upstream)})
		}
	}
	return rs, nil
}

// parsers are for the types that the environment library does not know.
func parsers() map[reflect.Type]env.ParserFunc {
	return map[reflect.Type]env.ParserFunc{reflect.TypeFor[Routes](): parseRoutes}
}

// SkipCSRF tells whether the route waives the CSRF token.
func (r Route) SkipCSRF() bool { return r.CSRF != nil && !*r.CSRF }

// ForwardAuth is the listener for gateways.
type ForwardAuth struct {
	// Addr is host and port to listen on, such as 127.0.0.1:8081; empty means
	// none. Its answers hold tokens: no browser may reach it.
	Addr string `yaml:"addr" env:"FORWARD_AUTH_ADDR"`
}

// HasProxy tells whether the OAuth Proxy is configured, in either shape.
func (c *Config) HasProxy() bool { return len(c.Routes) > 0 || c.ForwardAuth.Addr != "" }

// TrustedProxyPrefixes is the parsed form of TrustedProxies.
func (c *Config) TrustedProxyPrefixes() []netip.Prefix {
	var out []netip.Prefix
	for _, text := range c.TrustedProxies {
		if p, ok := parsePrefix(text); ok {
			out = append(out, p)
		}
	}
	return out
}

// parsePrefix reads an address or a CIDR block.
func parsePrefix(text string) (netip.Prefix, bool) {
	if addr, err := netip.ParseAddr(text); err == nil {
		addr = addr.Unmap().WithZone("")
		return netip.PrefixFrom(addr, addr.BitLen()), true
	}
	p, err := netip.ParsePrefix(text)
	return p.Masked(), err == nil && !p.Addr().Is4In6()
}
