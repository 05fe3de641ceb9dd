package config

import (
	"fmt"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestRoutesFromTheEnvironment(t *testing.T) {
	c := load(t, "routes:\n  - {path: /old, upstream: http://127.0.0.1:1, public: true}\n", agentEnv(vars{
		"ROUTES":            " /api/=http://127.0.0.1:9000, /=https://spa.example.com/base/,",
		"FORWARD_AUTH_ADDR": "127.0.0.1:8081",
		"TRUSTED_PROXIES":   "10.1.2.3, 10.2.0.9/16, ::1, ::ffff:10.9.9.9,",
	}))
	want := Routes{{Path: "/api/", Upstream: "http://127.0.0.1:9000"}, {Path: "/", Upstream: "https://spa.example.com/base/"}}
	if !reflect.DeepEqual(c.Routes, want) {
		t.Errorf("got %+v", c.Routes)
	}
	var prefixes []netip.Prefix
	for _, text := range []string{"10.1.2.3/32", "10.2.0.0/16", "::1/128", "10.9.9.9/32"} {
		prefixes = append(prefixes, netip.MustParsePrefix(text))
	}
	if got := c.TrustedProxyPrefixes(); !slices.Equal(got, prefixes) {
		t.Errorf("got %v", got)
	}
	if c.ForwardAuth.Addr != "127.0.0.1:8081" || !c.HasProxy() {
		t.Errorf("got %+v", c.ForwardAuth)
	}
}

func TestRoutesFromTheFile(t *testing.T) {
	c := load(t, `
routes:
  - path: /api
    upstream: http://orders:8080/base/
    strip_prefix: true
    methods: [GET, POST]
    timeout: 5s
    max_body: 1048576
    allow_bearer: true
    public: true
    csrf: false
    h2c: true
  - path: /other
    upstream: https://other.example.com
    csrf: true
forward_auth: {addr: "localhost:8081"}
trusted_proxies: [10.0.0.0/8]
`, agentEnv(nil))
	no, yes := false, true
	want := Routes{
		{
			Path: "/api", Upstream: "http://orders:8080/base/", StripPrefix: true, Methods: List{"GET", "POST"},
			Timeout: 5 * time.Second, MaxBody: 1 << 20, AllowBearer: true, Public: true, CSRF: &no, H2C: true,
		},
		{Path: "/other", Upstream: "https://other.example.com", CSRF: &yes},
	}
	if !reflect.DeepEqual(c.Routes, want) || !c.Routes[0].SkipCSRF() || c.Routes[1].SkipCSRF() || (Route{}).SkipCSRF() {
		t.Errorf("got %+v", c.Routes)
	}
}

func TestNoProxy(t *testing.T) {
	if c := load(t, "", agentEnv(nil)); c.HasProxy() || c.Routes != nil {
		t.Errorf("got %+v", c.Routes)
	}
}

func TestMistakesOfRoutes(t *testing.T) {
	for _, tt := range []struct {
		variable, value string
		key, reason     string
	}{
		{"ROUTES", "api=http://127.0.0.1:9000", "routes[0].path", "not a plain"},
		{"ROUTES", "/api/../x=http://h", "routes[0].path", "not a plain"},
		{"ROUTES", "/a%2fb=http://h", "routes[0].path", "not a plain"},
		{"ROUTES", "//=http://h", "routes[0].path", "not a plain"},
		{"ROUTES", "=http://h", "routes[0].path", "not a plain"},
		{"ROUTES", "/api", "routes[0].upstream", "absolute http(s) URL"},
		{"ROUTES", "/api=orders:8080", "routes[0].upstream", "absolute http(s) URL"},
		{"ROUTES", "/api=https://me:" + canary + "@h", "routes[0].upstream", "user name"},
		{"ROUTES", "/api=https://h/?a=b", "routes[0].upstream", "query"},
		{"ROUTES", "/api=https://h/#", "routes[0].upstream", "fragment"},
		{"ROUTES", "/api=https://h/a/../b", "routes[0].upstream", "base path"},
		{"ROUTES", "/api=https://h/a%2fb", "routes[0].upstream", "base path"},
		{"ROUTES", "/api=https://h//", "routes[0].upstream", "base path"},
		{"ROUTES", "/a=http://h, /api=http://h, /api/=http://h", "routes[2].path", "twice"},
		{"ROUTES", "/=http://h, /=http://h", "routes[1].path", "twice"},
		{"ROUTES", "/api=http://h, /API=http://h", "routes[1].path", "twice"},
		{"FORWARD_AUTH_ADDR", "8081", "forward_auth.addr", "not an address"},
		{"FORWARD_AUTH_ADDR", "127.0.0.1:0", "forward_auth.addr", "not an address"},
		{"FORWARD_AUTH_ADDR", "127.0.0.1:http", "forward_auth.addr", "not an address"},
		{"FORWARD_AUTH_ADDR", "agent.example.com:8081", "forward_auth.addr", "not an address"},
		{"FORWARD_AUTH_ADDR", "127.0.0.1:8080", "forward_auth.addr", "public one"},
		{"TRUSTED_PROXIES", "gateway", "trusted_proxies", "not an address"},
		{"TRUSTED_PROXIES", "10.0.0.0/33", "trusted_proxies", "not an address"},
		{"TRUSTED_PROXIES", "0.0.0.0/0", "trusted_proxies", "world"},
		{"TRUSTED_PROXIES", "10.0.0.1, ::/1", "trusted_proxies", "world"},
		{"SOCKET_GRACE", "-1s", "timeouts.socket_grace", "out of range"},
		{"REFRESH_AHEAD", "61m", "refresh.ahead", "out of range"},
		{"REFRESH_INLINE", "true", "refresh.inline", "do not carry"},
	} {
		t.Run(tt.variable+"="+tt.value, func(t *testing.T) {
			want(t, mistakes(t, "", agentEnv(vars{tt.variable: tt.value})), tt.key, tt.reason)
		})
	}
}

func TestMistakesOfRoutesInTheFile(t *testing.T) {
	for line, key := range map[string]string{
		"methods: [get]":    "routes[0].methods",
		"methods: [TRACE]":  "routes[0].methods",
		"methods: [TRACK]":  "routes[0].methods",
		`methods: ["G\tT"]`: "routes[0].methods",
		"timeout: -1s":      "routes[0].timeout",
		"timeout: 25h":      "routes[0].timeout",
		"max_body: -1":      "routes[0].max_body",
	} {
		path := writeFile(t, "agent.yaml", fmt.Sprintf("routes:\n  - path: /api\n    upstream: http://h\n    %s\n", line))
		if ms := mistakes(t, path, agentEnv(nil)); len(ms) != 1 || ms[0].Key != key || ms[0].Env != "" {
			t.Errorf("%s: %v", line, ms)
		}
	}
	for _, line := range []string{"timeot: 1s", "timeout: soon", "csrf: maybe", "max_body: 1MB"} {
		path := writeFile(t, "agent.yaml", fmt.Sprintf("routes:\n  - path: /api\n    upstream: http://h\n    %s\n", line))
		if ms := mistakes(t, path, agentEnv(nil)); len(ms) != 1 {
			t.Errorf("%s: %v", line, ms)
		}
	}
	path := writeFile(t, "agent.yaml", "routes:\n  - {path: /api, upstream: \"https://h\", h2c: true}\n")
	if ms := mistakes(t, path, agentEnv(nil)); len(ms) != 1 || ms[0].Key != "routes[0].h2c" || !strings.Contains(ms[0].Reason, "not http://") {
		t.Errorf("%v", ms)
	}
}

// What is wrong with a route is named as it was written.
func TestMistakesOfRoutesAreInTheirSyntax(t *testing.T) {
	for yaml, environ := range map[string]string{
		"[{path: api, upstream: 'http://h'}]": "api=http://h",
		"[{path: /api}]":                      "/api",
	} {
		inFile := mistakes(t, writeFile(t, "agent.yaml", "routes: "+yaml), agentEnv(nil))
		if text := inFile.Error(); strings.Contains(text, "ROUTES") || strings.Contains(text, "path=") || !strings.Contains(text, "upstream: http") {
			t.Errorf("%s: %s", yaml, text)
		}
		inEnvironment := mistakes(t, "", agentEnv(vars{"ROUTES": environ}))
		if text := inEnvironment.Error(); !strings.Contains(text, "(ROUTES)") || !strings.Contains(text, "path=upstream") || strings.Contains(text, "upstream: http") {
			t.Errorf("%s: %s", environ, text)
		}
	}
}

func TestInlineRefreshNeedsTheCookieEverywhere(t *testing.T) {
	load(t, "", agentEnv(vars{"REFRESH_INLINE": "true", "COOKIE_BASE_PATH": "/"}))
	load(t, "", agentEnv(vars{"REFRESH_INLINE": "true", "BASE_PATH": "/"}))
}

func TestRoutesNeedTheAgent(t *testing.T) {
	want(t, mistakes(t, "", pkceEnv(vars{"ROUTES": "/api=http://127.0.0.1:1"})), "routes", "without the agent")
}
