package agent

import (
	"net/http"
	"slices"
	"strings"

	"github.com/gorilla/mux"

	"oauth-agent/agent/internal/httperr"
	"oauth-agent/agent/internal/httproute"
	"oauth-agent/agent/internal/middleware"
	"oauth-agent/agent/internal/observe"
	"oauth-agent/agent/internal/pkceproxy"
)

// This file is the whole HTTP surface: what is at which path of which port, what guards
// it, and in which order. testdata/routes.txt shows it as a table.

// chain is what guards an endpoint, from the outside in.
type chain []guard

// guard is one guard with the name that the table shows. The zero value guards
// nothing.
type guard struct {
	name string
	wrap func(http.Handler) http.Handler
}

// around returns h behind the chain.
func (c chain) around(h http.Handler) http.Handler {
	for _, m := range slices.Backward(c) {
		if m.wrap != nil {
			h = m.wrap(h)
		}
	}
	return h
}

// names lists the chain.
func (c chain) names() (names []string) {
	for _, m := range c {
		if m.wrap != nil {
			names = append(names, m.name)
		}
	}
	return names
}

// chain returns what guards an endpoint: one literal for each policy.
func (g *generation) chain(rt httproute.Route) chain {
	errors := g.renderer(rt.Policy)
	switch rt.Policy {
	case httproute.Fetch:
		return chain{g.bodyDeadline(), securityHeaders(), g.cors(rt), routeName(rt), methods(rt, errors), admit(errors), g.trustedOrigin(errors), body(errors), g.rateLimit(rt, errors)}
	case httproute.Navigation:
		return chain{g.bodyDeadline(), securityHeaders(), g.cors(rt), routeName(rt), methods(rt, errors), admit(errors), body(errors)}
	case httproute.Public:
		return chain{g.bodyDeadline(), routeName(rt), methods(rt, errors), admit(errors)}
	case httproute.API: // the proxy checks origin and method by the route of each call, and bounds bodies by progress
		return chain{g.apiCORS(), admit(errors)}
	case httproute.Page:
		return chain{g.bodyDeadline(), securityHeaders(), g.cors(rt), routeName(rt), admit(errors)}
	case httproute.Script:
		return chain{g.bodyDeadline(), securityHeaders(), g.scriptCORS(rt), routeName(rt), methods(rt, errors), admit(errors), body(errors), g.rateLimit(rt, errors)}
	case httproute.Person:
		return chain{g.bodyDeadline(), securityHeaders(), routeName(rt), methods(rt, errors), admit(errors), body(errors)}
	case httproute.Gateway: // gateways announce bodies that they do not send
		return chain{g.bodyDeadline(), routeName(rt), admit(errors)}
	case httproute.Operator:
		return chain{operatorMethods(rt, errors)}
	default: // httproute.Nothing
		return chain{g.bodyDeadline(), securityHeaders(), g.cors(rt)}
	}
}

// renderer is how the errors of an endpoint are shown.
func (g *generation) renderer(policy httproute.Policy) *httperr.Renderer {
	render := *g.render
	switch policy {
	case httproute.Script:
		render.Render = pkceproxy.Render
	case httproute.Person:
		render.Render = pkceproxy.RenderPage
	case httproute.Operator: // nobody is refused there
		render.Note = nil
	}
	return &render
}

// port returns what guards all that a port for browsers or gateways serves.
func (g *generation) port(limit *middleware.InFlightLimit, clients *middleware.Clients) chain {
	return chain{g.inFlightLimit(limit, clients), g.writeDeadline(), g.observe(), g.recover(), closeAfterChunks()}
}

// publicHandler serves the public port. Paths are matched as they were sent, neither
// decoded nor cleaned: what is checked is what is meant.
func (g *generation) publicHandler() http.Handler {
	m := mux.NewRouter().UseEncodedPath().SkipClean(true)
	for _, rt := range g.publicRoutes() {
		m.Path(rt.Path).Handler(g.handler(rt))
	}
	if g.pkce != nil {
		for _, rt := range g.pkce.Routes() {
			m.Path(rt.Path).Handler(g.handler(rt))
		}
	}
	m.NotFoundHandler = g.beside()
	return g.port(g.server.limits.public, g.door).around(m)
}

// publicRoutes are those of an app that have a path of their own.
func (g *generation) publicRoutes() (routes []httproute.Route) {
	a := g.app
	if a.endpoints == nil {
		return nil
	}
	for _, rt := range a.endpoints.routes() {
		rt.Path = a.base() + rt.Path
		routes = append(routes, rt)
	}
	return append(routes, httproute.Route{
		Methods: httproute.Get(), Path: a.base() + "/client.js", Policy: httproute.Public, Handler: unfailing(a.library.handler),
	})
}

