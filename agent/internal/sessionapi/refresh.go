package sessionapi

import (
	"errors"
	"net/http"

	"oauth-agent/agent/internal/authserver"
	"oauth-agent/agent/internal/cookie"
	"oauth-agent/agent/internal/httperr"
	"oauth-agent/agent/internal/session"
)

// refresh answers POST /refresh with rewritten cookies (RFC 6749 6, RFC 9700 4.14.2).
//
// The session ends only when the authorization server says that its refresh token is
// dead. A server that is down, slow or misconfigured costs nobody a session. Parallel
// and late calls with one refresh token share one exchange.
//
// Steps: find the session by its refresh token; check the CSRF token; exchange; write
// every cookie anew.
func (h *Handlers) refresh(w http.ResponseWriter, r *http.Request) error {
	cookies := cookie.Read(r)
	s, err := h.Sessions.ForUpdate(r, cookies)
	if err != nil {
		return err
	}
	old := session.Tokens{Access: s.Access, Refresh: s.Refresh(), ID: s.IDToken(), Expiry: s.Expiry()}
	if old.Refresh.Empty() {
		return httperr.Unauthorized("the session has no refresh token: log in again", nil).Because(httperr.ReasonNoSession)
	}
	renewed, err := h.Tokens.Refresh(r.Context(), old)
	if err != nil {
		if errors.Is(err, authserver.ErrSessionOver) {
			h.Sessions.End(w, cookies)
		}
		return httperr.Failed(httperr.EventRefreshFailed, authserver.ToHTTPError(err))
	}
	if err := h.Sessions.Refreshed(w, s, renewed); err != nil {
		return session.ToHTTPError(err)
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
