package apiproxy

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"oauth-agent/agent/internal/cookie"
	"oauth-agent/agent/internal/httperr"
	"oauth-agent/agent/internal/httpsem"
	"oauth-agent/agent/internal/secret"
	"oauth-agent/agent/internal/session"
)

// authorizer makes the decision that reverse proxy and forward auth share: may
// this request go up, and with which token. It considers neither the path nor
// Accept nor User-Agent: what a client can claim opens nothing.
type authorizer struct {
	store      *session.Store
	origins    Origins
	csrfHeader string
	refresh    *inlineRefresh // nil: tokens are not refreshed here
}

// routePolicy is what a route may relax.
type routePolicy struct{ allowBearer, public, skipCSRF bool }

// decision is what goes up with a request that may.
type decision struct {
	// token is empty where the request goes without one of the agent's.
	token  secret.String
	expiry time.Time // of the token; zero: unknown
	// fromClient reports whether the client's Authorization stays.
	fromClient bool
}

// decide returns the decision about a request, or 401. The order matters: a page of
// a foreign origin learns nothing about the session, and a call without its CSRF
// token does not cause a refresh.
func (a *authorizer) decide(w http.ResponseWriter, r *http.Request, policy routePolicy) (decision, error) {
	if isUpgrade(r.Header) {
		// No preflight comes before a WebSocket, and its page can set no header.
		if err := a.origins.CheckOrigin(r); err != nil {
			return decision{}, err
		}
	}
	if policy.allowBearer && bringsBearer(r.Header) {
		// A page of another origin cannot set this header without a preflight.
		return decision{fromClient: true}, nil
	}
	if err := a.origins.Check(r); err != nil {
		return decision{}, err
	}
	s, err := a.find(r)
	switch {
	case err != nil && policy.public:
		return decision{}, nil
	case err != nil:
		return decision{}, errNoSession(err)
	}
	if !policy.skipCSRF && (!httpsem.Safe(r.Method) || a.origins.NeedsToken(r)) {
		if err := s.CheckCSRF(r.Header[a.csrfHeader]); err != nil {
			return decision{}, httperr.Unauthorized(err.Error(), nil).Because(httperr.ReasonCSRF)
		}
	}
	return a.withToken(w, r, s)
}

// find returns the session of a request.
func (a *authorizer) find(r *http.Request) (*session.Session, error) {
	got := cookie.Read(r)
	s, err := a.store.Current(got)
	if err != nil && a.refresh != nil {
		return a.store.Renewable(got)
	}
	return s, err
}

// withToken returns the decision with the access token of a session.
func (a *authorizer) withToken(w http.ResponseWriter, r *http.Request, s *session.Session) (decision, error) {
	switch {
	case a.refresh != nil:
		return a.refresh.decide(w, r, s)
	case s.Expired():
		return decision{}, errExpired()
	}
	return decision{token: s.Access, expiry: s.Expiry()}, nil
}

// errExpired makes the SPA call /refresh.
func errExpired() error {
	return httperr.New(http.StatusUnauthorized, httperr.TokenExpired, "the access token has expired", nil).Because(httperr.ReasonTokenExpired)
}

func errNoSession(cause error) error {
	reason := httperr.ReasonBrokenSession
	if errors.Is(cause, session.ErrNone) {
		reason = httperr.ReasonNoSession
	}
	return httperr.Unauthorized("there is no session", nil).Because(reason)
}

// isUpgrade reports whether headers are the handshake of a WebSocket (RFC 6455
// 4.1). A gateway may have removed Connection and Upgrade from what it asks with;
// the rest remains, and no script can set it.
func isUpgrade(h http.Header) bool {
	return wantsWebSocket(h) || len(h["Sec-Websocket-Key"]) > 0
}

func wantsWebSocket(h http.Header) bool {
	for _, v := range h["Upgrade"] {
		if strings.Contains(strings.ToLower(v), "websocket") {
			return true
		}
	}
	return false
}

// bringsBearer reports whether a request has a bearer token of its own.
func bringsBearer(h http.Header) bool {
	values := h["Authorization"]
	if len(values) != 1 {
		return false
	}
	scheme, token, _ := strings.Cut(values[0], " ")
	return strings.EqualFold(scheme, "Bearer") && strings.TrimSpace(token) != ""
}