// nothing is where no endpoint is: 404.
func (g *generation) nothing() httproute.Route {
	return httproute.Route{Methods: []string{http.MethodGet, http.MethodHead, http.MethodPost}, Path: "/*", Policy: httproute.Nothing, Handler: notFound}
}

// tunnel is a CONNECT, which has a host where others have a path: 405.
func (g *generation) tunnel() httproute.Route {
	rt := g.nothing()
	rt.Handler = notAllowed
	return rt
}

// apis are the routes of the OAuth Proxy, which finds the one of a call itself.
func (g *generation) apis() httproute.Route {
	return httproute.Route{Path: "the routes", Policy: httproute.API, Handler: unfailing(g.app.proxy)}
}

// page is the files under spa.dir.
func (g *generation) page() httproute.Route {
	return httproute.Route{Methods: httproute.Get(), Path: "spa", Policy: httproute.Page, Handler: g.app.spa.Serve}
}

// beside serves what has no path of its own: the routes of the OAuth Proxy, the page,
// or 404. The paths of forward auth are 404 here whatever the routes say, since their
// answers hold a token.
//
// The paths of the agent are never a page's, however they are written: a script that
// misspells an endpoint must get an error it can read. Under the base path "/" that
// cannot be told apart.
func (g *generation) beside() http.Handler {
	a := g.app
	missing, refused := g.handler(g.nothing()), g.handler(g.tunnel())
	page, api := missing, http.Handler(nil)
	if a.spa != nil {
		page = g.handler(g.page())
	}
	if a.proxy != nil {
		api = g.handler(g.apis())
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path, route := r.URL.EscapedPath(), ""
		if a.proxy != nil {
			route = a.proxy.Route(r)
		}
		switch {
		case a.proxy != nil && path == "" && r.Method == http.MethodConnect: // has a host where others have a path
			refused.ServeHTTP(w, r)
		case a.proxy != nil && under(path, a.base()+"/authorize"):
			missing.ServeHTTP(w, r)
		case route != "":
			observe.Of(r.Context()).Route = route
			api.ServeHTTP(w, r)
		case a.owns(r.URL.Path) || a.owns(path):
			missing.ServeHTTP(w, r)
		default:
			page.ServeHTTP(w, r)
		}
	})
}

// owns reports whether a path is the agent's, with an endpoint or without. An authorize
// under "/" would be that of forward auth.
func (a *App) owns(path string) bool {
	if a.base() == "" {
		return under(path, "/authorize")
	}
	return under(path, a.base())
}

// under reports whether path is base or below it.
func under(path, base string) bool { return path == base || strings.HasPrefix(path, base+"/") }

// gatewayHandler serves the listener for gateways; nil where there is none. It answers
// preflights itself, and must not be reachable by browsers.
func (g *generation) gatewayHandler() http.Handler {
	if g.cfg.ForwardAuth.Addr == "" || g.app.proxy == nil {
		return nil
	}
	return g.port(g.server.limits.gateways, nil).around(g.handler(g.forwardAuth())) // all clients are gateways
}

// forwardAuth is the one endpoint for gateways, and what is below it.
func (g *generation) forwardAuth() httproute.Route {
	return httproute.Route{Path: g.app.base() + "/authorize", Policy: httproute.Gateway, Handler: unfailing(g.app.proxy.ForwardAuth(g.gatewayCORS()))}
}

// operatorPort returns what guards all that the operator's port serves.
func (g *generation) operatorPort() chain {
	return chain{closeAfterChunks(), securityHeaders(), g.recover()}
}

// adminHandler serves the operator's port.
func (g *generation) adminHandler() http.Handler {
	m := mux.NewRouter().UseEncodedPath().SkipClean(true)
	for _, rt := range g.operatorRoutes() {
		m.Path(rt.Path).Handler(g.handler(rt))
	}
	m.NotFoundHandler = g.handler(httproute.Route{Path: "/*", Policy: httproute.Operator, Handler: notFound})
	return g.operatorPort().around(m)
}

// handler returns an endpoint behind its chain, with its errors rendered.
func (g *generation) handler(rt httproute.Route) http.Handler {
	return g.chain(rt).around(g.renderer(rt.Policy).Handle(rt.Handler))
}

// unfailing is a handler that answers its errors itself.
func unfailing(h http.Handler) httperr.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		h.ServeHTTP(w, r)
		return nil
	}
}

func notAllowed(http.ResponseWriter, *http.Request) error {
	return httperr.New(http.StatusMethodNotAllowed, httperr.MethodNotAllowed, "the method is not allowed here", nil)
}

func notFound(http.ResponseWriter, *http.Request) error {
	return httperr.New(http.StatusNotFound, httperr.NotFound, "there is nothing at this path", nil)
}

// panicked answers a request whose handler has panicked.
func (g *generation) panicked(w http.ResponseWriter, r *http.Request) {
	g.render.Write(w, r, httperr.New(http.StatusInternalServerError, httperr.ServerError, "the request could not be handled", nil))
}
