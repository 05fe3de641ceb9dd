package agent

import (
	"context"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"oauth-agent/agent/config"
	"oauth-agent/agent/internal/apiproxy"
	"oauth-agent/agent/internal/authserver"
	"oauth-agent/agent/internal/cookie"
	"oauth-agent/agent/internal/httperr"
	"oauth-agent/agent/internal/middleware"
	"oauth-agent/agent/internal/seal"
	"oauth-agent/agent/internal/session"
	"oauth-agent/agent/internal/spa"
	"oauth-agent/agent/internal/tokens"
	"oauth-agent/agent/internal/upstream"
	"oauth-agent/web/client"
)

// defaultApp is the name of the one app of settings without apps.
const defaultApp = "default"

// App is one issuer, client, page, set of cookies and of routes. It is made by one
// function and never changes; a reload makes another one.
type App struct {
	cfg       *config.Config
	server    *Server
	render    *httperr.Renderer
	ring      *seal.Ring          // nil without the OAuth Agent
	keys      error               // why a key is of no use; nil when all are
	as        *authserver.Client  // nil without the OAuth Agent
	tokens    *tokens.Source      // nil likewise
	jar       *cookie.Jar         // nil likewise
	origins   *middleware.Origins // nil likewise
	endpoints *endpoints          // nil likewise
	library   library
	proxy     *apiproxy.Proxy // nil without the OAuth Proxy
	spa       *spa.Handler    // nil without a page
	spaRoot   *os.Root        // nil without its directory
}

// library is the page's, with the hash by which a page can pin it.
type library struct {
	handler   http.Handler
	integrity string
}

// newApp is the only place where rooms meet.
func (g *generation) newApp(cfg *config.Config) (*App, error) {
	page, root, err := openPage(cfg, g.server.opt.SPA)
	if err != nil {
		return nil, err
	}
	if !cfg.HasAgent() {
		return &App{cfg: cfg, server: g.server, render: g.render, spa: page, spaRoot: root}, nil
	}
	a, err := g.newAgentApp(cfg)
	if err != nil {
		closeRoot(root)
		return nil, err
	}
	a.spa, a.spaRoot = page, root
	return a, nil
}

// newAgentApp makes an app with an OAuth Agent, and with an OAuth Proxy where there
// are routes.
func (g *generation) newAgentApp(cfg *config.Config) (*App, error) {
	s := g.server
	ring, err := seal.NewRing(cfg.Cookie.EncryptionKeys)
	if err != nil {
		return nil, err
	}
	ring = ring.WithGrace(seal.Grace{Ages: s.keyAges, Period: cfg.Cookie.KeyGrace, Clock: s.clock})
	handler, integrity, err := client.Handler()
	if err != nil {
		return nil, err
	}
	events := newEvents(cfg, s)
	as := authserver.New(serverConfig(cfg), authserver.Options{
		HTTP: s.http, Servers: s.servers, Clock: s.clock, Log: s.log,
	})
	source := tokens.New(tokens.Options{
		Server: as, Shared: s.tokens, App: defaultApp, Life: cfg.Refresh.Memory,
		Clock: s.clock, Log: s.log, Observer: tokenObserver{events, s.metrics},
	})
	jar := cookie.NewJar(cookiePolicy(cfg), ring, cfg.Session.Lifetime).WithObserver(cookieObserver{s.metrics})
	origins := middleware.NewOrigins(cfg.TrustedWebOrigins, cfg.CORSEnabled)
	if cfg.HasPlainHTTPPage() {
		origins.CSRFHeader = csrfHeader(cfg)
	}
	sessions := session.NewStore(jar, cfg.Session.Lifetime, s.clock)
	a := &App{
		cfg: cfg, server: s, render: g.render,
		ring: ring, keys: tryKeys(ring),
		as: as, tokens: source, jar: jar, origins: origins,
		library: library{handler, integrity},
		endpoints: s.newEndpoints(cfg, agentParts{
			server: as, tokens: source, jar: jar, sessions: sessions, origins: origins, events: events,
		}),
	}
	if cfg.HasProxy() {
		a.proxy, err = g.newProxy(cfg, jar, origins, sessions, source)
	}
	return a, err
}

