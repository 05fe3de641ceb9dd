package login

import (
	"net/http"
	"strconv"

	"oauth-agent/agent/internal/cookie"
	"oauth-agent/agent/internal/httperr"
)

// UserInfo answers GET /userInfo with what the authorization server says of the
// user (OpenID Connect Core 5.3).
//
// The answer is the server's at this moment, not what was sealed at login. Its
// sub must be the ID token's (5.3.2): a token substituted on the way would tell
// of somebody else.
func (a *Agent) UserInfo(w http.ResponseWriter, r *http.Request) error {
	s, err := a.current(cookie.Read(r))
	if err != nil {
		return err
	}
	var sub string
	if id := s.IDToken(); !id.Empty() {
		_, who, err := a.as.ReadIDToken(id)
		if err != nil {
			return noSession(err)
		}
		sub = who.Subject
	}
	body, err := a.as.Userinfo(r.Context(), s.Access, sub)
	if err != nil {
		return told(err)
	}
	writeObject(w, body)
	return nil
}

// Claims answers GET /claims with the claims of the ID token (OpenID Connect
// Core 2), as they were verified when it came.
func (a *Agent) Claims(w http.ResponseWriter, r *http.Request) error {
	s, err := a.current(cookie.Read(r))
	if err != nil {
		return err
	}
	id := s.IDToken()
	if id.Empty() {
		return httperr.New(http.StatusNotFound, httperr.NoIDToken, "the session has no ID token: openid is not in its scope", nil)
	}
	claims, _, err := a.as.ReadIDToken(id)
	if err != nil {
		return noSession(err)
	}
	writeObject(w, claims)
	return nil
}

// writeObject sends a JSON object as it was received.
func writeObject(w http.ResponseWriter, body []byte) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	_, _ = w.Write(body)
}
