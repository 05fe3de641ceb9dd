package e2e

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"oauth-agent/agent"
	"oauth-agent/agent/config"
	"oauth-agent/test/double"
	"oauth-agent/test/idp"
)

const (
	origin       = "http://localhost:3000"
	redirectURI  = "http://localhost:3000/callback"
	afterLogout  = "http://localhost:3000/bye"
	clientID     = "spa"
	clientSecret = "c4nary+client/secret&%= ~\""
	username     = "demo"
	password     = "c4nary-password"
	keyA         = "a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1"
	subjectKey   = "5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c"
	keyB         = "b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2"
)

// world is one authorization server with one agent in front of one SPA.
type world struct {
	t      *testing.T
	idp    *idp.Server
	agent  *httptest.Server
	agents []*agent.Server
	env    map[string]string
	log    *double.Log
	clock  *clock
	wire   *wire
	told   *telemetry
	// canaries are the secrets of this world.
	canaries canaries
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

// impatient is an agent that waits no longer for the server than a test can: so
// long that a busy machine does not pass for a server that hangs.
func impatient(s *setup) { s.env["AUTHORIZATION_SERVER_TIMEOUT"] = patience.String() }

const patience = 3 * time.Second

func server(change func(*idp.Config)) func(*setup) { return func(s *setup) { change(&s.idp) } }

func newWorld(t *testing.T, changes ...func(*setup)) *world {
	t.Helper()
	w := &world{t: t, log: &double.Log{}, clock: &clock{}, wire: newWire(), told: newTelemetry(t)}
	s := &setup{
		idp: idp.Config{
			Clients: []idp.Client{{
				ID: clientID, Secret: clientSecret,
				RedirectURIs:           []string{redirectURI, "https://www.example.com/"},
				PostLogoutRedirectURIs: []string{afterLogout},
			}},
			Users: []idp.User{{Username: username, Password: password, Sub: "sub-demo",
				Claims: map[string]any{"name": "Zoë Ångström 李", "email": "zoe@example.com"}},
				{Username: "eve", Password: password, Sub: "sub-eve", Claims: map[string]any{"name": "Eve"}}},
			Clock: w.clock.now,
		},
		env: map[string]string{
			"CLIENT_ID": clientID, "CLIENT_SECRET": clientSecret,
			"REDIRECT_URI": redirectURI, "POST_LOGOUT_REDIRECT_URI": afterLogout,
			"TRUSTED_WEB_ORIGIN": origin, "COOKIE_NAME_PREFIX": "example",
			"COOKIE_ENCRYPTION_KEY": keyA,
			"LOG_SUBJECT_KEY":       subjectKey, "TRACING_ENDPOINT": w.told.collector.URL,
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
	t.Cleanup(w.noLeak) // after the agents have closed
	t.Cleanup(w.wire.close)
	w.agent = w.replica()
	return w
}

// origin is the SPA's: the first of the trusted ones.
func (w *world) origin() string {
	first, _, _ := strings.Cut(w.env["TRUSTED_WEB_ORIGIN"], ",")
	return first
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
		Clock:     w.clock.now,
		Transport: w.wire,
		Log:       slog.New(slog.NewTextHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.agents = append(w.agents, a)
	srv := httptest.NewServer(a.Handler())
	w.t.Cleanup(func() {
		srv.Close()
		w.told.admin(a)
		_ = a.Close() // and sends its spans
	})
	return srv
}

// refreshes is how many refresh tokens the server was sent.
func (w *world) refreshes() int { return w.idp.Counts()["refresh_token"] }

// login walks a whole login and gives the browser that is now logged in.
func (w *world) login() *client {
	w.t.Helper()
	return w.loginAs(username)
}

func (w *world) loginAs(user string) *client {
	w.t.Helper()
	c := w.client()
	got := c.end(w.authorizeAs(user, c.start()))
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
	return w.authorizeAs(username, authorizationURL)
}

func (w *world) authorizeAs(user, authorizationURL string) string {
	w.t.Helper()
	w.wire.started(authorizationURL)
	page, err := idp.Login(w.t.Context(), nil, authorizationURL, user, password)
	if err != nil {
		w.t.Fatal(err)
	}
	return page
}

// response is an authorization response with these parameters, for the login
// that begins with authorizationURL. The server announces iss (RFC 9207).
func (w *world) response(authorizationURL, params string) string {
	w.wire.started(authorizationURL)
	return redirectURI + "?" + params + "&state=" + state(authorizationURL) + "&iss=" + url.QueryEscape(w.idp.Issuer)
}

// state is that of an authorization request.
func state(authorizationURL string) string {
	u, err := url.Parse(authorizationURL)
	if err != nil {
		return ""
	}
	return u.Query().Get("state")
}
