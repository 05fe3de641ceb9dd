package agent

import (
	"context"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"sync"
	"time"

	"oauth-agent/agent/config"
	"oauth-agent/agent/internal/apiproxy"
	"oauth-agent/agent/internal/authserver"
	"oauth-agent/agent/internal/cookie"
	"oauth-agent/agent/internal/httperr"
	"oauth-agent/agent/internal/login"
	"oauth-agent/agent/internal/middleware"
	"oauth-agent/agent/internal/observe"
	"oauth-agent/agent/internal/pkceproxy"
	"oauth-agent/agent/internal/seal"
	"oauth-agent/agent/internal/session"
	"oauth-agent/agent/internal/spa"
	"oauth-agent/agent/internal/store"
	"oauth-agent/agent/internal/trace"
	"oauth-agent/web/client"
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

	predecessor *Agent // whose place it takes, see Live
}

// Agent is the program without its listener.
type Agent struct {
	cfg    *config.Config
	log    *slog.Logger
	clock  func() time.Time
	render *httperr.Renderer

	metrics  *Metrics
	requests *observe.Requests
	events   *observe.Events
	tracer   *trace.Tracer
	health   health

	wire    *authserver.HTTP
	as      *authserver.Client // nil without the OAuth Agent
	jar     *cookie.Jar
	origins *middleware.Origins
	door    *middleware.Clients
	limits  limits
	login   *login.Agent
	proxy   *apiproxy.Proxy  // nil without the OAuth Proxy
	pkce    *pkceproxy.Proxy // nil without the PKCE proxy
	spa     *spa.Handler     // nil without a page
	spaRoot *os.Root         // nil without its directory

	client          http.Handler // the page's library
	clientIntegrity string       // its hash, for the page

	transports *apiproxy.TransportPool // to upstreams; the process's
	store      *store.Memory           // the process's

	ring        *seal.Ring // nil without the OAuth Agent
	keyDeferred time.Time  // until when the first key only opens
	predecessor *Agent     // while it is built

	handler http.Handler
	life    context.Context // of what runs in the background
	stop    context.CancelFunc
	running sync.WaitGroup
}

// New builds the program from valid settings, see [config.Load]. It does not
// wait for the authorization server: it looks for it in the background until
// Close or the end of ctx.
func New(ctx context.Context, cfg *config.Config, opt Options) (*Agent, error) {
	a, err := prepare(ctx, cfg, opt)
	if err != nil {
		return nil, err
	}
	a.begin(nil)
	return a, nil
}

// prepare builds an agent that may be refused yet: it changes nothing that others
// use, and says nothing.
func prepare(ctx context.Context, cfg *config.Config, opt Options) (*Agent, error) {
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	if opt.Clock == nil {
		opt.Clock = time.Now
	}
	if opt.Metrics == nil {
		opt.Metrics = NewMetrics()
	}
	life, stop := context.WithCancel(ctx)
	a := &Agent{
		cfg: cfg, log: observe.OfRequests(opt.Log), clock: opt.Clock, metrics: opt.Metrics,
		life: life, stop: stop, predecessor: opt.predecessor,
	}
	if from := opt.predecessor; from != nil {
		a.transports, a.store = from.transports, from.store
	} else {
		a.transports, a.store = apiproxy.NewTransportPool(opt.Upstreams, nil), store.NewMemory(opt.Clock)
	}
	a.render = &httperr.Renderer{Log: a.log, Note: a.metrics.Note}
	a.buildWatch()
	a.door = middleware.NewClients(cfg.TrustedProxyPrefixes(), a.log)
	a.limits = newLimits(cfg, opt)
	a.wire = a.newWire(opt.Transport)
	a.wire.Watch = a.watchServer
	if err := a.build(opt); err != nil {
		a.retire()
		return nil, err
	}
	a.inherit()
	a.handler = a.routes()
	return a, nil
}

// begin makes it the agent that serves, in the place of from, if any.
func (a *Agent) begin(from *Agent) {
	if from != nil {
		a.limits.change(a.cfg)
		a.tellDeferredKey(from)
	}
	a.tellKeyAge()
	if a.as != nil {
		a.as.Speak(a.life)
	}
	a.awaitServers(a.life)
}

// build makes the rooms that the settings ask for.
func (a *Agent) build(opt Options) error {
	if a.cfg.HasAgent() {
		if err := a.buildLogin(opt); err != nil {
			return err
		}
	}
	if a.cfg.HasPKCEProxy() {
		if err := a.buildPKCEProxy(); err != nil {
			return err
		}
	}
	return a.buildSPA(opt.SPA)
}

// Handler serves the public port.
func (a *Agent) Handler() http.Handler { return a.handler }

// Close ends what runs in the background, and waits for it. Tokens that are on
// their way are waited for as well, for as long as a shutdown may take; the error
// is that it took longer. Close after the last request has been served.
func (a *Agent) Close() error { return a.close(func() {}) }

// close is Close with a last wait, for what still has something to tell.
func (a *Agent) close(settle func()) (err error) {
	a.stop()
	if a.as != nil {
		ctx, cancel := context.WithTimeout(context.Background(), a.cfg.Timeouts.Shutdown)
		defer cancel()
		err = a.as.Wait(ctx)
	}
	a.transports.CloseIdle()
	settle()
	a.retire() // with the spans of what was waited for
	observe.Finish(a.log)
	a.wire.CloseIdle()
	return err
}

