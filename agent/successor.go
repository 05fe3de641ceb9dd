package agent

import (
	"net/http"

	"oauth-agent/agent/internal/authserver"
)

// This file is what an agent does for the one that takes its place: what must
// not be lost with the settings, such as a refresh in the air, goes over in
// [Agent.inherit]; what is the agent's alone ends in [Agent.retire].

// newWire makes the wire to authorization servers, over the connections that are
// there.
func (a *Agent) newWire(transport http.RoundTripper) *authserver.HTTP {
	if a.predecessor != nil {
		return a.predecessor.wire.WithTimeout(a.cfg.Timeouts.AuthorizationServer)
	}
	return authserver.NewHTTP(transport, a.cfg.Timeouts.AuthorizationServer)
}

// inherit takes over what the predecessor's rooms remember, and forgets it, or
// the whole line would stay in memory. The proxy has its connections already.
func (a *Agent) inherit() {
	from := a.predecessor
	if a.predecessor = nil; from == nil {
		return
	}
	a.inheritHealth(from)
	a.limits = from.limits.by(a.cfg)
	if a.as != nil && from.as != nil {
		a.as.Inherit(from.as)
		a.login.Inherit(from.login)
	}
	if a.pkce != nil && from.pkce != nil {
		a.pkce.Inherit(from.pkce)
	}
}

// retire ends what is the agent's alone. Tokens that are on their way and
// connections are the successor's too, and stay.
func (a *Agent) retire() {
	a.stop()
	a.running.Wait()
	a.closeSPA()
	a.closeTracer()
}
