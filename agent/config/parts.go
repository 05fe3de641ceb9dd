package config

import "reflect"

// HasAgent tells whether the OAuth Agent is configured: any of its settings is
// there, with another value than its default.
//
// A setting of an app is the agent's unless it is reset here, so that a new one
// cannot be set and silently ignored. What is reset is of the OAuth Proxy, see
// [Config.HasProxy], or of the page, or says where the program is met.
func (c *Config) HasAgent() bool {
	rest, blank := c.App, defaults().App
	rest.BasePath, rest.PublicURL, rest.InsecureHTTP = blank.BasePath, blank.PublicURL, blank.InsecureHTTP
	rest.Routes, rest.SPA = blank.Routes, blank.SPA
	return !reflect.DeepEqual(rest, blank)
}

// HasPKCEProxy tells whether the PKCE proxy is configured, likewise.
func (c *Config) HasPKCEProxy() bool { return !reflect.DeepEqual(c.PKCEProxy, defaults().PKCEProxy) }
