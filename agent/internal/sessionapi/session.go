package sessionapi

import (
	"encoding/json"
	"net/http"

	"oauth-agent/agent/internal/cookie"
	"oauth-agent/agent/internal/httperr"
	"oauth-agent/agent/internal/session"
)

// session answers GET /session with what /login/end says when a page loads, for a page
// that has no authorization response to hand in. It is 200 without a session, too.
//
// The claims of the ID token are added where the settings say so: they are personal
// data, which not every page needs.
func (h *Handlers) session(w http.ResponseWriter, r *http.Request) error {
	s, status, err := h.Sessions.LoadStatus(w, cookie.Read(r))
	if err != nil {
		return err
	}
	answer := struct {
		session.Status
		Claims json.RawMessage `json:"claims,omitempty"`
	}{Status: status}
	if s != nil && h.Claims {
		// Without an ID token, or with one that cannot be read, there are none.
		answer.Claims, _, _ = h.Server.ReadIDToken(s.IDToken())
	}
	httperr.WriteJSON(w, http.StatusOK, answer)
	return nil
}
