package apiproxy

import (
	"net/http"
	"strings"

	"oauth-agent/agent/internal/httperr"
	"oauth-agent/agent/internal/httpsem"
)

// ForwardAuth answers a gateway that asks whether a request may pass: at
// <base>/authorize and below it, with any method. 200 has the access token as
// Authorization, for the gateway to put into the request; 401 is for the
// gateway to pass on, with its CORS headers.
//
// It belongs on a listener of its own, which no browser reaches: a script that
// could read the answer would have the token.
//
//  1. A preflight of a trusted origin passes without a token: it carries no
//     cookie, and the API behind must answer it.
//  2. All else is decided as in the reverse proxy, for the strictest method
//     that the gateway names. No route is asked, since that would mean to
//     believe a header about the path.
//
// Tokens are never refreshed here: not every gateway hands new cookies on, and
// a rotated refresh token that is lost is a user who is logged out.
//
// cors adds the CORS headers to what is decided, by the method that the gateway names.
func (p *Proxy) ForwardAuth(cors func(http.Handler) http.Handler) http.Handler {
	d := *p.decider
	d.renewal = nil
	decided := cors(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := d.authorize(w, r); err != nil {
			p.refuse(w, r, err)
		}
	}))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case !p.isAuthorize(sentPath(r.URL)):
			p.refuse(w, r, errNoRoute)
		case d.isTrustedPreflight(r):
			w.Header().Set("Cache-Control", "no-store")
			w.WriteHeader(http.StatusOK)
		default:
			decided.ServeHTTP(w, asked(r))
		}
	})
}

// isAuthorize tells the paths of forward auth. What stands behind them is the
// original path with some gateways (Envoy), and of no interest.
func (p *Proxy) isAuthorize(path string) bool {
	rest, ok := strings.CutPrefix(path, strings.TrimSuffix(p.opt.BasePath, "/")+"/authorize")
	return ok && (rest == "" || rest[0] == '/')
}

func (d *decider) authorize(w http.ResponseWriter, r *http.Request) error {
	if isTunnel(r.Method) {
		return httperr.Unauthorized("the method is not allowed", nil)
	}
	g, err := d.decide(w, r, rules{})
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Authorization", "Bearer "+g.token.Reveal())
	w.WriteHeader(http.StatusOK)
	return nil
}

// isTrustedPreflight tells a preflight by what the gateway says, which asks with
// GET, or by the method itself where no header names one.
//
// The gateway writes one of the headers and the client may have written the
// other: whatever names a method has to say OPTIONS. An upgrade is never one,
// since no browser sends a preflight for it.
func (d *decider) isTrustedPreflight(r *http.Request) bool {
	told := toldMethods(r)
	if len(told) == 0 {
		told = []string{r.Method}
	}
	for _, method := range told {
		if method != http.MethodOptions {
			return false
		}
	}
	if !httpsem.Safe(r.Method) || isUpgrade(r.Header) {
		return false
	}
	asked := *r
	asked.Method = http.MethodOptions
	return httpsem.IsPreflight(&asked) && d.origins.CheckOrigin(r) == nil
}

// asked is the request that the gateway asks about: under its strictest method.
// An OPTIONS that has come here is like a GET; as itself it would be taken for
// a preflight and let through.
func asked(r *http.Request) *http.Request {
	out := *r
	if out.Method == http.MethodOptions {
		out.Method = http.MethodGet
	}
	for _, method := range toldMethods(r) {
		if strictness(method) > strictness(out.Method) {
			out.Method = method
		}
	}
	return &out
}

// strictness orders methods by what is asked of them: nothing, a CSRF token, or
// more than there can be.
func strictness(method string) int {
	switch {
	case isTunnel(method):
		return 2
	case httpsem.Safe(method):
		return 0
	}
	return 1
}

// toldMethods lists what headers say of the original method: by Traefik and
// Caddy, by nginx, and by a client for the API behind, where some framework may
// follow it.
func toldMethods(r *http.Request) []string {
	out := append([]string{}, r.Header["X-Forwarded-Method"]...)
	out = append(out, r.Header["X-Original-Method"]...)
	for name, values := range r.Header {
		if isOverride(name) {
			out = append(out, values...)
		}
	}
	return out
}
