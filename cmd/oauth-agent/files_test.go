package main

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"oauth-agent/test/double"
)

// installed is a program with its settings in files, as operators have them.
type installed struct {
	*program
	dir      string
	settings map[string]string // of agent.yaml, each value as YAML
	admin    string            // URL of the operator's port
}

// install starts a program by settings in files, on top of the least that it needs.
func install(t *testing.T, issuer string, changes map[string]string, env ...string) *installed {
	t.Helper()
	p := prepare(t, issuer, changes)
	p.start(t, exec.Command(itself(t), "--config", p.path("agent.yaml")), env...)
	return p
}

// prepare writes the files.
func prepare(t *testing.T, issuer string, changes map[string]string) *installed {
	t.Helper()
	p := &installed{dir: t.TempDir()}
	admin := "127.0.0.1:" + strconv.Itoa(double.FreePort(t))
	p.admin = "http://" + admin
	p.settings = map[string]string{
		"port": strconv.Itoa(double.FreePort(t)), "bind_address": "127.0.0.1", "admin_addr": admin, "reload_every": "0s",
		"issuer": issuer, "client_id": "spa", "client_secret_file": p.path("client-secret"),
		"redirect_uri": origin + "/", "trusted_web_origins": "[" + origin + "]",
		"cookie": "{name_prefix: example, encryption_keys_file: " + p.path("keys") + "}",
	}
	p.write("client-secret", "c4nary-secret\n")
	p.write("keys", strings.Repeat("a1", 32)+"\n")
	p.set(changes)
	return p
}

// start runs the command, which is to serve by the files.
func (p *installed) start(t *testing.T, cmd *exec.Cmd, env ...string) {
	t.Helper()
	p.program = launchAs(t, cmd, append([]string{"ADMIN_ADDR="}, env...)...)
	p.awaitListening()
}

func (p *installed) path(name string) string { return filepath.Join(p.dir, name) }

// write puts a file into its place in one step.
func (p *installed) write(name, text string) {
	temporary := p.path("." + name)
	if err := os.WriteFile(temporary, []byte(text), 0o600); err != nil {
		panic(err)
	}
	if err := os.Rename(temporary, p.path(name)); err != nil {
		panic(err)
	}
}

// set writes agent.yaml with changes, which stay.
func (p *installed) set(changes map[string]string) {
	maps.Copy(p.settings, changes)
	p.write("agent.yaml", p.yaml())
}

func (p *installed) yaml() string {
	var b strings.Builder
	for key, value := range p.settings {
		if value != "" {
			fmt.Fprintf(&b, "%s: %s\n", key, value)
		}
	}
	return b.String()
}

const (
	applied = "the settings were reloaded"
	refused = "new settings were refused"
)

// told counts how often the log has a text.
func (p *installed) told(text string) int { return strings.Count(p.stderr.String(), text) }

// hangup asks for a reload.
func (p *installed) hangup() {
	p.t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		p.t.Fatal(err)
	}
}

// reload asks for a reload and waits for what comes of it: whether the settings
// were applied, and what the log says.
func (p *installed) reload() (ok bool, log string) {
	p.t.Helper()
	before, was := len(p.stderr.String()), p.told(applied)
	asked := p.metric(`oauth_agent_config_reloads_total{outcome="refused"}`) + p.metric(`oauth_agent_config_reloads_total{outcome="applied"}`)
	p.hangup()
	p.until("the settings are reloaded or refused", func() bool {
		return p.metric(`oauth_agent_config_reloads_total{outcome="refused"}`)+p.metric(`oauth_agent_config_reloads_total{outcome="applied"}`) > asked &&
			(p.told(applied) > was || strings.Contains(p.stderr.String()[before:], refused))
	})
	return p.told(applied) > was, p.stderr.String()[before:]
}

func (p *installed) mustReload() {
	p.t.Helper()
	if ok, log := p.reload(); !ok {
		p.t.Fatalf("refused: %s", log)
	}
}

// metric is a value at the operator's port.
func (p *installed) metric(series string) float64 {
	p.t.Helper()
	_, text := p.ask("/metrics")
	for line := range strings.Lines(text) {
		if value, ok := strings.CutPrefix(line, series+" "); ok {
			f, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
			if err != nil {
				p.t.Fatal(err)
			}
			return f
		}
	}
	p.t.Fatalf("no %s", series)
	return 0
}

// ask asks at the operator's port; status 0: nobody is there.
func (p *installed) ask(path string) (status int, body string) {
	resp, err := http.Get(p.admin + path)
	if err != nil {
		return 0, err.Error()
	}
	defer func() { _ = resp.Body.Close() }()
	text, _ := io.ReadAll(resp.Body)
	return resp.StatusCode, string(text)
}

// root is the public port.
func (p *program) root() string { return strings.TrimSuffix(p.url, "/oauth-agent") }

// serves tells whether pages of an origin may call.
func (p *installed) serves(of string) bool {
	p.t.Helper()
	req, _ := http.NewRequest("POST", p.url+"/login/end", strings.NewReader(`{"pageUrl":"`+of+`/"}`))
	req.Header.Set("Origin", of)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		p.t.Fatal(err)
	}
	_ = resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}
