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

// behindNginx has three replicas; with no balancing, nginx goes round robin.
func behindNginx(t *testing.T, balancing string, delay time.Duration) *world {
	if _, err := exec.LookPath("nginx"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("nginx is not installed")
		}
		t.Skip("nginx is not installed")
	}
	port := process.FreePort(t)
	w := newWorld(t, port, fmt.Sprintf("shutdown_delay: %s\nlog: {level: warn}", delay))
	for range 3 {
		w.addReplica(process.FreePort(t), replicaName)
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

// The configuration is that of docs/operations.md, with the addresses of the test.
// Access lines tell to which replicas a request went.
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

    map $http_cookie $refreshing {
        "~__(Secure|Host-Http)-example-auth=(?<sealed>[^;]+)" $sealed;
        default $request_id;
    }
    upstream agents {
        %[4]s
%[3]s
        keepalive 32;
        keepalive_timeout 1s;
    }
    server {
        listen %[2]s ssl;
        server_name localhost;
        ssl_certificate %[1]s/cert.pem;
        ssl_certificate_key %[1]s/key.pem;
        large_client_header_buffers 8 32k;
        keepalive_requests 1000000;
        keepalive_timeout 1h;
        location / {
            proxy_pass https://agents;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Host $http_host;
            proxy_set_header X-Forwarded-For $remote_addr;
            proxy_set_header X-Forwarded-Proto $scheme;
            proxy_connect_timeout 2s;
            proxy_ssl_verify on;
            proxy_ssl_trusted_certificate %[5]s;
            proxy_ssl_name %[6]s;
            proxy_buffer_size 32k;
            proxy_buffers 8 32k;
        }
    }
}
`

// sticky keeps those together who bring the same refresh token.
const sticky = "hash $refreshing consistent;"

func (w *world) startNginx(port int, balancing string) {
	dir := filepath.Join(w.dir, "nginx")
	mkdir(w.t, dir)
	w.authority.issue(dir, "localhost")
	servers, listen := "", fmt.Sprintf("127.0.0.1:%d", port)
	for _, r := range w.replicas {
		servers += "        server " + r.address + " max_fails=1 fail_timeout=1s;\n"
	}
	write(w.t, filepath.Join(dir, "nginx.conf"), fmt.Sprintf(nginxConf, dir, listen, servers, balancing, w.authority.path, replicaName))
	p := process.Start(w.t, process.Command{Path: "nginx", Args: []string{"-e", filepath.Join(dir, "error.log"), "-p", dir, "-c", "nginx.conf"}})
	p.Until(w.t, patience, process.Listening(listen))
	w.t.Cleanup(func() {
		if w.t.Failed() {
			text, _ := os.ReadFile(filepath.Join(dir, "error.log"))
			w.t.Logf("nginx:\n%.15000s", text)
		}
	})
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
