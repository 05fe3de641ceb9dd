package authserver

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"oauth-agent/agent/internal/authserver/authservertest"
	"oauth-agent/agent/internal/secret"
)

func TestRevoke(t *testing.T) {
	for _, hint := range []string{RefreshTokenHint, AccessTokenHint} {
		as := newAS(t)
		if err := as.client().Revoke(t.Context(), secret.New("a token"), hint); err != nil {
			t.Error(err)
		}
		want := url.Values{"token": {"a token"}, "token_type_hint": {hint}}
		if len(as.Forms) != 1 || as.Forms[0].Encode() != want.Encode() || as.Auth[0] == "" {
			t.Errorf("forms %v, Authorization %v", as.Forms, as.Auth)
		}
	}
}

func TestRevokeRefused(t *testing.T) {
	for name, tt := range map[string]struct {
		fault http.HandlerFunc
		want  string
	}{
		"500": {func(w http.ResponseWriter, _ *http.Request) { authservertest.Reply(w, 500, "c4nary") }, "500"},
		"400": {func(w http.ResponseWriter, _ *http.Request) {
			authservertest.Reply(w, 400, m{"error": "unsupported_token_type", "error_description": "c4nary"})
		}, "(unsupported_token_type)"},
		"an error with 200": {func(w http.ResponseWriter, _ *http.Request) {
			authservertest.Reply(w, 200, "error=invalid_client")
		}, "(invalid_client)"},
		"a redirect": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/c4nary", http.StatusTemporaryRedirect)
		}, "307"},
	} {
		as := newAS(t)
		as.Handle("/revoke", tt.fault)
		err := as.client().Revoke(t.Context(), secret.New("c4nary-token"), RefreshTokenHint)
		if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "c4nary") {
			t.Errorf("%s: error is %v", name, err)
		}
	}
}

// Without the endpoints there is nothing to do; without metadata nobody knows.
func TestEndWithoutEndpoints(t *testing.T) {
	as := newAS(t)
	delete(as.Metadata, "revocation_endpoint")
	delete(as.Metadata, "end_session_endpoint")
	down := newAS(t)
	down.Close()
	for name, tt := range map[string]struct {
		as   *fakeAS
		want error
	}{"no endpoint": {as, nil}, "server down": {down, ErrUnavailable}} {
		c := tt.as.client()
		if err := c.Revoke(t.Context(), secret.New("a"), RefreshTokenHint); !errors.Is(err, tt.want) {
			t.Errorf("%s: error is %v", name, err)
		}
		if got := c.EndSession(t.Context()); got != "" {
			t.Errorf("%s: end session endpoint %q", name, got)
		}
	}
}
