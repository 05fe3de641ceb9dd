package agent

import (
	"slices"

	"oauth-agent/agent/config"
	"oauth-agent/agent/internal/authserver"
	"oauth-agent/agent/internal/cookie"
	"oauth-agent/agent/internal/httproute"
	"oauth-agent/agent/internal/login"
	"oauth-agent/agent/internal/logout"
	"oauth-agent/agent/internal/middleware"
	"oauth-agent/agent/internal/observe"
	"oauth-agent/agent/internal/session"
	"oauth-agent/agent/internal/sessionapi"
	"oauth-agent/agent/internal/store"
	"oauth-agent/agent/internal/tokens"
)

// endpoints are those of the OAuth Agent.
type endpoints struct {
	login      *login.Handlers
	sessionAPI *sessionapi.Handlers
	logout     *logout.Handlers
}

// routes returns the endpoints, below the base path.
func (e *endpoints) routes() []httproute.Route {
	return slices.Concat(e.login.Routes(), e.sessionAPI.Routes(), e.logout.Routes())
}

// agentParts are what the endpoints of an app have in common.
type agentParts struct {
	server   *authserver.Client
	tokens   *tokens.Source
	jar      *cookie.Jar
	sessions *session.Store
	origins  *middleware.Origins
	events   *observe.Events
}

// newEndpoints makes the endpoints of the OAuth Agent.
func (s *Server) newEndpoints(cfg *config.Config, p agentParts) *endpoints {
	finder := session.Finder{Store: p.sessions, CSRFHeader: csrfHeader(cfg), ReadNeedsCSRF: p.origins.NeedsToken}
	return &endpoints{
		login: login.New(login.Options{
			Server: p.server, Tokens: p.tokens, Jar: p.jar, Sessions: p.sessions,
			Clock: s.clock, Observer: p.events,
			RedirectURI: cfg.RedirectURI,
		}),
		sessionAPI: sessionapi.New(sessionapi.Options{
			Server: p.server, Tokens: refresher{p.tokens}, Sessions: finder, Log: s.log,
			Claims: cfg.Session.Claims,
		}),
		logout: logout.New(logout.Options{
			Server: p.server, Tokens: p.tokens, Jar: p.jar, Sessions: finder,
			Store: store.ForApp(s.store, defaultApp),
			Clock: s.clock, Log: s.log, Observer: p.events,
			ClientID:              cfg.ClientID,
			PostLogoutRedirectURI: cfg.PostLogoutRedirectURI,
			Home:                  cfg.TrustedWebOrigins[0] + "/",
			PublicURL:             cfg.PublicURL,
			Proxies:               cfg.TrustedProxyPrefixes(),
			BasePath:              basePath(cfg),
			DirectURL:             cfg.Logout.URL == "direct",
		}),
	}
}
