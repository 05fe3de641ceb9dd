//go:build interop

package replicas

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"oauth-agent/test/double"
	"oauth-agent/test/idp"
	"oauth-agent/test/internal/process"
)

// world is an authorization server that rotates refresh tokens and ends a session
// when one comes twice, an API, replicas, and nginx in front of them.
type world struct {
	t         *testing.T
	dir       string
	binary    string
	authority *authority
	idp       *idp.Server
	api       *httptest.Server
	origin    string // of the page, which is nginx's
	replicas  []*replica
	settings  string // YAML of all replicas, beside what they need
	key       string // of their cookies, at first
	tally     *tally
}

// newWorld has no replica yet. Whatever stands at port is the page's origin.
func newWorld(t *testing.T, port int, settings string) *world {
	w := &world{
		t: t, dir: t.TempDir(), settings: settings, key: newKey(), tally: newTally(),
		origin: fmt.Sprintf("https://localhost:%d", port),
	}
	w.binary = filepath.Join(w.dir, "oauth-agent")
	if out, err := exec.Command("go", "build", "-o", w.binary, "oauth-agent/cmd/oauth-agent").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	w.authority = newAuthority(t, w.dir)
	w.startServers()
	return w
}

// behindNginx has three replicas.
func behindNginx(t *testing.T, balancing string, delay time.Duration) *world {
	if _, err := exec.LookPath("nginx"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("nginx is not installed")
		}
		t.Skip("nginx is not installed")
	}
	port := double.FreePort(t)
	w := newWorld(t, port, fmt.Sprintf("shutdown_delay: %s\nlog: {level: warn}\nlimits: {login_start: 100}", delay))
	for range 3 {
		w.addReplica(double.FreePort(t), replicaName)
	}
	w.startNginx(port, balancing)
	return w
}

// startServers starts what is behind the replicas.
func (w *world) startServers() {
	var err error
	w.idp, err = idp.Start(w.t.Context(), "127.0.0.1:0", idp.Config{
		Clients: []idp.Client{{ID: "spa", Secret: "c4nary-secret", RedirectURIs: []string{w.origin + "/"}}},
		Users:   []idp.User{{Username: "demo", Password: "demo", Sub: "demo"}},
		Entries: 1_000_000,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = w.idp.Close() })
	w.api = httptest.NewServer(http.HandlerFunc(serveAPI))
	w.t.Cleanup(w.api.Close)
}

// nginxConf is what is around deployments/gateways/nginx/replicas.conf. Access lines
// tell to which replicas a request went.
const nginxConf = `
daemon off;
worker_processes 1;
pid %[1]s/pid;
error_log %[1]s/error.log warn;
events { worker_connections 4096; }
http {
    log_format upstreams '$status $upstream_addr';
    access_log %[1]s/access.log upstreams;
    client_body_temp_path %[1]s/body;
    proxy_temp_path %[1]s/proxy;
    fastcgi_temp_path %[1]s/fastcgi;
    uwsgi_temp_path %[1]s/uwsgi;
    scgi_temp_path %[1]s/scgi;
    keepalive_requests 1000000;
    keepalive_timeout 1h;
    include %[1]s/replicas.conf;
}
`

// How nginx chooses a replica.
const (
	sticky     = "    hash $refreshing consistent;\n"
	roundRobin = ""
)

func (w *world) startNginx(port int, balancing string) {
	dir := filepath.Join(w.dir, "nginx")
	mkdir(w.t, dir)
	w.authority.issue(dir, "localhost")
	listen := fmt.Sprintf("127.0.0.1:%d", port)
	write(w.t, filepath.Join(dir, "replicas.conf"), w.snippet(dir, listen, balancing))
	write(w.t, filepath.Join(dir, "nginx.conf"), fmt.Sprintf(nginxConf, dir))
	p := process.Start(w.t, process.Command{Path: "nginx", Args: []string{"-e", filepath.Join(dir, "error.log"), "-p", dir, "-c", "nginx.conf"}})
	p.Until(w.t, patience, process.Listening(listen))
	w.t.Cleanup(func() {
		if w.t.Failed() {
			text, _ := os.ReadFile(filepath.Join(dir, "error.log"))
			w.t.Logf("nginx:\n%.15000s", text)
		}
	})
}

// snippet is the file of deployments with the addresses of this test.
func (w *world) snippet(dir, listen, balancing string) string {
	text, err := os.ReadFile("../../deployments/gateways/nginx/replicas.conf")
	if err != nil {
		w.t.Fatal(err)
	}
	out := string(text)
	for old, is := range map[string]string{
		"listen 443 ssl;":             "listen " + listen + " ssl;",
		"/etc/nginx/cert.pem;":        dir + "/cert.pem;",
		"/etc/nginx/key.pem;":         dir + "/key.pem;",
		"/etc/nginx/replicas-ca.pem;": w.authority.path + ";",
		"server 10.0.0.1:8443":        "server " + w.replicas[0].address,
		"server 10.0.0.2:8443":        "server " + w.replicas[1].address,
		"server 10.0.0.3:8443":        "server " + w.replicas[2].address,
		sticky:                        balancing,
	} {
		if !strings.Contains(out, old) {
			w.t.Fatalf("the configuration has no %q", old)
		}
		out = strings.ReplaceAll(out, old, is)
	}
	return out
}

// passes tells how many requests nginx passed on, to each replica first, and how
// many of them it had to pass on to another after it.
func (w *world) passes() (all map[string]int, again int) {
	text, err := os.ReadFile(filepath.Join(w.dir, "nginx/access.log"))
	if err != nil {
		w.t.Fatal(err)
	}
	all = map[string]int{}
	for line := range strings.Lines(string(text)) {
		_, upstreams, _ := strings.Cut(strings.TrimSpace(line), " ")
		first, _, more := strings.Cut(upstreams, ", ")
		all[first]++
		if more {
			again++
		}
	}
	return all, again
}

func newKey() string {
	key := make([]byte, 32)
	_, _ = rand.Read(key)
	return hex.EncodeToString(key)
}

func mkdir(t *testing.T, path string) {
	t.Helper()
	if err := os.MkdirAll(path, 0o700); err != nil {
		t.Fatal(err)
	}
}
