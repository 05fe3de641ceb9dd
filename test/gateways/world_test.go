//go:build interop

package gateways

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"oauth-agent/agent"
	"oauth-agent/agent/config"
	"oauth-agent/test/double"
	"oauth-agent/test/idp"
	"oauth-agent/test/internal/browser"
	"oauth-agent/test/internal/process"
	"oauth-agent/test/internal/websocket"
)

const (
	csrfHeader = "X-Example-Csrf"
	patience   = 30 * time.Second
)

// world is a page on one port, a gateway on another, and behind it an agent, an
// authorization server and an API.
type world struct {
	t       *testing.T
	api     *api
	page    string // origin of the page
	gateway string // origin of the gateway
	mu      sync.Mutex
	shift   time.Duration // of the agent's clock
	setup   setup
	script  string         // of the page
	results chan string    // of the script
	cookies []*http.Cookie // that the page sets
	// corsByAPI is true where the API answers the page's CORS by itself, since the
	// gateway passes the calls on and asks by forward auth.
	corsByAPI bool
	front     bool // see gateway
	// answer, if set, is what the API does instead of telling what has arrived.
	answer http.HandlerFunc
}

// setup is what differs between worlds.
type setup struct {
	lifetime time.Duration // of access tokens; zero: five minutes
	padding  int           // bytes by which tokens are longer
	env      []string      // further settings of the agent
}

// gateway starts a program in front of the agent and of the API, and gives its
// port. Addresses are those of public port, forward auth and API.
type gateway struct {
	name  string
	start func(t *testing.T, public, forward, api string) int
	front bool // passes everything to the agent, which believes its word
}

func gateways() []gateway {
	return []gateway{
		{"oauth-agent", nil, false}, {"nginx", startNginx, false}, {"caddy", startCaddy, false},
		{"haproxy", startHAProxy, true}, {"apache2", startApache, true},
	}
}

// each runs a test for all gateways.
func each(t *testing.T, test func(*world)) { eachWith(t, setup{}, test) }

func eachWith(t *testing.T, s setup, test func(*world)) {
	t.Helper()
	eachOf(t, gateways(), s, test)
}

func eachOf(t *testing.T, gateways []gateway, s setup, test func(*world)) {
	t.Helper()
	for _, g := range gateways {
		t.Run(g.name, func(t *testing.T) {
			if g.start != nil {
				if _, err := exec.LookPath(g.name); err != nil {
					if os.Getenv("CI") != "" {
						t.Fatalf("%s is not installed", g.name)
					}
					t.Skipf("%s is not installed", g.name)
				}
			}
			test(newWorld(t, g, s))
		})
	}
}

func newWorld(t *testing.T, g gateway, s setup) *world {
	if g.front {
		s.env = append(slices.Clone(s.env), "TRUSTED_PROXIES=127.0.0.0/8,::1")
	}
	w := &world{t: t, api: &api{}, corsByAPI: g.start != nil && !g.front, front: g.front, setup: s, results: make(chan string, 1)}
	blank := httptest.NewServer(http.HandlerFunc(w.servePage))
	t.Cleanup(blank.Close)
	w.page = localhost(blank.URL)
	api := httptest.NewServer(http.HandlerFunc(w.serveAPI))
	t.Cleanup(api.Close)
	public, forward := w.startAgent(api.URL)
	port := 0
	if g.start == nil {
		port = portOf(t, public)
	} else {
		port = g.start(t, hostOf(public), hostOf(forward), hostOf(api.URL))
	}
	w.gateway = "http://localhost:" + strconv.Itoa(port)
	return w
}

// localhost is a URL of a test server under the name that the cookies are for.
func localhost(u string) string { return strings.Replace(u, "127.0.0.1", "localhost", 1) }

func hostOf(u string) string { return strings.TrimPrefix(u, "http://") }

func portOf(t *testing.T, u string) int {
	t.Helper()
	_, port, _ := net.SplitHostPort(hostOf(u))
	n, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// startAgent gives the URLs of its two listeners.
func (w *world) startAgent(api string) (public, forward string) {
	t := w.t
	clock := func() time.Time {
		w.mu.Lock()
		defer w.mu.Unlock()
		return time.Now().Add(w.shift)
	}
	as, err := idp.Start(t.Context(), "127.0.0.1:0", idp.Config{
		Clients: []idp.Client{{ID: "spa", Secret: "secret", RedirectURIs: []string{w.page + "/"}}},
		Users:   []idp.User{{Username: "demo", Password: "demo", Sub: "demo"}},
		Clock:   clock, AccessTokenLifetime: w.setup.lifetime, Padding: w.setup.padding,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = as.Close() })
	cfg, err := config.Load("", append([]string{
		"ISSUER=" + as.Issuer, "CLIENT_ID=spa", "CLIENT_SECRET=secret", "REDIRECT_URI=" + w.page + "/",
		"TRUSTED_WEB_ORIGIN=" + w.page, "COOKIE_NAME_PREFIX=example", "COOKIE_ENCRYPTION_KEY=" + strings.Repeat("a1", 32),
		"FORWARD_AUTH_ADDR=127.0.0.1:1", "ROUTES=/api/=" + api,
	}, w.setup.env...))
	if err != nil {
		t.Fatal(err)
	}
	a, err := agent.New(context.Background(), cfg, agent.Options{Clock: clock, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.Close() })
	one, two := httptest.NewServer(a.Handler()), httptest.NewServer(a.ForwardAuth())
	t.Cleanup(one.Close)
	t.Cleanup(two.Close)
	return one.URL, two.URL
}

func (w *world) advance(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.shift += d
}

// snippet is a file of deployments/gateways with the addresses of this test, in
// pairs of what stands there and what is meant.
func snippet(t *testing.T, path string, addresses ...string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("../../deployments/gateways", path))
	if err != nil {
		t.Fatal(err)
	}
	out := strings.NewReplacer(addresses...).Replace(string(text))
	for i := 0; i < len(addresses); i += 2 {
		if old := addresses[i]; strings.Contains(out, old) || !strings.Contains(string(text), old) {
			t.Fatalf("%s: %s was not replaced", path, old)
		}
	}
	return out
}

