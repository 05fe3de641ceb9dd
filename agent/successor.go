package agent

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"oauth-agent/agent/config"
	"oauth-agent/agent/internal/authserver"
	"oauth-agent/agent/internal/observe"
	"oauth-agent/agent/internal/seal"
)

// ErrUnreachable is why [Live.Reload] refuses settings with another authorization
// server, one that does not answer: a mistyped one would end all logins at once.
var ErrUnreachable = errors.New("the authorization server of the new settings cannot be reached")

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
	a.limits = from.limits
	if a.as != nil && from.as != nil {
		a.as.Inherit(from.as)
		a.login.Inherit(from.login)
	}
}

// trialKey marks a context in which a server is asked that may never be ours: how
// that goes is no matter of metrics and traces.
type trialKey struct{}

// tryOthers asks the authorization servers that the agent has and from has not.
func (a *Agent) tryOthers(ctx context.Context, from *Agent) error {
	ctx = context.WithValue(ctx, trialKey{}, true)
	if a.as != nil && (from.as == nil || !sameServer(a.cfg, from.cfg)) {
		if err := a.reach(ctx); err != nil {
			return fmt.Errorf("%w: %w", ErrUnreachable, err)
		}
		a.health.server.Store(true)
	}
	if a.pkce != nil && (from.pkce == nil || !sameUpstream(a.cfg, from.cfg)) {
		if err := a.wire.Reachable(ctx, a.cfg.PKCEProxy.TokenURL); err != nil {
			return fmt.Errorf("%w: %w", ErrUnreachable, err)
		}
		a.health.upstream.Store(true)
	}
	return nil
}

// sameServer tells whether two settings are of one authorization server.
func sameServer(a, b *config.Config) bool {
	return a.Issuer == b.Issuer && a.MetadataURL == b.MetadataURL && a.Endpoints == b.Endpoints
}

// sameUpstream tells the same of the one behind the PKCE proxy.
func sameUpstream(a, b *config.Config) bool { return a.PKCEProxy.TokenURL == b.PKCEProxy.TokenURL }

// retire ends what is the agent's alone. Tokens that are on their way and
// connections are the successor's too, and stay.
func (a *Agent) retire() {
	a.stop()
	a.running.Wait()
	a.closeSPA()
	a.closeTracer()
	observe.Flush(a.log)
}

// deferKey lets the key that seals now go on for a while, when a reload brings a
// first key that was not in the list before: not every replica reloads at the same
// moment, and one without the key would take its cookies for nobody's. A key that
// is no longer in the list has leaked, perhaps, and seals nothing more.
func (a *Agent) deferKey(ring *seal.Ring) {
	from := a.predecessor
	if from == nil || from.ring == nil {
		return
	}
	before, now := from.cfg.Cookie.EncryptionKeys, a.cfg.Cookie.EncryptionKeys
	sealing := slices.IndexFunc(now, before[from.ring.Sealing()].Equal)
	switch {
	case sealing <= 0:
	case before[0].Equal(now[0]) && from.ring.Sealing() != 0:
		a.keyDeferred = from.keyDeferred // another reload in the meantime
	case !slices.ContainsFunc(before, now[0].Equal):
		a.keyDeferred = a.clock().Add(a.cfg.Cookie.KeyGrace)
	}
	if !a.keyDeferred.IsZero() {
		ring.Defer(sealing, a.keyDeferred, a.clock)
	}
}

// tellDeferredKey tells of a key that is new, once.
func (a *Agent) tellDeferredKey(from *Agent) {
	if !a.keyDeferred.IsZero() && !a.keyDeferred.Equal(from.keyDeferred) {
		a.log.Info("the new cookie key opens, and will seal when other replicas have it too", "after", a.cfg.Cookie.KeyGrace)
	}
}
