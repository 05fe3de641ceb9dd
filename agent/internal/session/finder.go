package session

import (
	"errors"
	"net/http"

	"oauth-agent/agent/internal/cookie"
	"oauth-agent/agent/internal/httperr"
)

// Finder finds the sessions of requests to the OAuth Agent's endpoints, and checks the
// CSRF token that they bring. Its errors are answers: 401 unauthorized_request.
type Finder struct {
	*Store
	// CSRFHeader is the header that brings the CSRF token.
	CSRFHeader string
	// ReadNeedsCSRF reports whether a request that only reads has to bring the CSRF
	// token; nil: none has to.
	ReadNeedsCSRF func(*http.Request) bool
}

// ForUpdate returns the session of a request that changes something. It may be one
// that has lost its access token and can be refreshed.
func (f Finder) ForUpdate(r *http.Request, cookies *cookie.RequestCookies) (*Session, error) {
	s, err := f.Renewable(cookies)
	if err != nil {
		return nil, Missing(err)
	}
	if err := f.checkCSRF(r, s); err != nil {
		return nil, err
	}
	return s, nil
}

// ForRead returns the session of a request that only reads.
func (f Finder) ForRead(r *http.Request) (*Session, error) {
	s, err := f.Current(cookie.Read(r))
	if err != nil {
		return nil, Missing(err)
	}
	if f.ReadNeedsCSRF != nil && f.ReadNeedsCSRF(r) {
		if err := f.checkCSRF(r, s); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func (f Finder) checkCSRF(r *http.Request, s *Session) error {
	if err := s.CheckCSRF(r.Header.Values(f.CSRFHeader)); err != nil {
		return httperr.Unauthorized("the CSRF header is missing or wrong", err).Because(httperr.ReasonCSRF)
	}
	return nil
}

// Missing returns the answer to a request without a session that can be used, with
// the cause for the log.
func Missing(cause error) error {
	reason := httperr.ReasonBrokenSession
	if errors.Is(cause, ErrNone) {
		reason = httperr.ReasonNoSession
	}
	return httperr.Unauthorized("there is no session: the user is not logged in", cause).Because(reason)
}

// ToHTTPError returns the answer for an error of writing a session: tokens that are
// too large for its cookies are the authorization server's fault. Other errors are
// returned as they are.
func ToHTTPError(err error) error {
	var size *cookie.SizeError
	if errors.As(err, &size) {
		return httperr.New(http.StatusBadGateway, httperr.AuthorizationServerError, size.Error(), err)
	}
	return err
}