func startNginx(t *testing.T, public, forward, api string) int {
	return runNginx(t, func(port int, _ string) string {
		return snippet(t, "nginx/oauth-agent.conf", "127.0.0.1:8080", public, "127.0.0.1:8081", forward, "127.0.0.1:9000", api,
			"listen 80;", fmt.Sprintf("listen 127.0.0.1:%d;", port))
	})
}

// runNginx starts nginx with a server of these lines, and gives its port.
func runNginx(t *testing.T, server func(port int, dir string) string) int {
	port, dir := double.FreePort(t), t.TempDir()
	write(t, dir, "server.conf", server(port, dir))
	write(t, dir, "nginx.conf", fmt.Sprintf(`
daemon off;
master_process off;
pid %[1]s/pid;
error_log stderr warn;
events {}
http {
    access_log off;
    client_body_temp_path %[1]s/body;
    proxy_temp_path %[1]s/proxy;
    fastcgi_temp_path %[1]s/fastcgi;
    uwsgi_temp_path %[1]s/uwsgi;
    scgi_temp_path %[1]s/scgi;
    include %[1]s/server.conf;
}
`, dir))
	p := process.Start(t, process.Command{Path: "nginx", Args: []string{"-e", "stderr", "-p", dir, "-c", "nginx.conf"}})
	p.Until(t, patience, process.Listening(fmt.Sprintf("127.0.0.1:%d", port)))
	return port
}

func startCaddy(t *testing.T, public, forward, api string) int {
	port, dir := double.FreePort(t), t.TempDir()
	write(t, dir, "Caddyfile", "{\n\tadmin off\n\tauto_https off\n}\n"+snippet(t, "caddy/Caddyfile", "127.0.0.1:8080", public, "127.0.0.1:8081", forward,
		"127.0.0.1:9000", api, ":80 {", fmt.Sprintf("http://localhost:%d {", port)))
	p := process.Start(t, process.Command{
		Path: "caddy", Args: []string{"run", "--config", "Caddyfile", "--adapter", "caddyfile"}, Dir: dir,
		Env: map[string]string{"XDG_DATA_HOME": dir, "XDG_CONFIG_HOME": dir},
	})
	p.Until(t, patience, process.Listening(fmt.Sprintf("127.0.0.1:%d", port)))
	return port
}

func startHAProxy(t *testing.T, public, _, _ string) int {
	port, dir := double.FreePort(t), t.TempDir()
	listen := fmt.Sprintf("127.0.0.1:%d", port)
	write(t, dir, "haproxy.cfg", snippet(t, "haproxy/haproxy.cfg", "127.0.0.1:8080", public, "bind :80\n", "bind "+listen+"\n"))
	p := process.Start(t, process.Command{Path: "haproxy", Args: []string{"-db", "-f", filepath.Join(dir, "haproxy.cfg")}})
	p.Until(t, patience, process.Listening(listen))
	return port
}

