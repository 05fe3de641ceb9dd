package agent

import (
	"context"
	"sync/atomic"
	"time"
)

// retryEvery is how often an authorization server that is down is looked for.
const retryEvery = 5 * time.Second

// awaitServers looks for the authorization servers until each was reached once.
// Requests do not depend on it: each looks for itself.
func (a *Agent) awaitServers(ctx context.Context) {
	if a.as != nil {
		a.await(ctx, &a.health.server, a.reach, "authorization server", serverName(a.cfg))
	}
	if a.pkce != nil {
		token := a.cfg.PKCEProxy.TokenURL
		ask := func(ctx context.Context) error { return a.wire.Reachable(ctx, token) }
		a.await(ctx, &a.health.upstream, ask, "authorization server of the PKCE proxy", token)
	}
}

// await tells in the log whether a server is there, and when it comes.
func (a *Agent) await(ctx context.Context, once *atomic.Bool, ask func(context.Context) error, what, name string) {
	if once.Load() {
		return // the predecessor has reached it
	}
	a.running.Go(func() {
		told := false
		for {
			err := ask(ctx)
			if err == nil {
				once.Store(true)
				a.log.Info(what+" found", "server", name)
				return
			}
			if !told && ctx.Err() == nil {
				a.log.Warn(what+" not available yet: logins fail until it is", "error", err)
				told = true
			}
			select {
			case <-ctx.Done():
				return
			case <-time.After(retryEvery):
			}
		}
	})
}

// reach tells whether the authorization server is there: its metadata proves it,
// and where all is known by the settings it is asked.
func (a *Agent) reach(ctx context.Context) error {
	if err := a.as.Ready(ctx); err != nil {
		return err
	}
	if found, _ := a.as.Discovered(); found {
		return nil
	}
	return a.as.Probe(ctx).Err()
}