// buildLogin makes the OAuth Agent out of its rooms.
func (a *Agent) buildLogin(opt Options) error {
	cfg := a.cfg
	ring, err := seal.NewRing(cfg.Cookie.EncryptionKeys)
	if err != nil {
		return err
	}
	a.as = authserver.New(serverConfig(cfg), authserver.Options{
		HTTP: a.wire, Clock: a.clock, Log: a.log, Quiet: true,
		Refreshed: a.refreshed, Shared: a.metrics.RefreshShared,
	})
	if a.client, a.clientIntegrity, err = client.Handler(); err != nil {
		return err
	}
	a.deferKey(ring)
	a.ring = ring
	a.health.keys = tryKeys(ring)
	a.jar = cookie.NewJar(cookiePolicy(cfg), ring, cfg.Session.Lifetime)
	a.jar.Unopened = func(k cookie.Kind, reason string) { a.metrics.UnsealFailed(string(k), reason) }
	a.jar.Told = func(k cookie.Kind, bytes int) { a.metrics.CookieSet(string(k), bytes) }
	a.origins = middleware.NewOrigins(cfg.TrustedWebOrigins, cfg.CORSEnabled)
	if cfg.HasPlainHTTPPage() {
		a.origins.CSRFHeader = csrfHeader(cfg)
	}
	sessions := session.NewStore(a.jar, cfg.Session.Lifetime, a.clock)
	a.login = login.New(login.Config{
		ClientID:              cfg.ClientID,
		RedirectURI:           cfg.RedirectURI,
		PostLogoutRedirectURI: cfg.PostLogoutRedirectURI,
		Home:                  cfg.TrustedWebOrigins[0] + "/",
		PublicURL:             cfg.PublicURL,
		Proxies:               cfg.TrustedProxyPrefixes(),
		BasePath:              a.base(),
		CSRFHeader:            csrfHeader(cfg),
		DirectLogout:          cfg.Logout.URL == "direct",
		SessionClaims:         cfg.Session.Claims,
		ReadNeedsToken:        a.origins.NeedsToken,
	}, a.as, a.jar, sessions, a.clock, a.log, a.events)
	if cfg.HasProxy() {
		return a.buildProxy(sessions)
	}
	return nil
}

// buildPKCEProxy makes the PKCE proxy, which shares nothing with the agent but
// the wire.
func (a *Agent) buildPKCEProxy() (err error) {
	p := a.cfg.PKCEProxy
	signing, err := config.RawKey(p.SigningKey)
	if err != nil {
		return err
	}
	encryption, err := config.RawKey(p.EncryptionKey)
	if err != nil {
		return err
	}
	a.pkce, err = pkceproxy.New(pkceproxy.Config{
		ClientID: p.ClientID, ClientSecret: p.ClientSecret, AuthMethod: authserver.AuthMethod(p.AuthMethod),
		AuthURL: p.AuthURL, TokenURL: p.TokenURL, RevocationURL: p.RevocationURL, RedirectURL: p.RedirectURL,
		SigningKey: signing, EncryptionKey: encryption,
		AllowedRedirectURIs: p.AllowedRedirectURIs, AllowedClientIDs: p.AllowedClientIDs,
		AllowPlain: p.AllowPlain,
	}, pkceproxy.Options{
		HTTP: a.wire, Clock: a.clock, Log: a.log, Store: a.store, Refused: a.render.Tell, Unsealed: a.metrics.UnsealFailed,
	})
	return err
}

func serverConfig(cfg *config.Config) authserver.Config {
	memory := cfg.Refresh.Memory
	if memory == 0 {
		memory = -1 // switched off, where the room's zero means its default
	}
	return authserver.Config{
		Issuer: cfg.Issuer, Tenants: cfg.Tenants, MetadataURL: cfg.MetadataURL,
		Authorize: cfg.Endpoints.Authorize, Token: cfg.Endpoints.Token, Userinfo: cfg.Endpoints.Userinfo,
		EndSession: cfg.Endpoints.Logout, JWKS: cfg.Endpoints.JWKS, Revocation: cfg.Endpoints.Revocation,
		InsecureHTTP:       cfg.InsecureHTTP,
		Client:             authserver.Credentials{ID: cfg.ClientID, Secret: cfg.ClientSecret},
		AuthMethod:         authserver.AuthMethod(cfg.ClientAuthMethod),
		RedirectURI:        cfg.RedirectURI,
		Scope:              cfg.Scopes(),
		AllowScopeWidening: cfg.AllowScopeWidening,
		TrustedAudiences:   cfg.TrustedAudiences,
		RefreshMemory:      memory,
		RefreshMemoryBytes: cfg.Refresh.MemoryBytes,
	}
}

func cookiePolicy(cfg *config.Config) cookie.Policy {
	base := cfg.Cookie.BasePath
	if base == "" {
		base = cfg.BasePath
	}
	return cookie.Policy{
		NamePrefix: cfg.Cookie.NamePrefix,
		Domain:     cfg.Cookie.Domain,
		BasePath:   base,
		Secure:     cfg.SecureCookies(),
		Prefixes:   cfg.Cookie.Prefixes,
	}
}

// csrfHeader is the header that brings the CSRF token.
func csrfHeader(cfg *config.Config) string {
	return http.CanonicalHeaderKey("x-" + cfg.Cookie.NamePrefix + "-csrf")
}
