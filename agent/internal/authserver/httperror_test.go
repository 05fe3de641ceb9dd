package authserver

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"oauth-agent/agent/internal/httperr"
)

// Whatever goes wrong at the authorization server has an answer, and is never a fault
// of ours; the server's own words stay in the log.
func TestToHTTPError(t *testing.T) {
	for _, tt := range []struct {
		err          error
		status       int
		code, reason string
	}{
		{&ExtraParamsError{}, 400, "invalid_request", ""},
		{ErrIssuer, 400, "invalid_request", httperr.ReasonIssuer},
		{ErrIDToken, 400, "invalid_request", httperr.ReasonIDToken},
		{ErrCodeRefused, 400, "authorization_error", httperr.ReasonCode},
		{ErrClientRefused, 400, "authorization_error", ""},
		{ErrForbidden, 400, "authorization_error", ""},
		{ErrTokenExpired, 401, "token_expired", httperr.ReasonTokenExpired},
		{ErrSessionOver, 401, "session_expired", httperr.ReasonSessionExpired},
		{ErrNoUserinfo, 404, "not_found", ""},
		{ErrUnavailable, 502, "authorization_server_error", ""},
	} {
		var e *httperr.Error
		if !errors.As(ToHTTPError(fmt.Errorf("canary: %w", tt.err)), &e) || e.Status != tt.status || e.Code != tt.code || e.Reason != tt.reason || strings.Contains(e.Message, "canary") {
			t.Errorf("%v: %v", tt.err, e)
		}
	}
	if unknown := errors.New("unknown"); ToHTTPError(unknown) != unknown {
		t.Error("an unknown error must stay what it is")
	}
}
