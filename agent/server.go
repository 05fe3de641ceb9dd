package agent

import (
	"context"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"oauth-agent/agent/config"
	"oauth-agent/agent/internal/authserver"
	"oauth-agent/agent/internal/observe"
	"oauth-agent/agent/internal/seal"
	"oauth-agent/agent/internal/store"
	"oauth-agent/agent/internal/tokens"
	"oauth-agent/agent/internal/upstream"
)

// Options are what a process brings along beside its settings. The zero value
// is for production.
type Options struct {
	Log       *slog.Logger      // nil: nowhere
	Clock     func() time.Time  // nil: time.Now
	Transport http.RoundTripper // to the authorization server; nil: the standard one
	SPA       fs.FS             // the built page, in place of the directory in the settings
	Metrics   *Metrics          // of the process; nil: its own
	// Requests is how many are served at a time at the public port, GatewayRequests at
	// that of gateways, and Upstreams how many connections to APIs there are; 0: without
	// a bound.
	Requests, GatewayRequests, Upstreams int
}

func (o Options) withDefaults() Options {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Metrics == nil {
		o.Metrics = NewMetrics()
	}
	return o
}

// Server is the process without its listeners: what outlives a reload, and the
// generation that serves now.
type Server struct {
	opt     Options
	log     *slog.Logger // writes where the settings of the moment say
	output  *observe.Output
	clock   func() time.Time
	metrics *Metrics

	http       *authserver.HTTP // to authorization servers
	servers    *authserver.Servers
	tokens     *tokens.Shared // refreshes and logins under way
	transports *upstream.TransportPool
	store      *store.Memory
	limits     limits
	keyAges    *seal.KeyAges
	reached    sync.Map // the token endpoints of the PKCE proxy that were reached once
	draining   atomic.Bool

	current atomic.Pointer[generation]

	mu       sync.Mutex // of one reload at a time
	stopping atomic.Bool
	trials   context.Context // of what a reload asks of servers that are new
	giveUp   context.CancelFunc

	leaving sync.Mutex
	left    map[*generation]struct{} // those before the current one that have requests yet
}

// New makes the process from valid settings, see [config.Load]. It does not wait for
// the authorization servers: it looks for them in the background until Close or the
// end of ctx. Whatever it holds outlives every reload.
func New(ctx context.Context, cfg *config.Config, opt Options) (*Server, error) {
	opt = opt.withDefaults()
	output := observe.NewOutput(opt.Log)
	log := observe.OfRequests(slog.New(output))
	memory := store.NewMemory(opt.Clock)
	s := &Server{
		opt: opt, log: log, output: output, clock: opt.Clock, metrics: opt.Metrics,
		tokens:     tokens.NewShared(memory, opt.Clock),
		transports: upstream.NewTransportPool(opt.Upstreams, nil),
		store:      memory,
		limits:     newLimits(cfg, opt),
		keyAges:    seal.NewKeyAges(),
		left:       map[*generation]struct{}{},
	}
	s.http = authserver.NewHTTP(opt.Transport, cfg.Timeouts.AuthorizationServer).Watched(s.watchServer)
	s.servers = authserver.NewServers(s.http, opt.Clock, log)
	s.trials, s.giveUp = context.WithCancel(context.WithoutCancel(ctx))
	g, err := s.newGeneration(ctx, cfg)
	if err != nil {
		s.giveUp()
		return nil, err
	}
	s.begin(g, time.Time{})
	return s, nil
}

// Handler serves the public port.
func (s *Server) Handler() http.Handler {
	return s.serve(func(g *generation) http.Handler { return g.public })
}

// ForwardAuth serves the listener for gateways; nil where there is none.
func (s *Server) ForwardAuth() http.Handler {
	if s.current.Load().gateways == nil {
		return nil
	}
	return s.serve(func(g *generation) http.Handler { return g.gateways })
}

// Peer returns the address that the connections of a peer count for; none for trusted
// proxies, which bring many clients, and for what has no address.
func (s *Server) Peer(addr net.Addr) netip.Addr { return s.current.Load().door.Peer(addr) }

// Admin serves the operator's listener.
func (s *Server) Admin() http.Handler {
	return s.serve(func(g *generation) http.Handler { return g.admin })
}

// serve serves a request to its end by the generation that it began with.
func (s *Server) serve(pick func(*generation) http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		g := s.current.Load()
		for !g.enter() { // it ended just now
			g = s.current.Load()
		}
		defer s.leave(g)
		pick(g).ServeHTTP(w, r)
	})
}

// Stop tells balancers, by /readyz, that the process is about to end. The settings
// stay as they are from now on. It does not wait for a reload that is under way.
func (s *Server) Stop() {
	s.stopping.Store(true)
	s.giveUp()
	s.draining.Store(true)
}
