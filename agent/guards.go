package agent

import (
	"net/http"
	"slices"
	"strings"

	"oauth-agent/agent/internal/httperr"
	"oauth-agent/agent/internal/httproute"
	"oauth-agent/agent/internal/middleware"
	"oauth-agent/agent/internal/observe"
)

// This file has the guards that chains are made of, each by the name that the table of
// routes shows.

// fallible is a guard that may refuse a request, with render for its errors.
func fallible(name string, render *httperr.Renderer, wrap func(httperr.Handler) httperr.Handler) guard {
	return guard{name, func(next http.Handler) http.Handler { return render.Handle(wrap(unfailing(next))) }}
}

// inFlightLimit bounds how many requests a port serves at a time.
func (g *generation) inFlightLimit(limit *middleware.InFlightLimit, clients *middleware.Clients) guard {
	return guard{"inFlightLimit", func(next http.Handler) http.Handler { return limit.Count(clients, next) }}
}

// writeDeadline gives up clients that take nothing of an answer.
func (g *generation) writeDeadline() guard {
	return guard{"writeDeadline", func(next http.Handler) http.Handler { return middleware.WriteDeadline(g.cfg.Timeouts.Write, next) }}
}

// observe gives each request an identifier, a span, its metrics and its log line.
func (g *generation) observe() guard { return guard{"observe", g.requests.Watch} }

// recover answers a request whose handler panics.
func (g *generation) recover() guard {
	return guard{"recover", func(next http.Handler) http.Handler { return observe.Recover(g.server.log, g.panicked, next) }}
}

// closeAfterChunks ends a connection after a request whose length is not certain.
func closeAfterChunks() guard { return guard{"closeAfterChunks", middleware.CloseAfterChunks} }

// bodyDeadline waits for no body longer than the settings say.
func (g *generation) bodyDeadline() guard {
	return guard{"bodyDeadline", func(next http.Handler) http.Handler { return middleware.BodyDeadline(g.cfg.Timeouts.Request, next) }}
}

// securityHeaders keeps answers out of caches, frames and other sites.
func securityHeaders() guard { return guard{"securityHeaders", middleware.SecurityHeaders} }

// cors adds the CORS headers of the app's trusted origins, and answers preflights with
// the methods that there are.
func (g *generation) cors(rt httproute.Route) guard {
	allows := func(_ *http.Request, method string) bool { return slices.Contains(rt.Methods, method) }
	return g.originsCORS(allows)
}

// apiCORS is the same with the methods of the route that a call is for.
func (g *generation) apiCORS() guard { return g.originsCORS(g.app.proxy.Allows) }

// gatewayCORS adds the CORS headers to the answers of forward auth, for the gateway to
// pass on. It grants any method, since it does not know the API's.
func (g *generation) gatewayCORS() func(http.Handler) http.Handler { return g.originsCORS(nil).wrap }

func (g *generation) originsCORS(allows func(r *http.Request, method string) bool) guard {
	return guard{"cors", func(next http.Handler) http.Handler {
		if g.app.origins == nil {
			return next
		}
		return g.app.origins.CORS(allows, next)
	}}
}

// scriptCORS adds the CORS headers of the PKCE proxy's client apps.
func (g *generation) scriptCORS(rt httproute.Route) guard {
	return guard{"cors", func(next http.Handler) http.Handler {
		return g.pkce.CORS(slices.Sorted(slices.Values(rt.Methods)), next)
	}}
}

// routeName puts the path of a route into the record of the request.
func routeName(rt httproute.Route) guard {
	return guard{"routeName", func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			observe.Of(r.Context()).Route = rt.Path
			next.ServeHTTP(w, r)
		})
	}}
}

// methods answers OPTIONS, and a method that there is not with 405 and Allow
// (RFC 9110 15.5.6).
func methods(rt httproute.Route, render *httperr.Renderer) guard {
	allow := append([]string{http.MethodOptions}, rt.Methods...)
	slices.Sort(allow)
	allowed := strings.Join(allow, ", ")
	return fallible("methods", render, func(next httperr.Handler) httperr.Handler {
		return func(w http.ResponseWriter, r *http.Request) error {
			if slices.Contains(rt.Methods, r.Method) {
				return next(w, r)
			}
			w.Header().Set("Allow", allowed)
			if r.Method == http.MethodOptions {
				w.WriteHeader(http.StatusNoContent)
				return nil
			}
			return notAllowed(w, r)
		}
	})
}

// operatorMethods answers a method that there is not with 405, OPTIONS too: no page
// calls the operator's endpoints.
func operatorMethods(rt httproute.Route, render *httperr.Renderer) guard {
	return fallible("methods", render, func(next httperr.Handler) httperr.Handler {
		return func(w http.ResponseWriter, r *http.Request) error {
			if len(rt.Methods) == 0 || slices.Contains(rt.Methods, r.Method) {
				return next(w, r)
			}
			w.Header().Set("Allow", strings.Join(rt.Methods, ", "))
			return notAllowed(w, r)
		}
	})
}

// admit refuses what is too much at a time, see inFlightLimit.
func admit(render *httperr.Renderer) guard { return fallible("admit", render, middleware.Admit) }

// trustedOrigin lets in what a trusted web origin sent.
func (g *generation) trustedOrigin(render *httperr.Renderer) guard {
	return fallible("trustedOrigin", render, func(next httperr.Handler) httperr.Handler {
		return func(w http.ResponseWriter, r *http.Request) error {
			if err := g.app.origins.Check(r); err != nil {
				return err
			}
			return next(w, r)
		}
	})
}

// body reads the body, bounded in size, before its handler runs.
func body(render *httperr.Renderer) guard {
	return fallible("body", render, func(next httperr.Handler) httperr.Handler { return middleware.ReadBody(middleware.MaxBody, next) })
}

// rateLimit bounds the calls of one client address. It stands behind the check of the
// origin, or foreign pages could use up what their visitors may ask for.
func (g *generation) rateLimit(rt httproute.Route, render *httperr.Renderer) guard {
	switch limits := g.server.limits; rt.Limit {
	case httproute.LoginStart:
		return fallible("rateLimit", render, func(next httperr.Handler) httperr.Handler { return g.door.Limit(limits.loginStart, next) })
	case httproute.TokenCalls:
		return fallible("rateLimit", render, g.limitTokenCalls)
	}
	return guard{}
}

// limitTokenCalls bounds the calls that go to the authorization server with the PKCE
// proxy's secret. It has no check of the origin before it: so calls from foreign pages
// are counted apart.
func (g *generation) limitTokenCalls(next httperr.Handler) httperr.Handler {
	limits := g.server.limits
	ours, foreign := g.door.Limit(limits.token, next), g.door.Limit(limits.foreign, next)
	return func(w http.ResponseWriter, r *http.Request) error {
		if g.pkce.Foreign(r) {
			return foreign(w, r)
		}
		return ours(w, r)
	}
}
