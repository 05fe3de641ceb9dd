package login

import (
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"oauth-agent/agent/internal/cookie"
	"oauth-agent/agent/internal/httperr"
	"oauth-agent/agent/internal/secret"
	"oauth-agent/agent/internal/session"
)

// status is what a page is told of its session. The times are in seconds from
// now, and absent where they are not known; a negative one is past.
type status struct {
	IsLoggedIn           bool   `json:"isLoggedIn"`
	CSRF                 string `json:"csrf,omitempty"`
	AccessTokenExpiresIn *int64 `json:"accessTokenExpiresIn,omitempty"`
	SessionExpiresIn     *int64 `json:"sessionExpiresIn,omitempty"`
}

func (a *Agent) status(csrf secret.String, tokenEnd, sessionEnd time.Time) status {
	return status{
		IsLoggedIn: true, CSRF: csrf.Reveal(),
		AccessTokenExpiresIn: a.until(tokenEnd), SessionExpiresIn: a.until(sessionEnd),
	}
}

// until is the seconds from now to t, or nil where t is unknown.
func (a *Agent) until(t time.Time) *int64 {
	if t.IsZero() {
		return nil
	}
	seconds := int64(t.Sub(a.clock()) / time.Second)
	return &seconds
}

// look finds the session for a page that asks whether there is one. Cookies
// that do not open are cleared, so that nobody is stuck with them; a CSRF cookie
// that got lost is made anew. A session that has lost its access token alone is
// one still: it can be refreshed, and the page is told that it should be.
func (a *Agent) look(w http.ResponseWriter, got *cookie.RequestCookies) (*session.Session, status, error) {
	s, err := a.sessions.Current(got)
	if errors.Is(err, session.ErrNone) {
		s, err = a.sessions.Renewable(got)
	}
	if err != nil || !s.ClearUnreadable(w) {
		a.sessions.End(w, got)
		return nil, status{}, nil
	}
	csrf := s.CSRF()
	if csrf.Empty() {
		if csrf, err = a.sessions.RestoreCSRF(w, s); err != nil {
			return nil, status{}, told(err)
		}
	}
	expiry := s.Expiry()
	if s.Access.Empty() {
		expiry = a.clock()
	}
	return s, a.status(csrf, expiry, s.EndsAt()), nil
}

// Session answers GET /session with the same as /login/end says on a page load,
// for a page that has no response to hand in; 200 also when logged out.
//
// The claims of the ID token come along where the settings say so: they are
// personal data, which not every page needs.
func (a *Agent) Session(w http.ResponseWriter, r *http.Request) error {
	s, st, err := a.look(w, cookie.Read(r))
	if err != nil {
		return err
	}
	answer := struct {
		status
		Claims json.RawMessage `json:"claims,omitempty"`
	}{status: st}
	if s != nil && a.cfg.SessionClaims {
		// Without an ID token, or with one that is not readable, there are none.
		answer.Claims, _, _ = a.as.ReadIDToken(s.IDToken())
	}
	httperr.WriteJSON(w, http.StatusOK, answer)
	return nil
}
