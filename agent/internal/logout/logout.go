// Package logout ends sessions: POST /logout, and GET /logout/continue, which ends the
// one at the authorization server too (OpenID Connect RP-Initiated Logout 1.0).
//
// The authorization server wants the ID token as id_token_hint, and no token may come
// within reach of a script. So /logout answers with the URL of /logout/continue, and
// the ID token waits for that navigation in a sealed cookie, for a minute.
package logout

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"time"

	"oauth-agent/agent/internal/authserver"
	"oauth-agent/agent/internal/clientip"
	"oauth-agent/agent/internal/cookie"
	"oauth-agent/agent/internal/httproute"
	"oauth-agent/agent/internal/secret"
	"oauth-agent/agent/internal/session"
	"oauth-agent/agent/internal/store"
)

// Server is the authorization server; an [authserver.Client] is one.
type Server interface {
	// EndSession returns the end-session endpoint, or an empty string without one.
	EndSession(ctx context.Context) (endpoint string)
	ReadIDToken(id secret.String) (claims json.RawMessage, who authserver.Identity, err error)
}

// Ender ends the tokens of a session; a tokens.Source is one.
type Ender interface {
	End(ctx context.Context, refresh, access secret.String) error
}

// Observer is notified of logouts.
type Observer interface {
	// LoggedOut is called when a user has ended a session. Issuer and subject are empty
	// without an ID token.
	LoggedOut(ctx context.Context, issuer, subject string)
}

// Options are what the handlers need. Each field is required, unless it says what its
// zero value means.
type Options struct {
	Server   Server
	Tokens   Ender
	Jar      *cookie.Jar
	Sessions session.Finder
	Store    store.Store // of the logouts that were continued
	Clock    func() time.Time
	Log      *slog.Logger
	Observer Observer

	ClientID string
	// PostLogoutRedirectURI is the registered one; empty: none is.
	PostLogoutRedirectURI string
	// Home is where a logout ends without PostLogoutRedirectURI: the page.
	Home string
	// PublicURL is scheme and host of the agent; empty: those of the request.
	PublicURL string
	Proxies   clientip.Proxies
	BasePath  string // of the agent, without a slash at its end
	// DirectURL makes /logout answer with the authorization server's own URL, which then
	// has no id_token_hint.
	DirectURL bool
}

// Handlers are the handlers of this package.
type Handlers struct{ Options }

// New returns the handlers.
func New(opt Options) *Handlers { return &Handlers{opt} }

const continuePath = "/logout/continue"

// Routes returns the endpoints, below the base path of the agent.
func (h *Handlers) Routes() []httproute.Route {
	return []httproute.Route{
		{Methods: httproute.Post(), Path: "/logout", Policy: httproute.Fetch, Handler: h.logout},
		{Methods: []string{http.MethodGet}, Path: continuePath, Policy: httproute.Navigation, Handler: h.continueLogout},
	}
}
