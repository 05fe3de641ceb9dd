//go:build interop

package deploy

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"oauth-agent/test/internal/process"
)

const composeFile = top + "/deployments/compose/compose.yaml"

// project is the part of a compose file that is looked at here.
type project struct {
	Services map[string]service
}

type service struct {
	Command   []string
	User      string
	ReadOnly  bool     `json:"read_only"`
	CapDrop   []string `json:"cap_drop"`
	Build     struct{ Dockerfile string }
	DependsOn map[string]struct{ Condition string } `json:"depends_on"`
	Networks  map[string]*struct{ Aliases []string }
	Ports     []struct {
		HostIP string `json:"host_ip"`
		Target int
	}
	Volumes []struct {
		Type, Source, Target string
		ReadOnly             bool `json:"read_only"`
	}
	Healthcheck struct{ Test []string }
}

// loadCompose reads the file as docker compose does.
func loadCompose(t *testing.T) project {
	t.Helper()
	path, err := filepath.Abs(composeFile)
	if err != nil {
		t.Fatal(err)
	}
	var p project
	if err := json.Unmarshal([]byte(must(t, "", tool(t, "composecheck"), path)), &p); err != nil {
		t.Fatal(err)
	}
	return p
}

func TestComposeFileIsConfined(t *testing.T) {
	for name, s := range loadCompose(t).Services {
		if !s.ReadOnly || !slices.Equal(s.CapDrop, []string{"ALL"}) {
			t.Errorf("%s: read-only %v, without %v", name, s.ReadOnly, s.CapDrop)
		}
		for _, port := range s.Ports {
			if port.HostIP != "127.0.0.1" {
				t.Errorf("%s: port %d is for everybody", name, port.Target)
			}
		}
	}
}

// A reference to nothing is found, so that the file is read for real.
func TestComposeMistakesAreFound(t *testing.T) {
	good := read(t, composeFile)
	for _, edit := range [][2]string{
		{"condition: service_healthy", "condition: service_well"},
		{"networks: [example]", "networks: [exampel]"},
		{"- secrets:/run", "- secret:/run"},
		{"api: {condition", "apis: {condition"},
		{"read_only: true", "readonly: true"},
	} {
		file := filepath.Join(t.TempDir(), "compose.yaml")
		write(t, file, strings.Replace(good, edit[0], edit[1], 1))
		if out, err := try(t, "", tool(t, "composecheck"), file); err == nil || good == read(t, file) {
			t.Errorf("%s: no mistake\n%.200s", edit[1], out)
		}
	}
}

const inside = "DEPLOY_INSIDE"

// The example is run as the file says, each service on its image's root and by its
// image's user, in a network of its own (for the ports), where names are as they
// would be: somebody logs in, and sees what the API has for her.
func TestComposeExampleRuns(t *testing.T) {
	if os.Getenv(inside) != "" {
		must(t, "", program(t, "ip"), "link", "set", "lo", "up")
		runExample(t)
		return
	}
	asRoot(t)
	program(t, "ip")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), program(t, "unshare"), "--net", "--mount", self, "-test.run", "^"+t.Name()+"$", "-test.timeout", "4m", "-test.v")
	cmd.Env = append(os.Environ(), inside+"=yes")
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: "+t.Name()) {
		t.Fatalf("%v\n%s", err, out)
	}
}

func runExample(t *testing.T) {
	p := loadCompose(t)
	volumes := t.TempDir()
	running := map[string]*container{}
	for len(running) < len(p.Services) {
		before := len(running)
		for _, name := range slices.Sorted(maps.Keys(p.Services)) {
			if s := p.Services[name]; running[name] == nil && s.startable(running) {
				running[name] = startContainer(t, p, name, volumes)
			}
		}
		if len(running) == before {
			t.Fatal("services wait for each other")
		}
	}
	visit(t)
	for name, c := range running {
		if p.awaited(name) != "service_completed_successfully" && c.Exited() {
			t.Errorf("%s has ended", name)
		}
	}
	t.Logf("visited; the agent wrote:\n%s", running["agent"].Output())
}

// startable tells whether all that it depends on has been started; a start waits
// until others may begin.
func (s service) startable(running map[string]*container) bool {
	for name := range s.DependsOn {
		if running[name] == nil {
			return false
		}
	}
	return true
}

type container struct{ *process.Process }