// newProxy makes the OAuth Proxy, in one shape or both.
func (g *generation) newProxy(cfg *config.Config, jar *cookie.Jar, origins *middleware.Origins, sessions *session.Store, source *tokens.Source) (*apiproxy.Proxy, error) {
	s := g.server
	var routes []apiproxy.Route
	for _, r := range cfg.Routes {
		u, err := url.Parse(r.Upstream)
		if err != nil {
			return nil, err
		}
		routes = append(routes, apiproxy.Route{
			Path: r.Path, Upstream: u, StripPrefix: r.StripPrefix, Methods: r.Methods,
			Timeout: r.Timeout, MaxBody: r.MaxBody, AllowBearer: r.AllowBearer, Public: r.Public,
			SkipCSRF: r.SkipCSRF(), H2C: r.H2C,
		})
	}
	forwarder, err := upstream.New(upstream.Options{
		Render: g.render, OwnsCookie: jar.Policy().Owns, PrivateHeader: csrfHeader(cfg),
		TrustedProxies: cfg.TrustedProxyPrefixes(), Transports: s.transports, SocketGrace: cfg.Timeouts.SocketGrace,
		Observer: proxyObserver{g}, Clock: s.clock, Log: s.log,
	})
	if err != nil {
		return nil, err
	}
	opt := apiproxy.Options{
		Store: sessions, Origins: origins, Render: g.render, Forwarder: forwarder,
		CSRFHeader: csrfHeader(cfg), BasePath: basePath(cfg),
		Observer: proxyObserver{g}, Clock: s.clock, Log: s.log,
	}
	if cfg.Refresh.Inline {
		opt.Refresher, opt.RefreshAhead = refresher{source}, cfg.Refresh.Ahead
	}
	return apiproxy.New(routes, opt)
}

// refresher refreshes for rooms that know sessions and not the authorization server.
type refresher struct{ tokens *tokens.Source }

func (r refresher) Refresh(ctx context.Context, old session.Tokens) (session.Tokens, error) {
	t, err := r.tokens.Refresh(ctx, tokens.Grant{Refresh: old.Refresh, Access: old.Access, ID: old.ID})
	return session.Tokens{Access: t.Access, Refresh: t.Refresh, ID: t.ID, Issued: t.Issued, Expiry: t.Expiry}, err
}

// openPage takes the page from files, or else opens its directory, if there is one.
// Links do not lead out of that directory.
func openPage(cfg *config.Config, files fs.FS) (page *spa.Handler, root *os.Root, err error) {
	if files == nil {
		if cfg.SPA.Dir == "" {
			return nil, nil, nil
		}
		if root, err = os.OpenRoot(cfg.SPA.Dir); err != nil {
			return nil, nil, err
		}
		files = root.FS()
	}
	if page, err = spa.New(files, spa.Options{CSP: cfg.SPA.CSP}); err != nil {
		closeRoot(root)
		return nil, nil, err
	}
	return page, root, nil
}

func closeRoot(root *os.Root) {
	if root != nil {
		_ = root.Close()
	}
}

// close ends what is the app's alone.
func (a *App) close() { closeRoot(a.spaRoot) }

// observeKeys notes since when the process has the app's cookie keys: the zero time
// for those that it starts with.
func (a *App) observeKeys(now time.Time) {
	if a.ring == nil {
		return
	}
	isNew := a.server.keyAges.Observe(a.ring, now)
	if isNew && a.ring.Sealing() != 0 {
		a.server.log.Info("the new cookie key opens, and will seal when other replicas have it too", "after", a.cfg.Cookie.KeyGrace)
	}
	a.server.metrics.KeyCreated(a.keyCreated())
}

// keyCreated is since when the first cookie key is used, as well as that can be known.
func (a *App) keyCreated() time.Time {
	created := a.cfg.KeyCreatedDay()
	if file := a.cfg.Cookie.EncryptionKeysFile; created.IsZero() && file != "" {
		if info, err := os.Stat(file); err == nil {
			created = info.ModTime()
		}
	}
	if created.IsZero() {
		created = a.server.metrics.Started()
	}
	return created
}

// tryKeys returns why what is sealed does not open again, if it does not.
func tryKeys(ring *seal.Ring) error {
	box := ring.For("health", 0)
	sealed, err := box.Seal([]byte("ok"))
	if err == nil {
		_, err = box.Open(sealed)
	}
	return err
}

// base is the base path without a slash at its end.
func (a *App) base() string { return basePath(a.cfg) }

func basePath(cfg *config.Config) string { return strings.TrimSuffix(cfg.BasePath, "/") }
func serverConfig(cfg *config.Config) authserver.Config {
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
