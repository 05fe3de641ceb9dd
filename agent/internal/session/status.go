package session

import (
	"net/http"
	"time"

	"oauth-agent/agent/internal/cookie"
	"oauth-agent/agent/internal/secret"
)

// Status is what a page learns of its session, as JSON. The times are in seconds from
// now, negative when they are past, and absent when they are not known.
type Status struct {
	IsLoggedIn           bool   `json:"isLoggedIn"`
	CSRF                 string `json:"csrf,omitempty"`
	AccessTokenExpiresIn *int64 `json:"accessTokenExpiresIn,omitempty"`
	SessionExpiresIn     *int64 `json:"sessionExpiresIn,omitempty"`
}

// NewStatus returns the status of a session that has just started.
func (st *Store) NewStatus(csrf secret.String, tokenExpiry time.Time) Status {
	return st.status(csrf, tokenExpiry, st.EndsAt(st.clock()))
}

// LoadStatus finds the session for a page that asks whether there is one. Without one
// the session is nil and the status says that the user is not logged in.
//
// Cookies that do not open are cleared, so that nobody is stuck with them, and a CSRF
// cookie that was lost is replaced. A session that has lost its access token alone can
// be refreshed: its status says that the token expires now.
func (st *Store) LoadStatus(w http.ResponseWriter, cookies *cookie.RequestCookies) (*Session, Status, error) {
	s, err := st.Renewable(cookies)
	if err != nil || !s.ClearUnreadable(w) {
		st.End(w, cookies)
		return nil, Status{}, nil
	}
	csrf := s.CSRF()
	if csrf.Empty() {
		if csrf, err = st.RestoreCSRF(w, s); err != nil {
			return nil, Status{}, ToHTTPError(err)
		}
	}
	expiry := s.Expiry()
	if s.Access.Empty() {
		expiry = st.clock()
	}
	return s, st.status(csrf, expiry, s.EndsAt()), nil
}

func (st *Store) status(csrf secret.String, tokenExpiry, sessionEnd time.Time) Status {
	return Status{
		IsLoggedIn: true, CSRF: csrf.Reveal(),
		AccessTokenExpiresIn: st.until(tokenExpiry), SessionExpiresIn: st.until(sessionEnd),
	}
}

// until returns the seconds from now to t, or nil where t is unknown.
func (st *Store) until(t time.Time) *int64 {
	if t.IsZero() {
		return nil
	}
	seconds := int64(t.Sub(st.clock()) / time.Second)
	return &seconds
}
