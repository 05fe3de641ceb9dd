package apiproxy

import (
	"net/http"
	"strings"

	"oauth-agent/agent/internal/httperr"
	"oauth-agent/agent/internal/httpsem"
	"oauth-agent/agent/internal/upstream"
)

// ForwardAuth answers a gateway that asks whether a request may pass: at
// <base>/authorize and below it, with any method. 200 has the access token as
// Authorization, for the gateway to put into the request; 401 is for the
// gateway to pass on, with its CORS headers.
//
// It belongs on a listener of its own, which no browser reaches: a script that
// could read the response would have the token.
//
//  1. A preflight of a trusted origin passes without a token: it carries no
//     cookie, and the API behind the gateway must answer it.
//  2. All else is decided as in the reverse proxy, for the strictest method
//     that the gateway names. No route relaxes the decision, since the path
//     would have to be taken from a header.
//
// Tokens are never refreshed here: not every gateway hands new cookies on, and
// a rotated refresh token that is lost is a user who is logged out.
//
// cors adds the CORS headers to what is decided, by the method that the gateway names.
func (p *Proxy) ForwardAuth(cors func(http.Handler) http.Handler) http.Handler {
	a := *p.authorizer
	a.refresh = nil
	decided := cors(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := a.authorize(w, r); err != nil {
			p.refuse(w, r, err)
		}
	}))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case !p.isAuthorize(sentPath(r.URL)):
			p.refuse(w, r, errNoRoute)
		case a.isTrustedPreflight(r):
			w.Header().Set("Cache-Control", "no-store")
			w.WriteHeader(http.StatusOK)
		default:
			decided.ServeHTTP(w, withStrictestMethod(r))
		}
	})
}

// isAuthorize reports whether a path is one of forward auth. Some gateways (Envoy)
// append the original path, which is ignored.
func (p *Proxy) isAuthorize(path string) bool {
	rest, ok := strings.CutPrefix(path, strings.TrimSuffix(p.opt.BasePath, "/")+"/authorize")
	return ok && (rest == "" || rest[0] == '/')
}

func (a *authorizer) authorize(w http.ResponseWriter, r *http.Request) error {
	if isTunnel(r.Method) {
		return httperr.Unauthorized("the method is not allowed", nil)
	}
	d, err := a.decide(w, r, routePolicy{})
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Authorization", "Bearer "+d.token.Reveal())
	w.WriteHeader(http.StatusOK)
	return nil
}

// isTrustedPreflight reports whether the gateway asks about a preflight of a trusted
// origin. Gateways ask with GET and name the method in a header; where no header
// does, the method is that of the request itself.
//
// The gateway writes one of the headers and the client may have written the
// others, so all of them have to say OPTIONS. An upgrade is never a preflight:
// browsers send none for it.
func (a *authorizer) isTrustedPreflight(r *http.Request) bool {
	named := namedMethods(r)
	if len(named) == 0 {
		named = []string{r.Method}
	}
	for _, method := range named {
		if method != http.MethodOptions {
			return false
		}
	}
	if !httpsem.Safe(r.Method) || isUpgrade(r.Header) {
		return false
	}
	preflight := *r
	preflight.Method = http.MethodOptions
	return httpsem.IsPreflight(&preflight) && a.origins.CheckOrigin(r) == nil
}

// withStrictestMethod returns the request that the gateway asks about, with the
// strictest of the methods that are named. An OPTIONS that is no preflight of a
// trusted origin counts as GET: as OPTIONS it would be let through.
func withStrictestMethod(r *http.Request) *http.Request {
	out := *r
	if out.Method == http.MethodOptions {
		out.Method = http.MethodGet
	}
	for _, method := range namedMethods(r) {
		if strictness(method) > strictness(out.Method) {
			out.Method = method
		}
	}
	return &out
}

// strictness orders methods by what they need: nothing, a CSRF token, or more than
// any request can bring.
func strictness(method string) int {
	switch {
	case isTunnel(method):
		return 2
	case httpsem.Safe(method):
		return 0
	}
	return 1
}

// namedMethods lists what headers say of the original method: X-Forwarded-Method
// from Traefik and Caddy, X-Original-Method from nginx, and from a client those that
// a framework of the API may follow.
func namedMethods(r *http.Request) []string {
	out := append([]string{}, r.Header["X-Forwarded-Method"]...)
	out = append(out, r.Header["X-Original-Method"]...)
	for name, values := range r.Header {
		if upstream.IsMethodOverride(name) {
			out = append(out, values...)
		}
	}
	return out
}
