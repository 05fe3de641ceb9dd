package login

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"oauth-agent/agent/internal/authserver"
	"oauth-agent/agent/internal/httperr"
)

// justGiven is how old an access token must be before its refusal can mean that it
// has expired.
const justGiven = time.Minute

// UserInfo answers GET /userInfo with what the authorization server says of the
// user (OpenID Connect Core 5.3).
//
// The answer is the server's at this moment, not what was sealed at login. Its
// sub must be the ID token's (5.3.2): a token substituted on the way would tell
// of somebody else.
//
// A token that the server has just given and does not take here is not meant for
// userinfo, such as one whose audience is an API. A page that was told that it has
// expired would refresh it and ask again without end.
func (a *Agent) UserInfo(w http.ResponseWriter, r *http.Request) error {
	s, err := a.current(r)
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
	switch {
	case errors.Is(err, authserver.ErrTokenExpired) && !s.Expired() && s.Age() < justGiven:
		return a.userinfoRefused(r.Context(), err)
	case err != nil:
		return told(err)
	}
	writeObject(w, body)
	return nil
}

// userinfoRefused is the answer for a token that is good and not meant for
// userinfo. The log tells of it once, since it does so at every call.
func (a *Agent) userinfoRefused(ctx context.Context, cause error) error {
	a.warnUserinfo.Do(func() {
		a.log.WarnContext(ctx, "userinfo refuses access tokens that the authorization server has just given: "+
			"they are not meant for it, and pages should ask for /claims instead", "error", cause)
	})
	return httperr.New(http.StatusForbidden, httperr.UserinfoRefused,
		"the authorization server refuses its own new access token at userinfo: use /claims", nil)
}

// Claims answers GET /claims with the claims of the ID token (OpenID Connect
// Core 2), as they were verified when it came. A session that has lost its ID
// token is not one without: a new login brings another.
func (a *Agent) Claims(w http.ResponseWriter, r *http.Request) error {
	s, err := a.current(r)
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