// startContainer runs a service until it is healthy, or to its end where others
// wait for that.
func startContainer(t *testing.T, p project, name, volumes string) *container {
	t.Helper()
	s := p.Services[name]
	img := buildFrom(t, s.Build.Dockerfile)
	root := filepath.Join(t.TempDir(), name)
	must(t, "", program(t, "cp"), "-a", img.root, root)
	write(t, root+"/etc/hosts", hosts(p))
	script := `mount --bind "$0" "$0"`
	for _, v := range s.Volumes {
		source := v.Source
		if v.Type == "volume" {
			source = filepath.Join(volumes, v.Source)
			if err := os.MkdirAll(source, 0o755); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.MkdirAll(root+v.Target, 0o755); err != nil {
			t.Fatal(err)
		}
		script += fmt.Sprintf(` && mount --bind '%s' "$0%s"`, source, v.Target)
		if v.ReadOnly {
			script += fmt.Sprintf(` && mount -o remount,ro,bind "$0%s"`, v.Target)
		}
	}
	script += ` && mount -o remount,ro,bind "$0" && exec chroot --userspec="$1" --groups= "$0" "${@:2}"`
	user := s.User
	if user == "" {
		user = img.meta["USER"]
	}
	run := func(command ...string) *process.Process {
		args := append([]string{"--mount", program(t, "bash"), "-c", script, root, user}, command...)
		return process.Start(t, process.Command{Path: program(t, "unshare"), Args: args})
	}
	c := &container{run(append(img.list(t, "ENTRYPOINT"), s.Command...)...)}
	switch {
	case p.awaited(name) == "service_completed_successfully":
		if code := c.Wait(t, patience); code != 0 {
			t.Fatalf("%s ended with %d: %s", name, code, c.Output())
		}
	default:
		check := s.Healthcheck.Test
		if len(check) == 0 {
			check = append([]string{"CMD"}, img.list(t, "HEALTHCHECK")...)
		}
		c.Until(t, patience, func() error {
			if health := run(check[1:]...); health.Wait(t, patience) != 0 {
				return fmt.Errorf("%s: %s", name, health.Output())
			}
			return nil
		})
	}
	return c
}

// awaited is the condition on which others depend on a service.
func (p project) awaited(name string) string {
	for _, s := range p.Services {
		if on, ok := s.DependsOn[name]; ok {
			return on.Condition
		}
	}
	return ""
}

// hosts are the names that the network of the example knows.
func hosts(p project) string {
	names := []string{"localhost"}
	for name, s := range p.Services {
		for _, network := range s.Networks {
			names = append(names, name)
			if network != nil {
				names = append(names, network.Aliases...)
			}
		}
	}
	slices.Sort(names)
	return "127.0.0.1 " + strings.Join(names, " ") + "\n"
}

// visit is a browser on this machine, to which names below localhost are it.
func visit(t *testing.T) {
	t.Helper()
	wire := &http.Transport{DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		host, port, err := net.SplitHostPort(address)
		if err != nil || host != "localhost" && !strings.HasSuffix(host, ".localhost") {
			return nil, fmt.Errorf("a browser does not know %s", address)
		}
		return new(net.Dialer).DialContext(ctx, network, "127.0.0.1:"+port)
	}}
	const origin = "http://localhost:8080"
	page := newPage(t, origin, "example", wire)
	for path, want := range map[string]string{"/": "<title>oauth-agent example</title>", "/app.js": "createAgent", "/oauth-agent/client.js": "createAgent"} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, origin+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Sec-Fetch-Mode", "navigate")
		req.Header.Set("Sec-Fetch-Site", "same-origin")
		resp, err := page.client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		text := make([]byte, 1<<16)
		n, _ := resp.Body.Read(text)
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusOK || !strings.Contains(string(text[:n]), want) && path != "/oauth-agent/client.js" {
			t.Errorf("%s: %d %.200s", path, resp.StatusCode, text[:n])
		}
	}
	page.login(t.Context(), &http.Client{Transport: wire, Timeout: 10 * time.Second}, "ada", "ada")
	if status, answer := page.call("GET", "/api/orders", nil); status != 200 || !strings.Contains(fmt.Sprint(answer), "coffee") {
		t.Errorf("orders: %d %v", status, answer)
	}
	if status, user := page.call("GET", "/oauth-agent/userInfo", nil); status != 200 || user["name"] != "Ada Lovelace" {
		t.Errorf("user: %d %v", status, user)
	}
	if status, _ := page.call("POST", "/oauth-agent/refresh", nil); status != 204 {
		t.Errorf("refresh: %d", status)
	}
	if status, answer := page.call("POST", "/oauth-agent/logout", nil); status != 200 || !strings.HasPrefix(fmt.Sprint(answer["url"]), origin) {
		t.Errorf("logout: %d %v", status, answer)
	}
}