func startApache(t *testing.T, public, _, _ string) int {
	port, dir := double.FreePort(t), t.TempDir()
	listen := fmt.Sprintf("127.0.0.1:%d", port)
	write(t, dir, "oauth-agent.conf", snippet(t, "apache/oauth-agent.conf", "127.0.0.1:8080", public, "*:80>", listen+">"))
	write(t, dir, "apache2.conf", fmt.Sprintf(`
ServerRoot %[1]s
PidFile %[1]s/pid
Mutex file:%[1]s
ErrorLog /dev/stderr
ServerName localhost
Listen %[2]s
LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so
LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
LoadModule headers_module /usr/lib/apache2/modules/mod_headers.so
LoadModule proxy_module /usr/lib/apache2/modules/mod_proxy.so
LoadModule proxy_http_module /usr/lib/apache2/modules/mod_proxy_http.so
Include %[1]s/oauth-agent.conf
`, dir, listen))
	p := process.Start(t, process.Command{Path: "apache2", Args: []string{"-X", "-f", filepath.Join(dir, "apache2.conf")}, Kill: true})
	p.Until(t, patience, process.Listening(listen))
	return port
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// api is what the gateway protects. It records what comes.
type api struct {
	mu   sync.Mutex
	seen []arrived
}

type arrived struct {
	method, uri string
	header      http.Header
	size        int64
}

func (a *api) take() []arrived {
	a.mu.Lock()
	defer a.mu.Unlock()
	seen := a.seen
	a.seen = nil
	return seen
}

func (w *world) serveAPI(rw http.ResponseWriter, r *http.Request) {
	a := arrived{method: r.Method, uri: r.RequestURI, header: r.Header.Clone()}
	if w.corsByAPI {
		w.setCORS(rw, r)
	}
	switch {
	case strings.HasSuffix(r.URL.Path, "/ws"):
		w.api.note(a)
		websocket.Echo(rw, r)
		return
	case strings.HasSuffix(r.URL.Path, "/events"):
		w.api.note(a)
		rw.Header().Set("Content-Type", "text/event-stream")
		for i := range 3 {
			_, _ = fmt.Fprintf(rw, "data: %d\n\n", i)
			_ = http.NewResponseController(rw).Flush()
			time.Sleep(600 * time.Millisecond)
		}
		return
	}
	a.size, _ = io.Copy(io.Discard, r.Body)
	w.api.note(a)
	if w.answer != nil {
		w.answer(rw, r)
		return
	}
	_, _ = fmt.Fprintf(rw, "%s of %d bytes", r.Method, a.size)
}

func (a *api) note(x arrived) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.seen = append(a.seen, x)
}

// setCORS is the API's own answer to pages, as it is needed behind a gateway.
func (w *world) setCORS(rw http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Origin") == w.page {
		h := rw.Header()
		h.Set("Access-Control-Allow-Origin", w.page)
		h.Set("Access-Control-Allow-Credentials", "true")
		h.Set("Access-Control-Allow-Methods", "GET, POST, PUT, DELETE")
		h.Set("Access-Control-Allow-Headers", r.Header.Get("Access-Control-Request-Headers"))
	}
}

// servePage is the page, which may have a script and bring cookies.
func (w *world) servePage(rw http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/result" {
		text, _ := io.ReadAll(r.Body)
		w.results <- string(text)
		return
	}
	if r.URL.Path != "/" {
		http.NotFound(rw, r)
		return
	}
	for _, c := range w.cookies {
		http.SetCookie(rw, c)
	}
	rw.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = io.WriteString(rw, w.script)
}

// user is a browser with the page open.
type user struct {
	*browser.Browser
	tab  *browser.Tab
	csrf string
}

func (w *world) visitor() *user {
	w.t.Helper()
	b := browser.New(nil)
	tab, err := b.Open(w.page + "/")
	if err != nil {
		w.t.Fatal(err)
	}
	return &user{Browser: b, tab: tab}
}

// login goes through the gateway.
func (w *world) login() *user {
	w.t.Helper()
	u := w.visitor()
	var start struct{ AuthorizationRequestURL string }
	w.call(u, browser.Fetch{Method: "POST", URL: w.gateway + "/oauth-agent/login/start"}, &start)
	page, err := idp.Login(w.t.Context(), nil, start.AuthorizationRequestURL, "demo", "demo")
	if err != nil {
		w.t.Fatal(err)
	}
	var end struct{ CSRF string }
	w.call(u, browser.Fetch{
		Method: "POST", URL: w.gateway + "/oauth-agent/login/end",
		Body: "pageUrl=" + url.QueryEscape(page), ContentType: "application/x-www-form-urlencoded",
	}, &end)
	u.csrf = end.CSRF
	return u
}

func (w *world) call(u *user, f browser.Fetch, into any) {
	w.t.Helper()
	answer, err := u.tab.Fetch(f)
	if err == nil && answer.Status != 200 {
		err = fmt.Errorf("%d %s", answer.Status, answer.Body)
	}
	if err == nil {
		err = answer.JSON(into)
	}
	if err != nil {
		w.t.Fatalf("%s: %v", f.URL, err)
	}
}

// fetch calls the API as the page does.
func (w *world) fetch(u *user, method, path string, csrf bool, body string) *browser.Answer {
	w.t.Helper()
	f := browser.Fetch{Method: method, URL: w.gateway + path, Body: body}
	if csrf {
		f.Header = map[string]string{csrfHeader: u.csrf}
	}
	answer, err := u.tab.Fetch(f)
	if err != nil {
		w.t.Fatalf("%s %s: %v", method, path, err)
	}
	return answer
}

// cookies is the Cookie header that the page's calls carry.
func (u *user) cookies() string {
	var pairs []string
	for _, c := range u.Jar.All() {
		if c.Path == "/" {
			pairs = append(pairs, c.Name+"="+c.Value)
		}
	}
	slices.Sort(pairs)
	return strings.Join(pairs, "; ")
}
