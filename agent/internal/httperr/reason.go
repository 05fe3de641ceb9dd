package httperr

import (
	"log/slog"
	"net/http"
)

// Why a request was refused ([Error.Reason]). There are no others: they are
// labels of metrics, and what alerts are written for.
const (
	ReasonOrigin         = "origin"          // the web origin is not trusted
	ReasonNavigation     = "navigation"      // a script where only a navigation may go
	ReasonCSRF           = "csrf"            // the CSRF token is missing or wrong
	ReasonNoSession      = "no_session"      // no session cookie
	ReasonBrokenSession  = "broken_session"  // one that does not open
	ReasonTokenExpired   = "token_expired"   // the access token is past its time
	ReasonSessionExpired = "session_expired" // the refresh token is dead
	ReasonPath           = "path"            // a path or query that could be read in two ways
	ReasonResponse       = "response"        // an authorization response that answers no login, or says two things
	ReasonIssuer         = "issuer"          // an authorization response of another server (RFC 9207)
	ReasonIDToken        = "id_token"        // an ID token that did not pass
	ReasonCode           = "code"            // a code that is spent, wrong or another's
	ReasonClient         = "client"          // a client that is not registered, or has a secret
	ReasonRedirectURI    = "redirect_uri"    // one that is not registered
	ReasonChallenge      = "challenge"       // a code challenge that is missing or unsafe
	ReasonState          = "state"           // a state of nobody's
	ReasonToken          = "token"           // a token that was issued to another client
	ReasonRequest        = "request"         // an authorization request that is wrong in another way
	ReasonRateLimit      = "rate_limit"      // too many requests of one address
	ReasonBusy           = "busy"            // too many requests at a time
)

// What has failed ([Error.Event]).
const (
	EventRefused       = "refused" // a request, when nothing else is said
	EventLoginFailed   = "login_failed"
	EventRefreshFailed = "refresh_failed"
	EventLogoutFailed  = "logout_failed"
)

// Reasons lists them all.
func Reasons() []string {
	return []string{
		ReasonOrigin, ReasonNavigation, ReasonCSRF, ReasonNoSession, ReasonBrokenSession, ReasonTokenExpired,
		ReasonSessionExpired, ReasonPath, ReasonResponse, ReasonIssuer, ReasonIDToken, ReasonCode, ReasonClient,
		ReasonRedirectURI, ReasonChallenge, ReasonState, ReasonToken, ReasonRequest, ReasonRateLimit,
		ReasonBusy,
	}
}

// Because sets the reason of an error that was just made.
func (e *Error) Because(reason string) *Error {
	e.Reason = reason
	return e
}

// Failed marks an error, if there is one, as the end of a login, a refresh or a
// logout.
func Failed(event string, err error) error {
	if err == nil {
		return nil
	}
	e := *As(err)
	e.Event = event
	return &e
}

// Tell tells an error, for one that is answered in another way than by [Renderer.Write].
// What the client is not told has one line in the log, which is a security event
// where the error says what has happened.
func (rd *Renderer) Tell(r *http.Request, e *Error) {
	if rd.Note != nil {
		rd.Note(r, e)
	}
	level, message := slog.LevelInfo, "request refused"
	if e.Status >= http.StatusInternalServerError {
		level, message = slog.LevelError, "request failed"
	}
	attrs := make([]slog.Attr, 0, 5)
	switch {
	case e.Event != "" || e.Reason != "":
		message = "security"
		event := e.Event
		if event == "" {
			event = EventRefused
		}
		attrs = append(attrs, slog.String("event", event), slog.String("reason", e.why()))
	case e.Err == nil && level == slog.LevelInfo:
		return
	}
	rd.Log.LogAttrs(r.Context(), level, message, append(attrs,
		slog.Int("status", e.Status), slog.String("code", e.Code), slog.String("error", e.Error()))...)
}

// why is the reason, or the code where none is given.
func (e *Error) why() string {
	if e.Reason != "" {
		return e.Reason
	}
	return e.Code
}
