package authserver

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// Servers is what a process knows of authorization servers. It outlives every reload:
// clients with the same server, at the same time or one after another, share what is
// known of it.
type Servers struct {
	http  *HTTP
	clock func() time.Time
	log   *slog.Logger

	mu    sync.Mutex
	known map[identity]*server
}

// server is what is known of one authorization server.
type server struct {
	identity  identity
	discovery *discovery
	keys      *keySource
	reached   atomic.Bool
}

// identity is all that what is known of a server depends on.
type identity struct {
	issuer, metadataURL  string
	endpoints            [6]string
	insecureHTTP, openID bool
}

// NewServers makes one that knows of no server.
func NewServers(http *HTTP, clock func() time.Time, log *slog.Logger) *Servers {
	return &Servers{http: http, clock: clock, log: log, known: map[identity]*server{}}
}

// get returns what is known of the server in cfg. Nothing of the client is kept in it.
func (s *Servers) get(cfg Config) *server {
	var scope []string
	if cfg.wantsOpenID() {
		scope = []string{"openid"}
	}
	cfg = Config{
		Issuer: cfg.Issuer, MetadataURL: cfg.MetadataURL, InsecureHTTP: cfg.InsecureHTTP, Scope: scope,
		Authorize: cfg.Authorize, Token: cfg.Token, Userinfo: cfg.Userinfo,
		EndSession: cfg.EndSession, JWKS: cfg.JWKS, Revocation: cfg.Revocation,
	}
	id := identity{
		issuer: cfg.Issuer, metadataURL: cfg.MetadataURL, insecureHTTP: cfg.InsecureHTTP, openID: cfg.wantsOpenID(),
		endpoints: [6]string{cfg.Authorize, cfg.Token, cfg.Userinfo, cfg.EndSession, cfg.JWKS, cfg.Revocation},
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.known[id] == nil {
		s.known[id] = &server{
			identity:  id,
			discovery: newDiscovery(cfg, s.http, s.clock, s.log),
			keys:      newKeySource(s.clock),
		}
	}
	return s.known[id]
}

// Retain forgets the servers of which these clients are no clients.
func (s *Servers) Retain(clients ...*Client) {
	s.mu.Lock()
	defer s.mu.Unlock()
	kept := make(map[identity]*server, len(clients))
	for _, c := range clients {
		kept[c.server.identity] = c.server
	}
	s.known = kept
}

// SameServer reports whether two clients are of one server.
func (c *Client) SameServer(other *Client) bool { return c.server == other.server }

// Reached reports whether the server was found by [Client.Reach], by this client or by
// another of the same server.
func (c *Client) Reached() bool { return c.server.reached.Load() }

// Reach asks whether the server is there: its metadata proves it, and where all is
// known by the settings it is asked.
func (c *Client) Reach(ctx context.Context) error {
	if err := c.Ready(ctx); err != nil {
		return err
	}
	if found, _ := c.Discovered(); !found {
		if err := c.Probe(ctx).Err(); err != nil {
			return err
		}
	}
	c.server.reached.Store(true)
	return nil
}

// trialKey marks a context in which a server is asked that may never be ours.
type trialKey struct{}

// TrialContext returns a context in which servers are only tried: nothing of how that goes
// is logged, and a [Watch] should take no notice of it, see [IsTrial].
func TrialContext(ctx context.Context) context.Context {
	return context.WithValue(ctx, trialKey{}, true)
}

// IsTrial reports whether ctx is of a [TrialContext].
func IsTrial(ctx context.Context) bool { return ctx.Value(trialKey{}) != nil }
