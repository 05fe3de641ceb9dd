package agent

import (
	"context"
	"time"
)

// retryEvery is how often an authorization server that is down is looked for.
const retryEvery = 5 * time.Second

// awaitServers looks for the authorization servers until each was reached once.
// Requests do not depend on it: each looks for itself.
func (g *generation) awaitServers() {
	if as := g.app.as; as != nil {
		as.LogState(g.life)
		g.await(as.Reached, as.Reach, "authorization server", serverName(g.cfg))
	}
	if g.pkce != nil {
		g.await(g.pkceServerReached, g.reachPKCEServer, "authorization server of the PKCE proxy", g.cfg.PKCEProxy.TokenURL)
	}
}

// await logs whether a server is there, and when it comes.
func (g *generation) await(reached func() bool, reach func(context.Context) error, what, name string) {
	if reached() {
		return
	}
	g.running.Go(func() {
		logged := false
		for {
			err := reach(g.life)
			if err == nil {
				g.server.log.Info(what+" found", "server", name)
				return
			}
			if !logged && g.life.Err() == nil {
				g.server.log.Warn(what+" not available yet: logins fail until it is", "error", err)
				logged = true
			}
			select {
			case <-g.life.Done():
				return
			case <-time.After(retryEvery):
			}
		}
	})
}
