package agent

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"

	"oauth-agent/agent/config"
	"oauth-agent/agent/internal/authserver"
	"oauth-agent/agent/internal/httperr"
	"oauth-agent/agent/internal/middleware"
	"oauth-agent/agent/internal/observe"
	"oauth-agent/agent/internal/pkceproxy"
	"oauth-agent/agent/internal/trace"
)

// generation is what serves by one reading of the settings. It is over when another
// has come and its last request has ended.
type generation struct {
	server   *Server
	cfg      *config.Config
	render   *httperr.Renderer
	tracer   *trace.Tracer
	requests *observe.Requests
	door     *middleware.Clients
	app      *App
	pkce     *pkceproxy.Proxy // nil without the PKCE proxy

	public, gateways, admin http.Handler

	life    context.Context // of what runs in the background
	stop    context.CancelFunc
	running sync.WaitGroup

	holders atomic.Int64  // requests, and one while it is current
	over    chan struct{} // closed when it is
}

// newGeneration compiles settings. It changes nothing that others use and logs
// nothing: it may be refused yet.
func (s *Server) newGeneration(ctx context.Context, cfg *config.Config) (*generation, error) {
	life, stop := context.WithCancel(ctx)
	tracer := newTracer(cfg, s.log)
	g := &generation{
		server:   s,
		cfg:      cfg,
		render:   &httperr.Renderer{Log: s.log, Note: s.metrics.Note},
		tracer:   tracer,
		requests: newRequests(cfg, s, tracer),
		door:     middleware.NewClients(cfg.TrustedProxyPrefixes(), s.log),
		life:     life, stop: stop,
		over: make(chan struct{}),
	}
	g.holders.Store(1)
	if err := g.compile(); err != nil {
		g.close()
		return nil, err
	}
	return g, nil
}

// compile makes the rooms that the settings ask for, and the handlers over them.
func (g *generation) compile() (err error) {
	if g.app, err = g.newApp(g.cfg); err != nil {
		return err
	}
	if g.cfg.HasPKCEProxy() {
		if g.pkce, err = g.newPKCEProxy(); err != nil {
			return err
		}
	}
	g.public, g.gateways, g.admin = g.publicHandler(), g.gatewayHandler(), g.adminHandler()
	return nil
}

// newPKCEProxy makes the PKCE proxy, which shares nothing with an app but the wire and
// the store.
func (g *generation) newPKCEProxy() (*pkceproxy.Proxy, error) {
	p := g.cfg.PKCEProxy
	signing, err := config.RawKey(p.SigningKey)
	if err != nil {
		return nil, err
	}
	encryption, err := config.RawKey(p.EncryptionKey)
	if err != nil {
		return nil, err
	}
	return pkceproxy.New(pkceproxy.Config{
		ClientID: p.ClientID, ClientSecret: p.ClientSecret, AuthMethod: authserver.AuthMethod(p.AuthMethod),
		AuthURL: p.AuthURL, TokenURL: p.TokenURL, RevocationURL: p.RevocationURL, RedirectURL: p.RedirectURL,
		SigningKey: signing, EncryptionKey: encryption,
		AllowedRedirectURIs: p.AllowedRedirectURIs, AllowedClientIDs: p.AllowedClientIDs,
		AllowPlain: p.AllowPlain,
	}, pkceproxy.Options{
		HTTP: g.server.http, Clock: g.server.clock, Log: g.server.log, Store: g.server.store,
		Refused: g.render.Tell, Unsealed: g.server.metrics.UnsealFailed,
	})
}

// enter counts a request. It reports false when the generation is over.
func (g *generation) enter() bool {
	for {
		n := g.holders.Load()
		if n == 0 {
			return false
		}
		if g.holders.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

// close ends what is this generation's alone. Connections and tokens that are under
// way are the process's, and stay.
func (g *generation) close() {
	g.stop()
	g.running.Wait()
	if g.app != nil {
		g.app.close()
	}
	closeTracer(g.tracer)
	observe.Flush(g.server.log)
}

// clients are those of authorization servers.
func (g *generation) clients() []*authserver.Client {
	if g.app.as == nil {
		return nil
	}
	return []*authserver.Client{g.app.as}
}

// reachNewServers asks the authorization servers that were not reached before, and
// that the current settings do not have.
func (g *generation) reachNewServers(ctx context.Context) error {
	var errs []error
	before := g.server.current.Load()
	if as := g.app.as; as != nil && (before.app.as == nil || !as.SameServer(before.app.as)) {
		errs = append(errs, as.Reach(ctx))
	}
	if g.pkce != nil && (before.pkce == nil || before.cfg.PKCEProxy.TokenURL != g.cfg.PKCEProxy.TokenURL) {
		errs = append(errs, g.reachPKCEServer(ctx))
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	return nil
}

// reachPKCEServer asks the server behind the PKCE proxy.
func (g *generation) reachPKCEServer(ctx context.Context) error {
	token := g.cfg.PKCEProxy.TokenURL
	if err := g.server.http.Reachable(ctx, token); err != nil {
		return err
	}
	g.server.reached.Store(token, true)
	return nil
}

func (g *generation) pkceServerReached() bool {
	_, reached := g.server.reached.Load(g.cfg.PKCEProxy.TokenURL)
	return reached
}
