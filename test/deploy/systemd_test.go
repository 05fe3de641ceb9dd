//go:build interop

package deploy

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"oauth-agent/test/double"
	"oauth-agent/test/internal/process"
)

const units = top + "/deployments/systemd"

// unit gives the values of the service, by key; settings may come several times.
func unit(t *testing.T) map[string][]string {
	t.Helper()
	out := map[string][]string{}
	for line := range strings.Lines(read(t, units+"/oauth-agent.service")) {
		if key, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok && !strings.HasPrefix(line, "#") {
			out[key] = append(out[key], value)
		}
	}
	return out
}

func TestUnitsVerify(t *testing.T) {
	for _, with := range [][]string{nil, {"reload-secrets.conf"}} {
		dir := t.TempDir()
		service := strings.Replace(read(t, units+"/oauth-agent.service"), "/usr/local/bin/oauth-agent", binary(t), 1)
		write(t, dir+"/oauth-agent.service", service)
		write(t, dir+"/oauth-agent.socket", read(t, units+"/oauth-agent.socket"))
		for _, name := range with {
			write(t, dir+"/oauth-agent.service.d/"+name, read(t, filepath.Join(units, name)))
		}
		out, err := try(t, "", program(t, "systemd-analyze"), "verify", dir+"/oauth-agent.service", dir+"/oauth-agent.socket")
		if err != nil || strings.TrimSpace(out) != "" {
			t.Errorf("with %v: %v\n%s", with, err, out)
		}
	}
}

func TestUnitIsHardened(t *testing.T) {
	out := must(t, "", program(t, "systemd-analyze"), "security", "--offline=true", "--no-pager", units+"/oauth-agent.service")
	m := regexp.MustCompile(`Overall exposure level for oauth-agent.service: ([0-9.]+)`).FindStringSubmatch(out)
	if m == nil {
		t.Fatal(out)
	}
	if score, err := strconv.ParseFloat(m[1], 64); err != nil || score >= 2 {
		t.Errorf("%s\n%s", m[0], out)
	}
	t.Log(m[0])
}

// The service cannot take the machine along, and Go knows of the limit: it collects
// before the kernel kills. All the connections that are accepted fit, see Sizing in
// docs/operations.md.
func TestUnitIsBounded(t *testing.T) {
	u := unit(t)
	number := func(text, suffix string, unit int) int {
		n, err := strconv.Atoi(strings.TrimSuffix(text, suffix))
		if err != nil || !strings.HasSuffix(text, suffix) {
			t.Fatalf("%q is no number of %q", text, suffix)
		}
		return n * unit
	}
	if len(u["MemoryMax"]) != 1 || len(u["TasksMax"]) != 1 {
		t.Fatalf("MemoryMax %v, TasksMax %v", u["MemoryMax"], u["TasksMax"])
	}
	most := number(u["MemoryMax"][0], "M", 1<<20)
	soft := number(environment(t, "")["GOMEMLIMIT"], "MiB", 1<<20)
	if soft > most*9/10 || soft < most*8/10 {
		t.Errorf("GOMEMLIMIT is %d of %d", soft, most)
	}
	const connections, connection, refreshes, limits, program = 4096, 200 << 10, 64 << 20, 3 * 23 << 20, 24 << 20
	if need := connections*connection + refreshes + limits + program; need > soft {
		t.Errorf("it may take %d, and GOMEMLIMIT is %d", need, soft)
	}
	if files := number(u["LimitNOFILE"][0], "", 1); files < 2*connections+1000 {
		t.Errorf("%d files are too few for %d connections", files, connections)
	}
	if tasks := number(u["TasksMax"][0], "", 1); tasks < 512 || tasks > 4096 {
		t.Errorf("TasksMax is %d", tasks)
	}
}

// served is what a unit's program needs of settings, and where it answers.
type served struct{ public, admin, settings string }

// serveSettings writes settings as an operator would, for an authorization server
// that is not there.
func serveSettings(t *testing.T) served {
	t.Helper()
	free := []string{double.FreeAddress(t), double.FreeAddress(t)}
	s := served{public: free[0], admin: free[1], settings: filepath.Join(t.TempDir(), "agent.yaml")}
	write(t, s.settings, fmt.Sprintf(`
issuer: http://127.0.0.1:1
client_id: my-spa
redirect_uri: https://www.example.com/
trusted_web_origins: [https://www.example.com]
admin_addr: %s
reload_every: 0s
log: {format: json}
`, s.admin))
	return s
}

