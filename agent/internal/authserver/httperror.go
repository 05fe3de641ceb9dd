package authserver

import (
	"errors"
	"net/http"

	"oauth-agent/agent/internal/httperr"
)

// ToHTTPError returns the answer for an error of this package. The server's own words
// stay in the log. Other errors are returned as they are.
func ToHTTPError(err error) error {
	var extra *ExtraParamsError
	switch {
	case errors.As(err, &extra):
		return httperr.BadRequest(extra.Error(), nil)
	case errors.Is(err, ErrIssuer):
		return httperr.BadRequest("the authorization response comes from another issuer", err).Because(httperr.ReasonIssuer)
	case errors.Is(err, ErrIDToken):
		return httperr.BadRequest("the ID token was refused", err).Because(httperr.ReasonIDToken)
	case errors.Is(err, ErrCodeRefused):
		return authorizationError("the authorization server refused the code", err).Because(httperr.ReasonCode)
	case errors.Is(err, ErrClientRefused):
		return authorizationError("the authorization server refused the agent as a client", err)
	case errors.Is(err, ErrForbidden):
		return authorizationError("the authorization server does not allow this with the session's token", err)
	case errors.Is(err, ErrTokenExpired):
		return httperr.New(http.StatusUnauthorized, httperr.TokenExpired, "the access token has expired: refresh", err).Because(httperr.ReasonTokenExpired)
	case errors.Is(err, ErrSessionOver):
		return httperr.New(http.StatusUnauthorized, httperr.SessionExpired, "the session has ended: log in again", err).Because(httperr.ReasonSessionExpired)
	case errors.Is(err, ErrNoUserinfo):
		return httperr.New(http.StatusNotFound, httperr.NotFound, "the authorization server has no userinfo endpoint", err)
	case errors.Is(err, ErrUnavailable):
		return httperr.New(http.StatusBadGateway, httperr.AuthorizationServerError, "the authorization server cannot be reached, or its answer makes no sense", err)
	default:
		return err
	}
}

func authorizationError(message string, cause error) *httperr.Error {
	return httperr.New(http.StatusBadRequest, httperr.AuthorizationError, message, cause)
}
