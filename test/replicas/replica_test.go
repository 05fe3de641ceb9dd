//go:build interop

package replicas

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"oauth-agent/test/double"
	"oauth-agent/test/internal/process"
)

const (
	patience    = 30 * time.Second
	replicaName = "replica.internal" // in the certificates of those behind nginx
)

// replica is one process of the program, with settings of its own as on a machine
// of its own.
type replica struct {
	t       *testing.T
	binary  string
	dir     string
	address string // public
	admin   string
	process *process.Process
}

// addReplica starts one more, with a certificate for host.
func (w *world) addReplica(port int, host string) *replica {
	t := w.t
	r := &replica{
		t: t, binary: w.binary, dir: filepath.Join(w.dir, fmt.Sprintf("replica%d", port)),
		address: fmt.Sprintf("127.0.0.1:%d", port), admin: fmt.Sprintf("127.0.0.1:%d", double.FreePort(t)),
	}
	mkdir(t, r.dir)
	w.authority.issue(r.dir, host)
	write(t, r.path("agent.yaml"), fmt.Sprintf(`
bind_address: 127.0.0.1
port: %d
admin_addr: %s
tls: {cert_file: %s, key_file: %s}
issuer: %s
client_id: spa
client_secret: c4nary-secret
redirect_uri: %[6]s/
trusted_web_origins: ['%[6]s']
cookie: {name_prefix: example, encryption_keys_file: %[7]s}
routes: [{path: /api/, upstream: '%[8]s'}]
trusted_proxies: [127.0.0.1]
reload_every: 0s
%[9]s
`, port, r.admin, r.path("cert.pem"), r.path("key.pem"), w.idp.Issuer, w.origin, r.path("keys"), w.api.URL, w.settings))
	r.setKeys(w.key)
	r.start()
	w.replicas = append(w.replicas, r)
	return r
}

func (r *replica) path(name string) string { return filepath.Join(r.dir, name) }

// setKeys replaces the file of the cookie keys.
func (r *replica) setKeys(keys ...string) { write(r.t, r.path("keys"), strings.Join(keys, "\n")+"\n") }

// start waits until it is ready.
func (r *replica) start() {
	r.t.Helper()
	r.process = process.Start(r.t, process.Command{Path: r.binary, Args: []string{"serve", "--config", r.path("agent.yaml")}})
	r.process.Until(r.t, patience, func() error {
		resp, err := http.Get("http://" + r.admin + "/readyz")
		if err != nil {
			return err
		}
		defer func() { _ = resp.Body.Close() }()
		if resp.StatusCode != http.StatusOK {
			text, _ := io.ReadAll(resp.Body)
			return fmt.Errorf("%d %s", resp.StatusCode, text)
		}
		return nil
	})
}

// stop ends it in good order.
func (r *replica) stop() {
	r.t.Helper()
	r.process.Signal(r.t, syscall.SIGTERM)
	if code := r.process.Wait(r.t, patience); code != 0 {
		r.t.Errorf("%s: exit code %d:\n%s", r.dir, code, r.process.Output())
	}
}

// reload makes it load its settings, and waits until it has.
func (r *replica) reload() {
	r.t.Helper()
	const applied, refused = `oauth_agent_config_reloads_total{outcome="applied"}`, `oauth_agent_config_reloads_total{outcome="refused"}`
	before := r.metrics()
	r.process.Signal(r.t, syscall.SIGHUP)
	r.process.Until(r.t, patience, func() error {
		now := r.metrics()
		if now[refused] > before[refused] {
			r.t.Fatalf("the settings were refused:\n%s", r.process.Output())
		}
		if now[applied] == before[applied] {
			return fmt.Errorf("no reload yet")
		}
		return nil
	})
}

// serial is the number of the certificate that it shows.
func (r *replica) serial(a *authority) int64 {
	r.t.Helper()
	conn, err := tls.Dial("tcp", r.address, a.trust(replicaName))
	if err != nil {
		r.t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	return conn.ConnectionState().PeerCertificates[0].SerialNumber.Int64()
}

// metrics are all that it tells, by name and labels.
func (r *replica) metrics() map[string]float64 {
	r.t.Helper()
	resp, err := http.Get("http://" + r.admin + "/metrics")
	if err != nil {
		r.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	all := map[string]float64{}
	for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
		name, value, _ := cutLast(lines.Text(), " ")
		if n, err := strconv.ParseFloat(value, 64); err == nil && !strings.HasPrefix(name, "#") {
			all[name] = n
		}
	}
	return all
}

func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}
