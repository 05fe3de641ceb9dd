package agent

import (
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/gorilla/mux"

	"oauth-agent/agent/internal/httperr"
	"oauth-agent/agent/internal/middleware"
	"oauth-agent/agent/internal/observe"
	"oauth-agent/agent/internal/pkceproxy"
)

// endpoint is one path with its handlers by method.
type endpoint struct {
	path string
	// navigation is true where browsers come by a link or a redirect: such a
	// request has no Origin to be checked.
	navigation bool
	methods    map[string]httperr.Handler
}

// agentEndpoints is the OAuth Agent, under the base path.
func (a *Agent) agentEndpoints() []endpoint {
	l := a.login
	return []endpoint{
		{path: "/login/start", methods: post(a.door.Limit(a.limits.loginStart, l.Start))},
		{path: "/login/end", methods: post(l.End)},
		{path: "/session", methods: get(l.Session)},
		{path: "/userInfo", methods: get(l.UserInfo)},
		{path: "/claims", methods: get(l.Claims)},
		{path: "/refresh", methods: post(l.Refresh)},
		{path: "/logout", methods: post(l.Logout)},
		{path: "/logout/continue", methods: map[string]httperr.Handler{http.MethodGet: l.Continue}, navigation: true},
	}
}

func post(h httperr.Handler) map[string]httperr.Handler {
	return map[string]httperr.Handler{http.MethodPost: h}
}

func get(h httperr.Handler) map[string]httperr.Handler {
	return map[string]httperr.Handler{http.MethodGet: h, http.MethodHead: h}
}

// routes is the whole public port.
//
// Paths are matched as they were sent, neither decoded nor cleaned: what is
// checked is what is meant.
func (a *Agent) routes() http.Handler {
	m := mux.NewRouter().UseEncodedPath().SkipClean(true)
	m.Use(a.inTime)
	if a.login != nil {
		for _, e := range a.agentEndpoints() {
			m.Path(a.base() + e.path).Handler(a.agentHandler(e))
		}
		m.Path(a.base() + "/client.js").Handler(a.clientHandler())
	}
	if a.pkce != nil {
		a.pkceRoutes(m)
	}
	m.NotFoundHandler = a.otherwise()
	return a.watched(m, a.limits.public, a.door)
}

// inTime waits for no body longer than the settings say. It is for whatever the
// program answers itself, preflights too.
func (a *Agent) inTime(next http.Handler) http.Handler {
	return middleware.BodyDeadline(a.cfg.Timeouts.Request, next)
}

// agentHandler wraps an endpoint: CORS, method, origin, body, in this order.
func (a *Agent) agentHandler(e endpoint) http.Handler {
	h := byMethod(e.methods, func(next httperr.Handler) httperr.Handler {
		next = middleware.ReadBody(middleware.MaxBody, next)
		if !e.navigation {
			next = a.trusted(next)
		}
		return middleware.Admit(next)
	})
	return middleware.SecurityHeaders(a.cors(e.allows, named(a.base()+e.path, a.render.Handle(h))))
}

// allows reports whether a preflight is granted a method here.
func (e endpoint) allows(_ *http.Request, method string) bool { return e.methods[method] != nil }

// clientHandler serves the page's library. It is public and may be cached: no
// origin is checked, and its headers are its own.
func (a *Agent) clientHandler() http.Handler {
	h := byMethod(get(unfailing(a.client)), middleware.Admit)
	return named(a.base()+"/client.js", a.render.Handle(h))
}

// unfailing is a handler that answers its errors itself.
func unfailing(h http.Handler) httperr.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		h.ServeHTTP(w, r)
		return nil
	}
}

// cors adds the CORS of the agent's own endpoints. The PKCE proxy has another:
// it is called by other pages, and without cookies.
func (a *Agent) cors(allows func(r *http.Request, method string) bool, next http.Handler) http.Handler {
	if a.origins == nil {
		return next
	}
	return a.origins.CORS(allows, next)
}

// pkceRoutes adds the PKCE proxy, whose errors are those of RFC 6749.
func (a *Agent) pkceRoutes(m *mux.Router) {
	render := *a.render
	render.Render = pkceproxy.Render
	paths, scripts := map[string]map[string]httperr.Handler{}, map[string]bool{}
	for _, r := range a.pkce.Routes() {
		if paths[r.Path] == nil {
			paths[r.Path] = map[string]httperr.Handler{}
		}
		paths[r.Path][r.Method] = r.Handler
		if r.Limited {
			paths[r.Path][r.Method] = a.limitToken(r.Handler)
		}
		scripts[r.Path] = r.CORS
	}
	for path, methods := range paths {
		h := named(path, render.Handle(byMethod(methods, func(next httperr.Handler) httperr.Handler {
			next = middleware.Admit(middleware.ReadBody(middleware.MaxBody, next))
			if !scripts[path] {
				next = pkceproxy.Shown(next)
			}
			return next
		})))
		if scripts[path] {
			h = a.pkce.CORS(slices.Sorted(maps.Keys(methods)), h)
		}
		m.Path(path).Handler(middleware.SecurityHeaders(h))
	}
}

// trusted lets in what a trusted origin sent.
func (a *Agent) trusted(next httperr.Handler) httperr.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		if err := a.origins.Check(r); err != nil {
			return err
		}
		return next(w, r)
	}
}

// named puts the template of a route into the record of the request.
func named(route string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		observe.Of(r.Context()).Route = route
		next.ServeHTTP(w, r)
	})
}

// byMethod picks the handler of a method; OPTIONS is answered, anything else
// is 405 with Allow (RFC 9110 15.5.6).
func byMethod(methods map[string]httperr.Handler, wrap func(httperr.Handler) httperr.Handler) httperr.Handler {
	wrapped := map[string]httperr.Handler{}
	allow := []string{http.MethodOptions}
	for method, h := range methods {
		wrapped[method] = wrap(h)
		allow = append(allow, method)
	}
	slices.Sort(allow)
	allowed := strings.Join(allow, ", ")
	return func(w http.ResponseWriter, r *http.Request) error {
		if h := wrapped[r.Method]; h != nil {
			return h(w, r)
		}
		w.Header().Set("Allow", allowed)
		if r.Method == http.MethodOptions {
			w.WriteHeader(http.StatusNoContent)
			return nil
		}
		return notAllowed(w, r)
	}
}

func notAllowed(http.ResponseWriter, *http.Request) error {
	return httperr.New(http.StatusMethodNotAllowed, httperr.MethodNotAllowed, "the method is not allowed here", nil)
}

func notFound(http.ResponseWriter, *http.Request) error {
	return httperr.New(http.StatusNotFound, httperr.NotFound, "there is nothing at this path", nil)
}

// panicked answers a request whose handler has panicked.
func (a *Agent) panicked(w http.ResponseWriter, r *http.Request) {
	a.render.Write(w, r, httperr.New(http.StatusInternalServerError, httperr.ServerError, "the request could not be handled", nil))
}
