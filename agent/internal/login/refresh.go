package login

import (
	"errors"
	"net/http"

	"oauth-agent/agent/internal/authserver"
	"oauth-agent/agent/internal/cookie"
	"oauth-agent/agent/internal/httperr"
	"oauth-agent/agent/internal/tokens"
)

// Refresh answers POST /refresh with rewritten cookies (RFC 6749 6, RFC 9700
// 4.14.2).
//
// The session ends only when the authorization server says that its refresh
// token is dead. A server that is down, slow or misconfigured costs nobody a
// session. Parallel and late calls with one refresh token share one exchange,
// see authserver.
//
// Steps: find the session by its refresh token; check the CSRF token; exchange;
// write every cookie anew.
func (a *Agent) Refresh(w http.ResponseWriter, r *http.Request) error {
	got := cookie.Read(r)
	s, err := a.renewable(r, got)
	if err != nil {
		return err
	}
	refresh := s.Refresh()
	if refresh.Empty() {
		return httperr.Unauthorized("the session has no refresh token: log in again", nil).Because(httperr.ReasonNoSession)
	}
	renewed, err := a.tokens.Refresh(r.Context(), tokens.Grant{Refresh: refresh, Access: s.Access, ID: s.IDToken()})
	if err != nil {
		if errors.Is(err, authserver.ErrSessionOver) {
			a.sessions.End(w, got)
		}
		return httperr.Failed(httperr.EventRefreshFailed, told(err))
	}
	if err := a.sessions.Refreshed(w, s, sessionTokens(renewed)); err != nil {
		return told(err)
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
