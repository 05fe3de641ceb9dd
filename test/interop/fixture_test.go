//go:build interop

package interop

import (
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"oauth-agent/test/double"
	"oauth-agent/test/internal/browser"
	"oauth-agent/test/internal/process"
)

// patience is for programs to start, on a slow machine that does other things.
const patience = time.Minute

// scenario is one test, with the settings that it needs.
type scenario struct {
	name  string
	as    map[string]string // environment of the authorization server
	agent map[string]string // environment of the agent
	late  bool              // the authorization server is not started
	tls   bool              // the agent speaks https itself
	run   func(*fixture)
}

// fixture is everything that runs for one test: an authorization server with a
// tap in front, the agent, an empty web page for the single-page app, a user.
type fixture struct {
	t *testing.T
	product
	scenario scenario

	tap      *tap
	issuer   string
	asPort   int
	state    string // directory of the authorization server's state
	as       *process.Process
	agent    *process.Process
	agentURL string // with the base path
	settings map[string]string
	spa      *httptest.Server
	spaURL   string // registered for redirects

	user *user
}

// run runs scenarios, each with servers of its own.
func run(t *testing.T, p product, scenarios []scenario) {
	binary := build(t)
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, p, s, binary)
			s.run(f)
			f.nothingLeaked()
		})
	}
}

// build makes the program as it is shipped.
func build(t *testing.T) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "oauth-agent")
	c := process.Command{
		Path: "go", Args: []string{"build", "-buildvcs=false", "-o", binary, "oauth-agent/cmd/oauth-agent"},
		Env: map[string]string{"GOFLAGS": os.Getenv("GOFLAGS"), "GOPROXY": os.Getenv("GOPROXY"), "GOCACHE": os.Getenv("GOCACHE")},
	}
	maps.DeleteFunc(c.Env, func(_, value string) bool { return value == "" })
	process.Run(t, 5*time.Minute, c)
	return binary
}

func newFixture(t *testing.T, p product, s scenario, binary string) *fixture {
	f := &fixture{t: t, product: p, scenario: s, state: t.TempDir(), asPort: double.FreePort(t)}
	f.startPage()
	tapPort, agentPort := double.FreePort(t), double.FreePort(t)
	base := fmt.Sprintf("http://127.0.0.1:%d", tapPort)
	f.issuer = base + p.issuerPath
	f.tap = newTap(fmt.Sprintf("127.0.0.1:%d", tapPort), &url.URL{Scheme: "http", Host: fmt.Sprintf("127.0.0.1:%d", f.asPort)})
	if !s.late {
		f.startAS()
	}
	scheme := "http"
	if s.tls {
		scheme = "https"
	}
	f.agentURL = fmt.Sprintf("%s://localhost:%d/oauth-agent", scheme, agentPort)
	f.settings = f.agentSettings(agentPort)
	f.startAgent(binary)
	f.user = f.newUser()
	return f
}

// startPage serves an empty page for the single-page app, at localhost: another
// site than the authorization server's 127.0.0.1, since cookies ignore ports.
func (f *fixture) startPage() {
	page := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte("<!doctype html><title>The application</title>"))
	})
	if f.scenario.tls {
		f.spa = httptest.NewTLSServer(page)
	} else {
		f.spa = httptest.NewServer(page)
	}
	f.t.Cleanup(f.spa.Close)
	f.spaURL = strings.Replace(f.spa.URL, "127.0.0.1", "localhost", 1) + "/"
}

func (f *fixture) startAS() {
	f.t.Helper()
	c := f.command(f)
	maps.Copy(c.Env, f.scenario.as)
	f.as = process.Start(f.t, c)
	f.as.Until(f.t, patience, process.Listening(fmt.Sprintf("127.0.0.1:%d", f.asPort)))
	f.tap.open(f.t)
	f.t.Cleanup(f.tap.close)
	// A listening port is not yet a server that answers, by way of the tap.
	f.as.Until(f.t, patience, func() error {
		resp, err := http.Get(f.issuer + "/.well-known/openid-configuration")
		if err != nil {
			return err
		}
		return resp.Body.Close()
	})
}

func (f *fixture) stopAS() {
	f.t.Helper()
	f.tap.close()
	f.as.Stop(f.t)
}

func (f *fixture) agentSettings(port int) map[string]string {
	secret := filepath.Join(f.t.TempDir(), "client-secret")
	_ = secret
	f.check(os.WriteFile(secret, []byte(clientSecret+"\n"), 0o600))
	settings := map[string]string{
		"PORT":                     strconv.Itoa(port),
		"ADMIN_ADDR":               "off",
		"ISSUER":                   f.issuer,
		"CLIENT_ID":                clientID,
		"CLIENT_SECRET_FILE":       secret,
		"REDIRECT_URI":             f.spaURL,
		"POST_LOGOUT_REDIRECT_URI": f.spaURL,
		"SCOPE":                    "openid profile",
		"TRUSTED_WEB_ORIGIN":       strings.TrimSuffix(f.spaURL, "/"),
		"COOKIE_NAME_PREFIX":       "example",
		"COOKIE_ENCRYPTION_KEY":    strings.Repeat("0123456789abcdef", 4),
	}
	if f.scenario.tls {
		settings["SERVER_CERT_FILE"], settings["SERVER_KEY_FILE"] = f.certificate()
	}
	for _, more := range []map[string]string{f.product.agent, f.scenario.agent} {
		for name, value := range more {
			settings[name] = strings.ReplaceAll(value, "{issuer}", f.issuer)
		}
	}
	return settings
}

func (f *fixture) startAgent(binary string) {
	f.t.Helper()
	f.agent = process.Start(f.t, process.Command{Path: binary, Dir: f.t.TempDir(), Env: f.settings})
	f.agent.Until(f.t, patience, process.Listening("127.0.0.1:"+f.settings["PORT"]))
}

// restartAgent gives a fresh process with the same settings.
func (f *fixture) restartAgent() {
	f.t.Helper()
	old := f.agent
	old.Stop(f.t)
	f.startAgent(old.Path())
	f.quiet(old)
}

// nothingLeaked looks for every secret in everything that the agent said.
func (f *fixture) nothingLeaked() {
	f.t.Helper()
	for _, b := range f.user.seen() {
		for _, e := range b.Log() {
			if strings.HasPrefix(e.URL.String(), f.agentURL) {
				f.exchangeClean(e)
			}
		}
	}
	f.quiet(f.agent)
	if missing := f.tap.unseen(); f.tap.count("authorization_code") > 0 && len(missing) > 0 {
		f.t.Errorf("the tap saw no %v, so that nothing is proven", missing)
	}
}

func (f *fixture) quiet(agent *process.Process) {
	f.t.Helper()
	if found := f.tap.leaks(agent.Output()); found != nil {
		f.t.Errorf("the agent printed %v", found)
	}
}

func (f *fixture) exchangeClean(e browser.Exchange) {
	f.t.Helper()
	headers := e.Header.Clone()
	if e.URL.Path == "/oauth-agent/logout/continue" {
		headers.Del("Location") // id_token_hint is for the authorization server
	}
	var text strings.Builder
	_ = headers.Write(&text)
	text.Write(e.Body)
	if found := f.tap.leaks(text.String()); found != nil {
		f.t.Errorf("%s %s answered with %v", e.Method, e.URL.Path, found)
	}
}

func (f *fixture) check(err error) {
	f.t.Helper()
	if err != nil {
		f.t.Fatal(err)
	}
}