// credentials makes those that the unit loads.
func credentials(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	for _, c := range unit(t)["LoadCredential"] {
		name, _, _ := strings.Cut(c, ":")
		write(t, filepath.Join(dir, name), strings.Repeat("0123456789abcdef", 4)+"\n")
	}
	return dir
}

// environment is the unit's own, with %d as systemd puts it.
func environment(t *testing.T, credentials string) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, e := range unit(t)["Environment"] {
		name, value, _ := strings.Cut(e, "=")
		out[name] = strings.Replace(value, "%d", credentials, 1)
	}
	return out
}

// The unit's own command line gets the public port from systemd's own program, is
// reloaded as ExecReload does, and ends well.
func TestUnitIsActivatedByItsSocket(t *testing.T) {
	s := serveSettings(t)
	command := strings.Fields(unit(t)["ExecStart"][0])
	command[0] = binary(t)
	command[slices.Index(command, "--config")+1] = s.settings
	args := []string{"--listen=" + s.public, "--fdname=public"}
	env := environment(t, credentials(t))
	for _, name := range slices.Sorted(maps.Keys(env)) {
		args = append(args, "--setenv="+name)
	}
	p := process.Start(t, process.Command{Path: program(t, "systemd-socket-activate"), Args: append(args, command...), Env: env})
	p.Until(t, patience, process.Listening(s.public)) // which starts it
	p.Until(t, patience, func() error {
		if answer := fetch(t, "http://"+s.public+"/oauth-agent/client.js"); !strings.HasPrefix(answer, "200 ") {
			return fmt.Errorf("it answers %.40s", answer)
		}
		return nil
	})
	if strings.Contains(p.Output(), `"address":"[::]:8080"`) {
		t.Error("it opened a port of its own")
	}
	p.Signal(t, syscall.SIGHUP)
	p.Until(t, patience, func() error {
		if metrics := fetch(t, "http://"+s.admin+"/metrics"); !strings.Contains(metrics, `oauth_agent_config_reloads_total{outcome="applied"} 1`) {
			return fmt.Errorf("no reload")
		}
		return nil
	})
	p.Signal(t, syscall.SIGTERM)
	if code := p.Wait(t, patience); code != 0 {
		t.Errorf("it ended with %d", code)
	}
}

// fetch gives status and body of a GET, or the error in words.
func fetch(t *testing.T, url string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err.Error()
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return err.Error()
	}
	return fmt.Sprintf("%d %s", resp.StatusCode, body)
}

// What the program asks of the kernel is what the unit's filter lets through.
func TestUnitAllowsWhatTheProgramDoes(t *testing.T) {
	strace := program(t, "strace")
	s := serveSettings(t)
	trace := filepath.Join(t.TempDir(), "trace")
	env := environment(t, credentials(t))
	env["PORT"], env["BIND_ADDRESS"] = portOf(s.public), "127.0.0.1"
	p := process.Start(t, process.Command{Path: strace, Args: []string{"-D", "-f", "-qq", "-o", trace, binary(t), "serve", "--config", s.settings}, Env: env})
	p.Until(t, patience, process.Listening(s.public))
	p.Until(t, patience, func() error {
		if answer := fetch(t, "http://"+s.admin+"/metrics"); !strings.HasPrefix(answer, "200 ") {
			return fmt.Errorf("it answers %.40s", answer)
		}
		return nil
	})
	fetch(t, "http://"+s.public+"/oauth-agent/session")
	p.Stop(t)

	allowed := map[string]bool{}
	for _, filter := range unit(t)["SystemCallFilter"] {
		sets, deny := strings.CutPrefix(filter, "~")
		for set := range strings.FieldsSeq(sets) {
			addCalls(t, set, !deny, allowed)
		}
	}
	used := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^\d+ +([a-z_0-9]+)\(`).FindAllStringSubmatch(read(t, trace), -1) {
		used[m[1]] = true
	}
	if len(used) < 20 {
		t.Fatalf("strace saw %v", used)
	}
	for _, call := range slices.Sorted(maps.Keys(used)) {
		if !allowed[call] {
			t.Errorf("%s is not allowed", call)
		}
	}
}

// addCalls writes down what a set of system calls is made of.
func addCalls(t *testing.T, set string, allow bool, into map[string]bool) {
	t.Helper()
	for line := range strings.Lines(must(t, "", program(t, "systemd-analyze"), "--no-pager", "syscall-filter", set)) {
		switch name := strings.TrimSpace(line); {
		case name == "" || name == set || strings.HasPrefix(name, "#"):
		case strings.HasPrefix(name, "@"):
			addCalls(t, name, allow, into)
		default:
			into[name] = allow
		}
	}
}
