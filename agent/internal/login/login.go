// Package login begins and completes logins: POST /login/start and POST /login/end.
//
// They are the start and the end of the authorization code flow in a "backend for
// frontend" (OAuth 2.0 for Browser-Based Applications, RFC 10017, 6.1): the page fetches
// both, navigates to the authorization server in between, and never sees a token.
// What is kept of a login meanwhile is a [transaction], in a cookie.
//
// It has more than 600 lines, since the two ends of a login share what they keep of it.
package login

import (
	"context"
	"encoding/json"
	"time"

	"oauth-agent/agent/internal/authserver"
	"oauth-agent/agent/internal/cookie"
	"oauth-agent/agent/internal/httproute"
	"oauth-agent/agent/internal/secret"
	"oauth-agent/agent/internal/session"
)

// Server is the authorization server; an [authserver.Client] is one.
type Server interface {
	AuthorizationURL(ctx context.Context, r authserver.AuthRequest) (authserver.AuthorizationURL, error)
	CheckIssuer(ctx context.Context, iss string) error
	ReadIDToken(id secret.String) (claims json.RawMessage, who authserver.Identity, err error)
}

// CodeRedeemer redeems the code of a login, once; a tokens.Source is one.
type CodeRedeemer interface {
	Redeem(ctx context.Context, grant authserver.CodeGrant) (authserver.Tokens, error)
}

// Observer is notified of logins.
type Observer interface {
	// LoginStarted is called when a browser was given an authorization request.
	LoginStarted(ctx context.Context)
	// LoginCompleted is called when a session has begun. Issuer and subject are empty
	// without an ID token.
	LoginCompleted(ctx context.Context, issuer, subject string)
}

// Options are what the handlers need; each field is required.
type Options struct {
	Server      Server
	Tokens      CodeRedeemer
	Jar         *cookie.Jar
	Sessions    *session.Store
	Clock       func() time.Time
	Observer    Observer
	RedirectURI string // as registered at the authorization server
}

// Handlers are the handlers of this package.
type Handlers struct{ Options }

// New returns the handlers.
func New(opt Options) *Handlers { return &Handlers{opt} }

// Routes returns the endpoints, below the base path of the agent.
func (h *Handlers) Routes() []httproute.Route {
	return []httproute.Route{
		{Methods: httproute.Post(), Path: "/login/start", Policy: httproute.Fetch, Handler: h.start, Limit: httproute.LoginStart},
		{Methods: httproute.Post(), Path: "/login/end", Policy: httproute.Fetch, Handler: h.end},
	}
}
