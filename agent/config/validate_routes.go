package config

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
)

// validateProxy checks the settings of the OAuth Proxy.
func (c *Config) validateProxy(ms *Mistakes) {
	if !c.HasAgent() {
		c.refuseProxy(ms)
	}
	for i := range c.Routes {
		c.Routes[i].validate(ms, fmt.Sprintf("routes[%d]", i), c.Routes[:i])
	}
	c.ForwardAuth.validate(ms, c.Port)
	if c.Timeouts.SocketGrace < 0 || c.Timeouts.SocketGrace > 24*time.Hour {
		ms.add("timeouts.socket_grace", "SOCKET_GRACE", c.Timeouts.SocketGrace.String()+" is out of range", "Use 0s to 24h.")
	}
	c.validateInlineRefresh(ms)
}

// refuseProxy tells what is set of the OAuth Proxy where there is no agent.
func (c *Config) refuseProxy(ms *Mistakes) {
	for _, s := range []struct {
		key, env string
		set      bool
	}{
		{"routes", "ROUTES", len(c.Routes) > 0},
		{"forward_auth.addr", "FORWARD_AUTH_ADDR", c.ForwardAuth.Addr != ""},
		{"timeouts.socket_grace", "SOCKET_GRACE", c.Timeouts.SocketGrace != defaults().Timeouts.SocketGrace},
	} {
		if s.set {
			ms.add(s.key, s.env, "set without the agent, whose sessions the OAuth Proxy needs", "Set issuer, client_id and the rest of the agent's settings, or remove it.")
		}
	}
}

func (r *Route) validate(ms *Mistakes, key string, before Routes) {
	tell := func(part, reason, remedy string) { ms.add(key+part, "ROUTES", reason, remedy) }
	r.validatePath(ms, key, tell, before)
	r.validateUpstream(ms, key)
	r.Methods.trim()
	for _, method := range r.Methods {
		if !methodName.MatchString(method) || method == "TRACE" || method == "TRACK" || method == "CONNECT" {
			tell(".methods", fmt.Sprintf("%q is not a method that can be proxied", method), "Use methods in capitals, such as GET.")
		}
	}
	if r.Timeout < 0 || r.Timeout > 24*time.Hour {
		tell(".timeout", r.Timeout.String()+" is out of range", "Use 0s for the default of 30s, or up to 24h.")
	}
	if r.MaxBody < 0 {
		tell(".max_body", "less than nothing", "Use a number of bytes, or 0 for no limit.")
	}
}

var methodName = regexp.MustCompile(`^[A-Z][A-Z-]*$`)

func (r *Route) validatePath(ms *Mistakes, key string, tell func(part, reason, remedy string), before Routes) {
	clean := strings.TrimSuffix(r.Path, "/")
	if r.Path != "/" && !plainPath.MatchString(clean) {
		*ms = append(*ms, Mistake{
			Key: key + ".path", Env: "ROUTES", Reason: "not a plain absolute path", Remedy: "Write it as path: /api, beside upstream: http://127.0.0.1:9000.",
			envRemedy: "Write path=upstream, such as /api/=http://127.0.0.1:9000.",
		})
		return
	}
	if slices.ContainsFunc(before, func(other Route) bool { return strings.EqualFold(strings.TrimSuffix(other.Path, "/"), clean) }) {
		tell(".path", fmt.Sprintf("%q is there twice", r.Path), "Give each path one upstream.")
	}
}

// validateUpstream takes http:// to any host: APIs usually are on a network of
// their own.
func (r *Route) validateUpstream(ms *Mistakes, key string) {
	if r.Upstream == "" {
		*ms = append(*ms, Mistake{
			Key: key + ".upstream", Env: "ROUTES", Reason: notSet + ": no absolute http(s) URL", Remedy: "Write it as upstream: http://127.0.0.1:9000, beside the path.",
			envRemedy: "Write path=upstream, such as /api/=http://127.0.0.1:9000.",
		})
		return
	}
	known := len(*ms)
	urlRules{insecure: true}.check(ms, key+".upstream", "ROUTES", r.Upstream)
	if len(*ms) > known {
		return
	}
	u, err := url.Parse(r.Upstream)
	if path := strings.TrimSuffix(u.EscapedPath(), "/"); err != nil || path != "" && !plainPath.MatchString(path) {
		ms.add(key+".upstream", "ROUTES", "its base path is not plain", "Use a path of letters, digits, '-', '_', '.' and '~' without dot segments.")
	}
	if r.H2C && u.Scheme != "http" {
		ms.add(key+".h2c", "ROUTES", "set for an upstream that is not http://", "Remove it: over TLS, HTTP/2 is negotiated.")
	}
}

func (f ForwardAuth) validate(ms *Mistakes, port int) {
	if f.Addr == "" {
		return
	}
	number, ok := listenPort(f.Addr)
	switch {
	case !ok:
		ms.add("forward_auth.addr", "FORWARD_AUTH_ADDR", "not an address with a port", "Write one such as 127.0.0.1:8081.")
	case number == port:
		ms.add("forward_auth.addr", "FORWARD_AUTH_ADDR", "the port is the public one", "Use a port that browsers cannot reach: answers hold tokens.")
	}
}

func (c *Config) validateTrustedProxies(ms *Mistakes) {
	for _, text := range c.TrustedProxies {
		switch p, ok := parsePrefix(text); {
		case !ok:
			ms.add("trusted_proxies", "TRUSTED_PROXIES", fmt.Sprintf("%q is not an address or a CIDR block", text), "Write 10.0.0.5 or 10.0.0.0/24.")
		case p.Bits() < 8:
			ms.add("trusted_proxies", "TRUSTED_PROXIES", fmt.Sprintf("%q trusts half the world", text), "Name the proxies, or leave it unset.")
		}
	}
}

func (c *Config) validateInlineRefresh(ms *Mistakes) {
	if c.Refresh.Ahead < 0 || c.Refresh.Ahead > time.Hour {
		ms.add("refresh.ahead", "REFRESH_AHEAD", c.Refresh.Ahead.String()+" is out of range", "Use 0s to 1h; 30s is the default.")
	}
	base := c.Cookie.BasePath
	if base == "" {
		base = c.BasePath
	}
	if c.Refresh.Inline && base != "/" {
		ms.add("refresh.inline", "REFRESH_INLINE", "set, but API calls do not carry the refresh token", `Set cookie.base_path to "/", or leave refreshing to the page.`)
	}
}
