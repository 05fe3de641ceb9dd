package login

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"oauth-agent/agent/internal/authserver"
	"oauth-agent/agent/internal/cookie"
	"oauth-agent/agent/internal/httperr"
)

// Whatever goes wrong at the authorization server is told, and never as a fault
// of ours; its own words stay in the log.
func TestTold(t *testing.T) {
	for _, tt := range []struct {
		err    error
		status int
		code   string
	}{
		{&authserver.ExtraParamsError{}, 400, "invalid_request"},
		{&cookie.SizeError{Name: "example-at", Size: 30000, Limit: 20000}, 502, "authorization_server_error"},
		{authserver.ErrIssuer, 400, "invalid_request"},
		{authserver.ErrIDToken, 400, "invalid_request"},
		{authserver.ErrCodeRefused, 400, "authorization_error"},
		{authserver.ErrClientRefused, 400, "authorization_error"},
		{authserver.ErrForbidden, 400, "authorization_error"},
		{authserver.ErrTokenExpired, 401, "token_expired"},
		{authserver.ErrSessionOver, 401, "session_expired"},
		{authserver.ErrNoUserinfo, 404, "not_found"},
		{authserver.ErrUnavailable, 502, "authorization_server_error"},
	} {
		var e *httperr.Error
		if !errors.As(told(fmt.Errorf("canary: %w", tt.err)), &e) || e.Status != tt.status || e.Code != tt.code || strings.Contains(e.Message, "canary") {
			t.Errorf("%v: %v", tt.err, e)
		}
	}
	if unknown := errors.New("unknown"); told(unknown) != unknown {
		t.Error("an unknown error must stay what it is")
	}
}

func TestResponseError(t *testing.T) {
	for code, want := range map[string]struct {
		status int
		code   string
	}{
		"access_denied":              {400, "access_denied"},
		"login_required":             {401, "login_required"},
		"interaction_required":       {401, "interaction_required"},
		"consent_required":           {401, "consent_required"},
		"account_selection_required": {401, "account_selection_required"},
		"LOGIN_REQUIRED":             {400, "LOGIN_REQUIRED"},
		"x-1.2":                      {400, "x-1.2"},
		strings.Repeat("x", 64):      {400, strings.Repeat("x", 64)},
		strings.Repeat("x", 65):      {400, "authorization_error"},
		"two words":                  {400, "authorization_error"},
		"<script>":                   {400, "authorization_error"},
		"é":                          {400, "authorization_error"},
		"a\x00":                      {400, "authorization_error"},
	} {
		var e *httperr.Error
		if !errors.As(responseError(code), &e) || e.Status != want.status || e.Code != want.code || e.Message == "" {
			t.Errorf("%q: %v", code, e)
		}
	}
}
