package agent

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"oauth-agent/agent/internal/apiproxy"
	"oauth-agent/agent/internal/authserver"
	"oauth-agent/agent/internal/middleware"
	"oauth-agent/agent/internal/observe"
	"oauth-agent/agent/internal/session"
)

// buildProxy makes the OAuth Proxy, in one shape or both.
func (a *Agent) buildProxy(sessions *session.Store) (err error) {
	cfg := a.cfg
	var routes []apiproxy.Route
	for _, r := range cfg.Routes {
		upstream, err := url.Parse(r.Upstream)
		if err != nil {
			return err
		}
		routes = append(routes, apiproxy.Route{
			Path: r.Path, Upstream: upstream, StripPrefix: r.StripPrefix, Methods: r.Methods,
			Timeout: r.Timeout, MaxBody: r.MaxBody, AllowBearer: r.AllowBearer, Public: r.Public,
			SkipCSRF: r.SkipCSRF(), H2C: r.H2C,
		})
	}
	opt := apiproxy.Options{
		Store: sessions, Policy: a.jar.Policy(), Origins: a.origins, Render: a.render,
		CSRFHeader: csrfHeader(cfg), BasePath: a.base(),
		Clock: a.clock, Log: a.log,
		TrustedProxies: cfg.TrustedProxyPrefixes(), SocketGrace: cfg.Timeouts.SocketGrace,
		Sending:    a.watchUpstream,
		Transports: a.transports,
		Passed:     func(route string, o apiproxy.Outcome) { a.metrics.Proxied(route, string(o)) },
	}
	if cfg.Refresh.Inline {
		opt.Refresher, opt.RefreshAhead = refresher{a.as}, cfg.Refresh.Ahead
	}
	a.proxy, err = apiproxy.New(routes, opt)
	return err
}

// refresher lets the proxy refresh without knowing the authorization server.
type refresher struct{ as *authserver.Client }

func (r refresher) Refresh(ctx context.Context, old session.Tokens) (session.Tokens, error) {
	t, err := r.as.Refresh(ctx, authserver.RefreshGrant{Refresh: old.Refresh, Access: old.Access, ID: old.ID})
	return session.Tokens{Access: t.Access, Refresh: t.Refresh, ID: t.ID, Issued: t.Issued, Expiry: t.Expiry}, err
}

// otherwise is what no endpoint is at: the routes of the OAuth Proxy, the page, or
// 404.
//
// The paths of forward auth are 404 here whatever the routes say, since their
// answers hold a token. A proxied body may take its time: the proxy itself bounds it,
// by progress.
func (a *Agent) otherwise() http.Handler {
	missing := a.inTime(middleware.SecurityHeaders(a.cors(atNothing, a.render.Handle(notFound))))
	rest := a.orPage(missing)
	if a.proxy == nil {
		return rest
	}
	refused := a.inTime(middleware.SecurityHeaders(a.cors(atNothing, a.render.Handle(notAllowed))))
	proxied := a.cors(a.proxy.Allows, a.admitted(a.proxy))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path := r.URL.EscapedPath()
		forwardAuth := path == a.base()+"/authorize" || strings.HasPrefix(path, a.base()+"/authorize/")
		switch {
		case path == "" && r.Method == http.MethodConnect: // has a host where others have a path
			refused.ServeHTTP(w, r)
		case forwardAuth:
			missing.ServeHTTP(w, r)
		case !a.proxy.Match(r):
			rest.ServeHTTP(w, r)
		default:
			observe.Of(r.Context()).Route = a.proxy.Route(r)
			proxied.ServeHTTP(w, r)
		}
	})
}

// atNothing reports what a preflight is granted where no endpoint is: what a page
// may send without asking, so that it can read the 404.
func atNothing(_ *http.Request, method string) bool {
	return method == http.MethodGet || method == http.MethodHead || method == http.MethodPost
}

// ForwardAuth serves the listener for gateways; nil where there is none. It
// answers preflights itself, and must not be reachable by browsers.
func (a *Agent) ForwardAuth() http.Handler {
	if a.cfg.ForwardAuth.Addr == "" || a.proxy == nil {
		return nil
	}
	cors := func(next http.Handler) http.Handler { return a.cors(nil, next) }
	// Gateways announce bodies that they do not send.
	h := a.inTime(named(a.base()+"/authorize", a.admitted(a.proxy.ForwardAuth(cors))))
	return a.watched(h, a.limits.gateways, nil) // all of them are gateways
}

// admitted is h without what is too much at a time.
func (a *Agent) admitted(h http.Handler) http.Handler {
	return a.render.Handle(middleware.Admit(unfailing(h)))
}

// base is the base path without a slash at its end.
func (a *Agent) base() string { return strings.TrimSuffix(a.cfg.BasePath, "/") }
