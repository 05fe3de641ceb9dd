package e2e

import (
	"bytes"
	"context"
	"encoding/hex"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"oauth-agent/agent"
	"oauth-agent/agent/config"
	"oauth-agent/test/idp"
)

const (
	origin       = "http://localhost:3000"
	redirectURI  = "http://localhost:3000/callback"
	afterLogout  = "http://localhost:3000/bye"
	clientID     = "spa"
	clientSecret = "c4nary+client/secret&%=ü"
	username     = "demo"
	password     = "c4nary-password"
	keyA         = "a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1"
	keyB         = "b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2"
)

// world is one authorization server with one agent in front of one SPA.
type world struct {
	t     *testing.T
	idp   *idp.Server
	agent *httptest.Server
	env   map[string]string
	log   *lockedBuffer
	clock *clock
}

// clock is the agent's and the server's; it can be moved.
type clock struct {
	mu    sync.Mutex
	shift time.Duration
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.shift)
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.shift += d
}

// setup changes what a world is made of.
type setup struct {
	idp idp.Config
	env map[string]string
}

func with(key, value string) func(*setup) { return func(s *setup) { s.env[key] = value } }

func server(change func(*idp.Config)) func(*setup) { return func(s *setup) { change(&s.idp) } }

func newWorld(t *testing.T, changes ...func(*setup)) *world {
	t.Helper()
	w := &world{t: t, log: &lockedBuffer{}, clock: &clock{}}
	s := &setup{
		idp: idp.Config{
			Clients: []idp.Client{{
				ID: clientID, Secret: clientSecret,
				RedirectURIs:           []string{redirectURI, "https://www.example.com/"},
				PostLogoutRedirectURIs: []string{afterLogout},
			}},
			Users: []idp.User{{Username: username, Password: password, Sub: "sub-demo",
				Claims: map[string]any{"name": "Zoë Ångström 李", "email": "zoe@example.com"}}},
			Clock: w.clock.now,
		},
		env: map[string]string{
			"CLIENT_ID": clientID, "CLIENT_SECRET": clientSecret,
			"REDIRECT_URI": redirectURI, "POST_LOGOUT_REDIRECT_URI": afterLogout,
			"TRUSTED_WEB_ORIGIN": origin, "COOKIE_NAME_PREFIX": "example",
			"COOKIE_ENCRYPTION_KEY": keyA, "AUTHORIZATION_SERVER_TIMEOUT": "2s",
		},
	}
	for _, change := range changes {
		change(s)
	}
	var err error
	if w.idp, err = idp.Start(t.Context(), "127.0.0.1:0", s.idp); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.idp.Close() })
	if _, set := s.env["ISSUER"]; !set {
		s.env["ISSUER"] = w.idp.Issuer
	}
	w.env = s.env
	w.agent = w.replica()
	t.Cleanup(func() { w.noLeak() })
	return w
}

// replica starts another agent with the same settings, changed by env.
func (w *world) replica(env ...string) *httptest.Server {
	w.t.Helper()
	environ := env
	for k, v := range w.env {
		if !slices.ContainsFunc(env, func(kv string) bool { return strings.HasPrefix(kv, k+"=") }) {
			environ = append(environ, k+"="+v)
		}
	}
	cfg, err := config.Load("", environ)
	if err != nil {
		w.t.Fatal(err)
	}
	a, err := agent.New(context.Background(), cfg, agent.Options{
		Clock: w.clock.now,
		Log:   slog.New(slog.NewTextHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	if err != nil {
		w.t.Fatal(err)
	}
	srv := httptest.NewServer(a.Handler())
	w.t.Cleanup(func() {
		srv.Close()
		_ = a.Close()
	})
	return srv
}

// noLeak greps the log for every secret of the world.
func (w *world) noLeak() {
	w.t.Helper()
	text := w.log.String()
	for _, secret := range w.secrets() {
		if strings.Contains(text, secret) {
			w.t.Errorf("the log has a secret: %s", secret)
		}
	}
}

// secrets lists what may be seen nowhere: keys, the client secret, and all that
// the authorization server ever issued.
func (w *world) secrets() []string {
	key, _ := hex.DecodeString(keyA)
	return append(w.idp.Issued(), clientSecret, password, keyA, keyB, string(key))
}

// lockedBuffer is a log that many goroutines write.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// login walks a whole login and gives the browser that is now logged in.
func (w *world) login() *client {
	w.t.Helper()
	c := w.client()
	got := c.end(w.authorize(c.start()))
	if got.Status != http.StatusOK || !got.json("isLoggedIn").(bool) || !got.json("handled").(bool) {
		w.t.Fatalf("login: %d %s", got.Status, got.Body)
	}
	c.csrf = got.json("csrf").(string)
	return c
}

// authorize logs in at the authorization server and gives the URL that the
// browser lands on.
func (w *world) authorize(authorizationURL string) string {
	w.t.Helper()
	page, err := idp.Login(w.t.Context(), nil, authorizationURL, username, password)
	if err != nil {
		w.t.Fatal(err)
	}
	return page
}
