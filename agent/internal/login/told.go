package login

import (
	"errors"
	"net/http"
	"slices"

	"oauth-agent/agent/internal/authserver"
	"oauth-agent/agent/internal/cookie"
	"oauth-agent/agent/internal/httperr"
	"oauth-agent/agent/internal/tokens"
)

// told turns what went wrong with the authorization server into an answer.
func told(err error) error {
	var extra *authserver.ExtraParamsError
	var size *cookie.SizeError
	switch {
	case errors.As(err, &extra):
		return httperr.BadRequest(extra.Error(), nil)
	case errors.As(err, &size):
		return serverFault(size.Error(), err)
	case errors.Is(err, authserver.ErrIssuer):
		return httperr.BadRequest("the authorization response comes from another issuer", err).Because(httperr.ReasonIssuer)
	case errors.Is(err, authserver.ErrIDToken):
		return httperr.BadRequest("the ID token was refused", err).Because(httperr.ReasonIDToken)
	case errors.Is(err, tokens.ErrCodeSpent):
		return httperr.BadRequest("this login has ended already", err).Because(httperr.ReasonCode)
	case errors.Is(err, authserver.ErrCodeRefused):
		return authorizationError("the authorization server refused the code", err).Because(httperr.ReasonCode)
	case errors.Is(err, authserver.ErrClientRefused):
		return authorizationError("the authorization server refused the agent as a client", err)
	case errors.Is(err, authserver.ErrForbidden):
		return authorizationError("the authorization server does not allow this with the session's token", err)
	case errors.Is(err, authserver.ErrTokenExpired):
		return httperr.New(http.StatusUnauthorized, httperr.TokenExpired, "the access token has expired: refresh", err).Because(httperr.ReasonTokenExpired)
	case errors.Is(err, authserver.ErrSessionOver):
		return httperr.New(http.StatusUnauthorized, httperr.SessionExpired, "the session has ended: log in again", err).Because(httperr.ReasonSessionExpired)
	case errors.Is(err, authserver.ErrNoUserinfo):
		return httperr.New(http.StatusNotFound, httperr.NotFound, "the authorization server has no userinfo endpoint", err)
	case errors.Is(err, authserver.ErrUnavailable):
		return serverFault("the authorization server cannot be reached, or its answer makes no sense", err)
	default:
		return err
	}
}

func serverFault(message string, cause error) error {
	return httperr.New(http.StatusBadGateway, httperr.AuthorizationServerError, message, cause)
}

func authorizationError(message string, cause error) *httperr.Error {
	return httperr.New(http.StatusBadRequest, httperr.AuthorizationError, message, cause)
}

// responseError passes an error of the authorization response on (RFC 6749
// 4.1.2.1, OpenID Connect Core 3.1.2.6). The code is the server's, the words
// are ours: its text could say anything to the user.
func responseError(code string) error {
	switch {
	case !authserver.PlainCode(code):
		return authorizationError("the authorization server refused the login", nil)
	case slices.Contains([]string{"login_required", "interaction_required", "consent_required", "account_selection_required"}, code):
		return httperr.New(http.StatusUnauthorized, code, "the authorization server needs the user: log in", nil)
	default:
		return httperr.New(http.StatusBadRequest, code, "the authorization server refused the login", nil)
	}
}
