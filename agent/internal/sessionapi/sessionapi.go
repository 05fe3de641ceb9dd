// Package sessionapi is what a page asks of its session: GET /session, /userInfo and
// /claims, and POST /refresh. No answer holds a token.
package sessionapi

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"strconv"
	"sync"

	"oauth-agent/agent/internal/authserver"
	"oauth-agent/agent/internal/httproute"
	"oauth-agent/agent/internal/secret"
	"oauth-agent/agent/internal/session"
)

// Server is the authorization server; an [authserver.Client] is one.
type Server interface {
	ReadIDToken(id secret.String) (claims json.RawMessage, who authserver.Identity, err error)
	// Userinfo returns what the userinfo endpoint says of the user, who must be sub;
	// an empty sub is not compared.
	Userinfo(ctx context.Context, access secret.String, sub string) (json.RawMessage, error)
}

// Refresher renews the tokens of a session, once for parallel and late callers. What the
// authorization server does not send again is kept. It fails with
// [authserver.ErrSessionOver], [authserver.ErrClientRefused] or
// [authserver.ErrUnavailable].
type Refresher interface {
	Refresh(ctx context.Context, old session.Tokens) (session.Tokens, error)
}

// Options are what the handlers need; each field is required.
type Options struct {
	Server   Server
	Tokens   Refresher
	Sessions session.Finder
	Log      *slog.Logger
	// Claims adds the claims of the ID token to the answer of /session.
	Claims bool
}

// Handlers are the handlers of this package.
type Handlers struct {
	Options
	warnUserinfo sync.Once
}

// New returns the handlers.
func New(opt Options) *Handlers { return &Handlers{Options: opt} }

// Routes returns the endpoints, below the base path of the agent.
func (h *Handlers) Routes() []httproute.Route {
	return []httproute.Route{
		{Methods: httproute.Get(), Path: "/session", Policy: httproute.Fetch, Handler: h.session},
		{Methods: httproute.Get(), Path: "/userInfo", Policy: httproute.Fetch, Handler: h.userInfo},
		{Methods: httproute.Get(), Path: "/claims", Policy: httproute.Fetch, Handler: h.claims},
		{Methods: httproute.Post(), Path: "/refresh", Policy: httproute.Fetch, Handler: h.refresh},
	}
}

// writeObject sends a JSON object as it was received.
func writeObject(w http.ResponseWriter, body []byte) {
	header := w.Header()
	header.Set("Content-Type", "application/json")
	header.Set("Content-Length", strconv.Itoa(len(body)))
	_, _ = w.Write(body)
}
