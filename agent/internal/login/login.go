// Package login is the OAuth Agent's endpoints: a single-page app logs in, asks
// who the user is, refreshes and logs out, and never sees a token.
//
// It is the "backend for frontend" of OAuth 2.0 for Browser-Based Applications
// (draft-ietf-oauth-browser-based-apps 6.1). Each endpoint has a file. Origins,
// body sizes and CORS have been checked before a handler runs; the CSRF token is
// checked here, since it belongs to a session.
package login

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"oauth-agent/agent/internal/authserver"
	"oauth-agent/agent/internal/clientip"
	"oauth-agent/agent/internal/cookie"
	"oauth-agent/agent/internal/httperr"
	"oauth-agent/agent/internal/httproute"
	"oauth-agent/agent/internal/session"
	"oauth-agent/agent/internal/store"
	"oauth-agent/agent/internal/tokens"
)

// Config is what the endpoints need to know of the settings.
type Config struct {
	ClientID              string
	RedirectURI           string
	PostLogoutRedirectURI string // empty: none is registered
	Home                  string // where a logout ends without one: the SPA
	PublicURL             string // scheme and host; empty: those of the request
	Proxies               clientip.Proxies
	BasePath              string // of the agent, without a slash at its end
	CSRFHeader            string
	DirectLogout          bool // answer with the authorization server's own logout URL
	SessionClaims         bool // /session tells the ID token's claims

	// ReadNeedsToken reports whether a request that only reads has to bring the
	// CSRF token; nil: none has to.
	ReadNeedsToken func(*http.Request) bool
}

// Events is told what happens to users; issuer and subject are empty where they
// are not known.
type Events interface {
	LoginStarted(ctx context.Context)
	LoginCompleted(ctx context.Context, issuer, subject string)
	LoggedOut(ctx context.Context, issuer, subject string)
}

// Options are what the endpoints work with; each is needed.
type Options struct {
	Server   *authserver.Client
	Tokens   *tokens.Source
	Jar      *cookie.Jar
	Sessions *session.Store
	Store    store.Store // of logouts that were continued
	Clock    func() time.Time
	Log      *slog.Logger
	Events   Events
}

// Agent is the endpoints with what they depend on.
type Agent struct {
	cfg      Config
	as       *authserver.Client
	tokens   *tokens.Source
	jar      *cookie.Jar
	sessions *session.Store
	store    store.Store
	clock    func() time.Time
	log      *slog.Logger
	events   Events

	warnUserinfo sync.Once
}

// New makes the endpoints.
func New(cfg Config, opt Options) *Agent {
	return &Agent{
		cfg: cfg, as: opt.Server, tokens: opt.Tokens, jar: opt.Jar, sessions: opt.Sessions, store: opt.Store,
		clock: opt.Clock, log: opt.Log, events: opt.Events,
	}
}

// renewable finds the session for a state-changing call and checks its CSRF
// token.
func (a *Agent) renewable(r *http.Request, got *cookie.RequestCookies) (*session.Session, error) {
	s, err := a.sessions.Renewable(got)
	if err != nil {
		return nil, noSession(err)
	}
	if err := a.checkCSRF(r, s); err != nil {
		return nil, err
	}
	return s, nil
}

// current finds the session for a call that reads, and checks the CSRF token
// where such a call has to bring it.
func (a *Agent) current(r *http.Request) (*session.Session, error) {
	s, err := a.sessions.Current(cookie.Read(r))
	if err != nil {
		return nil, noSession(err)
	}
	if a.cfg.ReadNeedsToken != nil && a.cfg.ReadNeedsToken(r) {
		if err := a.checkCSRF(r, s); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func (a *Agent) checkCSRF(r *http.Request, s *session.Session) error {
	if err := s.CheckCSRF(r.Header.Values(a.cfg.CSRFHeader)); err != nil {
		return httperr.Unauthorized("the CSRF header is missing or wrong", err).Because(httperr.ReasonCSRF)
	}
	return nil
}

func noSession(cause error) error {
	reason := httperr.ReasonBrokenSession
	if errors.Is(cause, session.ErrNone) {
		reason = httperr.ReasonNoSession
	}
	return httperr.Unauthorized("there is no session: the user is not logged in", cause).Because(reason)
}

// Routes are the endpoints, below the base path.
func (a *Agent) Routes() []httproute.Route {
	return []httproute.Route{
		{Methods: httproute.Post(), Path: "/login/start", Policy: httproute.Fetch, Handler: a.Start, Limit: httproute.LoginStart},
		{Methods: httproute.Post(), Path: "/login/end", Policy: httproute.Fetch, Handler: a.End},
		{Methods: httproute.Get(), Path: "/session", Policy: httproute.Fetch, Handler: a.Session},
		{Methods: httproute.Get(), Path: "/userInfo", Policy: httproute.Fetch, Handler: a.UserInfo},
		{Methods: httproute.Get(), Path: "/claims", Policy: httproute.Fetch, Handler: a.Claims},
		{Methods: httproute.Post(), Path: "/refresh", Policy: httproute.Fetch, Handler: a.Refresh},
		{Methods: httproute.Post(), Path: "/logout", Policy: httproute.Fetch, Handler: a.Logout},
		{Methods: []string{http.MethodGet}, Path: "/logout/continue", Policy: httproute.Navigation, Handler: a.Continue},
	}
}
