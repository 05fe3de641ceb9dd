package agent

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"oauth-agent/agent/internal/authserver"
	"oauth-agent/agent/internal/secret"
)

// holding is an authorization server whose token endpoint answers when it is let.
type holding struct{ asked, release chan struct{} }

func (h holding) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method == http.MethodPost {
		close(h.asked)
		select {
		case <-h.release:
		case <-r.Context().Done():
		}
	}
	return nil, errors.New("no answer")
}

func TestCloseWaitsForTokens(t *testing.T) {
	for _, tt := range []struct {
		name, timeout string
		answers       bool
		want          error
	}{
		{"until they are there", "1m", true, nil},
		{"not for ever", "50ms", false, context.DeadlineExceeded},
	} {
		t.Run(tt.name, func(t *testing.T) {
			server := holding{make(chan struct{}), make(chan struct{})}
			a := buildOver(t, server, "SHUTDOWN_TIMEOUT="+tt.timeout, "ISSUER=", "AUTHORIZE_ENDPOINT=http://127.0.0.1:1/a",
				"TOKEN_ENDPOINT=http://127.0.0.1:1/t", "JWKS_ENDPOINT=http://127.0.0.1:1/k")
			ctx, leave := context.WithCancel(t.Context())
			left := make(chan struct{})
			go func() {
				defer close(left)
				_, _ = a.current.Load().app.tokens.Redeem(ctx, authserver.CodeGrant{Code: secret.New("c4nary")})
			}()
			<-server.asked
			leave()
			<-left

			closed := make(chan error, 1)
			go func() { closed <- a.Close() }()
			if tt.answers {
				select {
				case <-closed:
					t.Error("Close did not wait")
				case <-time.After(20 * time.Millisecond):
				}
				close(server.release)
			} else {
				defer close(server.release)
			}
			if err := <-closed; !errors.Is(err, tt.want) {
				t.Errorf("Close: %v, want %v", err, tt.want)
			}
		})
	}
}
