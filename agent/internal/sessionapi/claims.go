package sessionapi

import (
	"net/http"

	"oauth-agent/agent/internal/httperr"
	"oauth-agent/agent/internal/session"
)

// claims answers GET /claims with the claims of the ID token (OpenID Connect Core 2), as
// they were verified when it came. A session that has lost its ID token is distinguished
// from one that was never given one: a new login brings another.
func (h *Handlers) claims(w http.ResponseWriter, r *http.Request) error {
	s, err := h.Sessions.ForRead(r)
	if err != nil {
		return err
	}
	id := s.IDToken()
	switch {
	case id.Empty() && s.GivenIDToken():
		return httperr.Unauthorized("the ID token of the session is missing or does not open: log in again", nil).Because(httperr.ReasonBrokenSession)
	case id.Empty():
		return httperr.New(http.StatusNotFound, httperr.NoIDToken, "the session has no ID token: openid is not in its scope", nil)
	}
	claims, _, err := h.Server.ReadIDToken(id)
	if err != nil {
		return session.Missing(err)
	}
	writeObject(w, claims)
	return nil
}
