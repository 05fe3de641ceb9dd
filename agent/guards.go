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
	return guard{"inFlightLimit", limit.Count(clients)}
}

// writeDeadline gives up clients that take nothing of an answer.
func (g *generation) writeDeadline() guard {
	return guard{"writeDeadline", middleware.WriteDeadline(g.cfg.Timeouts.Write)}
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
	return guard{"bodyDeadline", middleware.BodyDeadline(g.cfg.Timeouts.Request)}
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
		return g.app.origins.CORS(allows)(next)
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
	return allowed(rt.Methods, allow, render)
}

// operatorMethods answers a method that there is not with 405, OPTIONS too: no page
// calls the operator's endpoints.
func operatorMethods(rt httproute.Route, render *httperr.Renderer) guard {
	if len(rt.Methods) == 0 {
		return guard{}
	}
	return allowed(rt.Methods, rt.Methods, render)
}

// allowed lets the methods of an endpoint through. It answers OPTIONS where that is to
// be announced besides, and anything else with 405.
func allowed(methods, announced []string, render *httperr.Renderer) guard {
	options, allow := slices.Contains(announced, http.MethodOptions), strings.Join(announced, ", ")
	return fallible("methods", render, func(next httperr.Handler) httperr.Handler {
		return func(w http.ResponseWriter, r *http.Request) error {
			if slices.Contains(methods, r.Method) {
				return next(w, r)
			}
			w.Header().Set("Allow", allow)
			if options && r.Method == http.MethodOptions {
				w.WriteHeader(http.StatusNoContent)
				return nil
			}
			return notAllowed(w, r)
		}
	})
}

// admit refuses what is too much at a time, see inFlightLimit.
func admit(render *httperr.Renderer) guard { return guard{"admit", middleware.Admit(render)} }

// trustedOrigin lets in what a trusted web origin sent.
func (g *generation) trustedOrigin(render *httperr.Renderer) guard {
	return guard{"trustedOrigin", g.app.origins.Require(render)}
}

// body reads the body, bounded in size, before its handler runs.
func body(render *httperr.Renderer) guard {
	return guard{"body", middleware.ReadBody(middleware.MaxBody, render)}
}

// rateLimit bounds the calls of one client address. It stands behind the check of the
// origin, or foreign pages could use up what their visitors may ask for.
func (g *generation) rateLimit(rt httproute.Route, render *httperr.Renderer) guard {
	switch limits := g.server.limits; rt.Limit {
	case httproute.LoginStart:
		return guard{"rateLimit", g.door.Limit(limits.loginStart, render)}
	case httproute.TokenCalls:
		return guard{"rateLimit", g.limitTokenCalls(render)}
	}
	return guard{}
}

// limitTokenCalls bounds the calls that go to the authorization server with the PKCE
// proxy's secret. It has no check of the origin before it: so calls from foreign pages
// are counted apart.
func (g *generation) limitTokenCalls(render *httperr.Renderer) func(http.Handler) http.Handler {
	limits := g.server.limits
	return func(next http.Handler) http.Handler {
		ours, foreign := g.door.Limit(limits.token, render)(next), g.door.Limit(limits.foreign, render)(next)
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if g.pkce.Foreign(r) {
				foreign.ServeHTTP(w, r)
				return
			}
			ours.ServeHTTP(w, r)
		})
	}
}
