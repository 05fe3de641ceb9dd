package sessionapi

import (
	"context"
	"errors"
	"net/http"
	"time"

	"oauth-agent/agent/internal/authserver"
	"oauth-agent/agent/internal/httperr"
	"oauth-agent/agent/internal/session"
)

// newTokenAge is how old an access token must be before its refusal can mean that it has
// expired.
const newTokenAge = time.Minute

// userInfo answers GET /userInfo with what the authorization server says of the user at
// this moment (OpenID Connect Core 5.3). Its sub must be the ID token's (5.3.2): a token
// that was substituted on the way would bring somebody else's data.
//
// A token that the server has just given and does not take here is not meant for
// userinfo, such as one whose audience is an API. That has an answer of its own: a page
// that takes the token for expired would refresh it and ask again without end.
func (h *Handlers) userInfo(w http.ResponseWriter, r *http.Request) error {
	s, err := h.Sessions.ForRead(r)
	if err != nil {
		return err
	}
	var sub string
	if id := s.IDToken(); !id.Empty() {
		_, who, err := h.Server.ReadIDToken(id)
		if err != nil {
			return session.Missing(err)
		}
		sub = who.Subject
	}
	body, err := h.Server.Userinfo(r.Context(), s.Access, sub)
	switch {
	case errors.Is(err, authserver.ErrTokenExpired) && !s.Expired() && s.Age() < newTokenAge:
		return h.userinfoRefused(r.Context(), err)
	case err != nil:
		return authserver.ToHTTPError(err)
	}
	writeObject(w, body)
	return nil
}

// userinfoRefused returns the answer for a token that is good and not meant for
// userinfo. It is logged once, since it happens at every call.
func (h *Handlers) userinfoRefused(ctx context.Context, cause error) error {
	h.warnUserinfo.Do(func() {
		h.Log.WarnContext(ctx, "userinfo refuses access tokens that the authorization server has just given: "+
			"they are not meant for it, and pages should ask for /claims instead", "error", cause)
	})
	return httperr.New(http.StatusForbidden, httperr.UserinfoRefused,
		"the authorization server refuses its own new access token at userinfo: use /claims", nil)
}
