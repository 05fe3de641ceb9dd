package agent

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"oauth-agent/agent/config"
)

// told hands on what is logged.
type told chan slog.Record

func (told) Enabled(context.Context, slog.Level) bool { return true }

func (c told) Handle(_ context.Context, r slog.Record) error {
	c <- r
	return nil
}

func (c told) WithAttrs([]slog.Attr) slog.Handler { return c }
func (c told) WithGroup(string) slog.Handler      { return c }

// What the log says of the server at the start is what was tried, not what the
// settings say.
func TestStartTellsTheTruthAboutTheServer(t *testing.T) {
	endpoints := func(base string) []string {
		return []string{
			"AUTHORIZE_ENDPOINT=" + base + "/authorize", "TOKEN_ENDPOINT=" + base + "/token",
			"USERINFO_ENDPOINT=" + base + "/userinfo", "JWKS_ENDPOINT=" + base + "/jwks",
		}
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/jwks" {
			_, _ = w.Write([]byte(`{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}`))
			return
		}
		http.NotFound(w, r)
	}))
	defer server.Close()
	const nobody = "http://127.0.0.1:1"
	for _, tt := range []struct {
		name    string
		environ []string
		want    string
	}{
		{"issuer that is not there", []string{"ISSUER=" + nobody}, "not available yet"},
		{"endpoints that are not there", append(endpoints(nobody), "ISSUER="), "not available yet"},
		{"neither there", append(endpoints(nobody), "ISSUER="+nobody), "not available yet"},
		{"endpoints that are there", append(endpoints(server.URL), "ISSUER="), "found"},
		{"without discovery", append(endpoints(server.URL), "ISSUER="+server.URL), "found"},
		{"no keys", append(endpoints(server.URL), "ISSUER=", "JWKS_ENDPOINT="+server.URL+"/nowhere"), "not available yet"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cfg, err := config.Load("", append([]string{
				"CLIENT_ID=spa", "CLIENT_SECRET=c4nary-secret", "REDIRECT_URI=" + testOrigin + "/",
				"TRUSTED_WEB_ORIGIN=" + testOrigin, "COOKIE_ENCRYPTION_KEY=" + strings.Repeat("a1", 32),
			}, tt.environ...))
			if err != nil {
				t.Fatal(err)
			}
			log := make(told, 100)
			a, err := New(t.Context(), cfg, Options{Log: slog.New(log)})
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = a.Close() }()
			for r := range log {
				if rest, ok := strings.CutPrefix(r.Message, "authorization server "); ok {
					if !strings.HasPrefix(rest, tt.want) {
						t.Errorf("told %q, want %q", r.Message, tt.want)
					}
					return
				}
			}
		})
	}
}
