package config

import "reflect"

// HasAgent tells whether the OAuth Agent is configured: any of its settings is
// there, with another value than its default.
//
// A setting is the agent's unless it is reset here, so that a new one cannot be
// set and silently ignored. What is reset is of the process (and has names such
// as PORT, which may be in the environment for another reason), of the OAuth
// Proxy, see [Config.HasProxy], of the page, or of the PKCE proxy.
func (c *Config) HasAgent() bool {
	rest, blank := *c, defaults()
	rest.Port, rest.BindAddress, rest.TLS = blank.Port, blank.BindAddress, blank.TLS
	rest.BasePath, rest.PublicURL = blank.BasePath, blank.PublicURL
	rest.InsecureHTTP, rest.Timeouts, rest.Log = blank.InsecureHTTP, blank.Timeouts, blank.Log
	rest.AdminAddr, rest.Tracing, rest.Limits = blank.AdminAddr, blank.Tracing, blank.Limits
	rest.ShutdownDelay, rest.ReloadEvery = blank.ShutdownDelay, blank.ReloadEvery
	rest.Routes, rest.ForwardAuth, rest.TrustedProxies = blank.Routes, blank.ForwardAuth, blank.TrustedProxies
	rest.SPA = blank.SPA
	rest.PKCEProxy = blank.PKCEProxy
	return !reflect.DeepEqual(rest, *blank)
}

// HasPKCEProxy tells whether the PKCE proxy is configured, likewise.
func (c *Config) HasPKCEProxy() bool { return !reflect.DeepEqual(c.PKCEProxy, defaults().PKCEProxy) }
