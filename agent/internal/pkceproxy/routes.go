package pkceproxy

import (
	"net/http"
	"net/url"

	"github.com/rs/cors"

	"oauth-agent/agent/internal/httproute"
)

// The paths of the endpoints, below the issuer.
const (
	authorizationPath = "/oauth/authorization"
	authorizePath     = "/oauth/authorize" // what oauth-pkce-proxy served under its documented name
	tokenPath         = "/oauth/token"
	revokePath        = "/oauth/revoke"
	metadataPath      = "/.well-known/oauth-authorization-server"
)

// Routes lists the endpoints. They are at the root. When the issuer has a path,
// they are also below that, so that it does not matter whether a gateway in
// front strips it; the metadata then has a third place (RFC 8414 3.1).
func (p *Proxy) Routes() []httproute.Route {
	routes := p.routesBelow("")
	if base := p.basePath(); base != "" {
		routes = append(routes, p.routesBelow(base)...)
		routes = append(routes, httproute.Route{
			Methods: httproute.Get(), Path: metadataPath + base, Policy: httproute.Script, Handler: p.Metadata,
		})
	}
	return routes
}

func (p *Proxy) routesBelow(base string) []httproute.Route {
	get, post := httproute.Get(), httproute.Post()
	routes := []httproute.Route{
		{Methods: get, Path: base + authorizationPath, Policy: httproute.Person, Handler: p.Authorize},
		{Methods: get, Path: base + authorizePath, Policy: httproute.Person, Handler: p.Authorize},
		{Methods: get, Path: base + callbackPath, Policy: httproute.Person, Handler: p.Callback},
		{Methods: get, Path: base + metadataPath, Policy: httproute.Script, Handler: p.Metadata},
		{Methods: post, Path: base + tokenPath, Policy: httproute.Script, Handler: p.Token, Limit: httproute.TokenCalls},
	}
	if p.revocation {
		routes = append(routes, httproute.Route{
			Methods: post, Path: base + revokePath, Policy: httproute.Script, Handler: p.Revoke, Limit: httproute.TokenCalls,
		})
	}
	return routes
}

// basePath gives the path of the issuer.
func (p *Proxy) basePath() string {
	u, err := url.Parse(p.issuer)
	if err != nil {
		return "" // New has refused it
	}
	return u.Path
}

// Foreign tells whether a page has sent the request that is none of the registered
// redirect URIs'. Servers and most native apps send no Origin at all.
func (p *Proxy) Foreign(r *http.Request) bool {
	origin := r.Header["Origin"]
	return len(origin) > 0 && (len(origin) > 1 || !p.redirects.allowOrigin(origin[0]))
}

// CORS lets pages of the registered redirect URIs call next, without cookies:
// the endpoints have none. It answers every OPTIONS itself, and grants the
// methods of the endpoint. What a page sends without asking it may read, a 405 too.
func (p *Proxy) CORS(methods []string, next http.Handler) http.Handler {
	noContent := func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }
	options := p.corsPolicy(methods).Handler(http.HandlerFunc(noContent))
	calls := p.corsPolicy([]string{http.MethodGet, http.MethodHead, http.MethodPost}).Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method != http.MethodOptions:
			calls.ServeHTTP(w, r)
		case len(r.Header["Access-Control-Request-Method"]) > 1: // all would be granted with the first
			noContent(w, r)
		default:
			options.ServeHTTP(w, r)
		}
	})
}

func (p *Proxy) corsPolicy(methods []string) *cors.Cors {
	return cors.New(cors.Options{
		AllowOriginFunc: p.redirects.allowOrigin,
		AllowedMethods:  methods,
		AllowedHeaders:  []string{"Accept", "Authorization", "Content-Type"},
		ExposedHeaders:  []string{"Retry-After", "WWW-Authenticate", "X-Request-Id"},
		MaxAge:          600,
	})
}
