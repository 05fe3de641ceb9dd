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

// decider is the one decision that reverse proxy and forward auth share: may
// this request go up, and with which token. Neither the path nor Accept nor
// User-Agent has a say in it: what a client can claim opens nothing.
type decider struct {
	store      *session.Store
	origins    Origins
	csrfHeader string
	renewal    *renewal // nil: tokens are not refreshed on the way
}

// rules are what a route may relax.
type rules struct{ allowBearer, public, skipCSRF bool }

func (rt *route) rules() rules {
	return rules{allowBearer: rt.AllowBearer, public: rt.Public, skipCSRF: rt.SkipCSRF}
}

// grant is the permission to go up.
type grant struct {
	// token is empty where the request goes without one of ours.
	token  secret.String
	expiry time.Time // of the token; zero: unknown
	// own tells that the client's Authorization stays.
	own bool
}

// decide gives the grant of a request, or 401. The order matters: a page of a
// foreign origin learns nothing about the session, and a call without its CSRF
// token does not cause a refresh.
func (d *decider) decide(w http.ResponseWriter, r *http.Request, rules rules) (grant, error) {
	if isUpgrade(r.Header) {
		// No preflight stands before a WebSocket, and its page can set no header.
		if err := d.origins.CheckOrigin(r); err != nil {
			return grant{}, err
		}
	}
	if rules.allowBearer && bringsBearer(r.Header) {
		// A page of another origin cannot set this header without a preflight.
		return grant{own: true}, nil
	}
	if err := d.origins.Check(r); err != nil {
		return grant{}, err
	}
	s, err := d.find(r)
	switch {
	case err != nil && rules.public:
		return grant{}, nil
	case err != nil:
		return grant{}, errNoSession(err)
	}
	if !rules.skipCSRF && (!httpsem.Safe(r.Method) || d.origins.NeedsToken(r)) {
		if err := s.CheckCSRF(r.Header[d.csrfHeader]); err != nil {
			return grant{}, httperr.Unauthorized(err.Error(), nil).Because(httperr.ReasonCSRF)
		}
	}
	return d.grant(w, r, s)
}

// find gives the session of a request.
func (d *decider) find(r *http.Request) (*session.Session, error) {
	got := cookie.Read(r)
	s, err := d.store.Current(got)
	if err != nil && d.renewal != nil {
		return d.store.Renewable(got)
	}
	return s, err
}

func (d *decider) grant(w http.ResponseWriter, r *http.Request, s *session.Session) (grant, error) {
	switch {
	case d.renewal != nil:
		return d.renewal.grant(w, r, s)
	case s.Expired():
		return grant{}, errExpired()
	}
	return grant{token: s.Access, expiry: s.Expiry()}, nil
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

// isUpgrade tells the handshake of a WebSocket (RFC 6455 4.1). A gateway may
// have taken Connection and Upgrade off what it asks with; the rest remains,
// and no script can set it.
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

// bringsBearer tells whether a request has a bearer token of its own.
func bringsBearer(h http.Header) bool {
	values := h["Authorization"]
	if len(values) != 1 {
		return false
	}
	scheme, token, _ := strings.Cut(values[0], " ")
	return strings.EqualFold(scheme, "Bearer") && strings.TrimSpace(token) != ""
}
