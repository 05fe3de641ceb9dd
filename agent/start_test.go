package agent

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"oauth-agent/agent/config"
)

// noNetwork keeps a started agent from asking anybody.
type noNetwork struct{}

func (noNetwork) RoundTrip(*http.Request) (*http.Response, error) { return nil, io.ErrUnexpectedEOF }

// Two places check settings: config, which tells every mistake with key and
// remedy, and the rooms, which defend themselves. Whatever a room refuses,
// config must have told.
func TestWhatLoadTakesStarts(t *testing.T) {
	key := func(digits string) string { return strings.Repeat(digits, 32) }
	base := map[string]string{
		"OAUTH_CLIENT_ID": "proxy", "OAUTH_CLIENT_SECRET": "secret",
		"OAUTH_AUTH_URL": "https://as.example.com/authorize", "OAUTH_TOKEN_URL": "https://as.example.com/token",
		"OAUTH_REDIRECT_URL": "https://pkce.example.com/callback", "OAUTH_REVOCATION_URL": "https://as.example.com/revoke",
		"OAUTH_ALLOWED_REDIRECT_URIS": "https://app.example.com/cb", "OAUTH_ALLOWED_CLIENT_IDS": "app",
		"JWT_SIGNING_KEY": key("a1"), "ENCRYPTION_KEY": key("b2"), "OAUTH_AUTH_METHOD": "post", "OAUTH_ALLOW_PLAIN": "true",
	}
	started, odd := 0, []string{
		"", "x", "x y", "é", "\n", "#", "https://", "http://127.0.0.1/cb", "https://h/callback", "https://h/callback?", "https://h/callback#",
		"https://h/a|b%2fcallback", "https://h/{x/callback", "https://h/a/../callback", "https://h?x=/callback", "https://h/?state=x", "https://h/?%63lient_id=x", "https://h/?redirect_uri", "https://h/?response_type=a",
		"https://u@h/callback", "https://*.h/cb", "https://h/*", "https:///cb", "https://:1/callback", "https://h:/callback", "https://h:99999/callback", "HTTPS://h/callback", "javascript:alert(1)", "myapp:/cb", "com.example.app:/cb",
		`https://h\@i/cb`, "https://h/?code=1", "https://h/?iss", "https://h/?error_uri=1", strings.Repeat("a", 257), key("a1"), key("B2"), strings.Repeat("k", 32), strings.Repeat("0", 64), "auto", "none",
	}
	for variable := range base {
		for _, value := range odd {
			var environ []string
			for k, v := range base {
				if k == variable {
					v = value
				}
				environ = append(environ, k+"="+v)
			}
			cfg, err := config.Load("", environ)
			if err != nil {
				continue
			}
			a, err := New(t.Context(), cfg, Options{Transport: noNetwork{}})
			if err != nil {
				t.Errorf("%s=%q passes the settings and then fails: %v", variable, value, err)
				continue
			}
			started++
			_ = a.Close()
		}
	}
	if started < 20 {
		t.Errorf("only %d started: this tests nothing", started)
	}
}
