//go:build interop

package deploy

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"oauth-agent/test/double"
	"oauth-agent/test/idp"
	"oauth-agent/test/internal/process"
)

// volume is a directory as the kubelet fills it: the files are links into a hidden
// one, which is swapped as a whole.
type volume struct {
	t   *testing.T
	dir string
	n   int
}

func (v *volume) put(files map[string]string) {
	v.t.Helper()
	v.n++
	data := "..data-" + strconv.Itoa(v.n)
	for name, text := range files {
		write(v.t, filepath.Join(v.dir, data, name), text)
		if link := filepath.Join(v.dir, name); !exists(link) {
			v.link(filepath.Join("..data", name), link)
		}
	}
	v.link(data, filepath.Join(v.dir, "..data_tmp"))
	if err := os.Rename(filepath.Join(v.dir, "..data_tmp"), filepath.Join(v.dir, "..data")); err != nil {
		v.t.Fatal(err)
	}
}

func (v *volume) link(to, path string) {
	v.t.Helper()
	if err := os.Symlink(to, path); err != nil {
		v.t.Fatal(err)
	}
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// The image as the chart runs it: its settings, its mounts, its arguments, on a
// root that nobody can write to, as a user without rights. It gets ready; then a
// Secret changes, and the settings, with a mistake and without.
func TestImageRunsAsThePod(t *testing.T) {
	img := buildImage(t)
	as, err := idp.Start(t.Context(), "127.0.0.1:0", idp.Config{
		Clients: []idp.Client{{ID: "my-spa", Secret: "secret", RedirectURIs: []string{"https://www.example.com/"}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = as.Close() })

	all := manifests(t, render(t, "demo", valuesFiles(t)["small"], "--set", "settings.issuer="+as.Issuer, "--set", "settings.reload_every=1s"))
	settings := all["ConfigMap demo-oauth-agent"].at("data", "agent.yaml").(string)
	container := all["Deployment demo-oauth-agent"].in("spec", "template", "spec", "containers", 0)
	args := []string{img.list(t, "ENTRYPOINT")[0]}
	for _, a := range container.at("args").([]any) {
		args = append(args, a.(string))
	}

	secrets := &volume{t: t, dir: img.root + secretsDir}
	config := &volume{t: t, dir: img.root + "/etc/oauth-agent"}
	for _, v := range []*volume{secrets, config} {
		t.Cleanup(func() { _ = os.RemoveAll(v.dir) })
	}
	keys := strings.Repeat("0123456789abcdef", 4)
	secrets.put(map[string]string{"client-secret": "secret", "cookie-keys": keys})
	config.put(map[string]string{"agent.yaml": settings})

	free := []string{double.FreeAddress(t), double.FreeAddress(t)}
	env := map[string]string{"BIND_ADDRESS": "127.0.0.1", "PORT": portOf(free[0]), "ADMIN_ADDR": free[1], "SHUTDOWN_DELAY": "0s"}
	path, inJail := img.jail(t, args...)
	p := process.Start(t, process.Command{Path: path, Args: inJail, Env: env})
	at := "http://" + env["ADMIN_ADDR"]
	p.Until(t, patience, says(t, at+container.at("readinessProbe", "httpGet", "path").(string), "200 "))
	if got := fetch(t, at+container.at("livenessProbe", "httpGet", "path").(string)); !strings.HasPrefix(got, "200 ") {
		t.Errorf("live: %s", got)
	}
	if got := fetch(t, "http://"+free[0]+"/oauth-agent/session"); !strings.HasPrefix(got, "200 ") {
		t.Errorf("it serves %s", got)
	}
	path, check := img.jail(t, img.list(t, "HEALTHCHECK")...)
	process.Run(t, patience, process.Command{Path: path, Args: check, Env: env})

	// The new key is in the second place first, on all replicas.
	secrets.put(map[string]string{"client-secret": "secret", "cookie-keys": keys + "\n" + strings.Repeat("fedcba9876543210", 4)})
	p.Until(t, patience, says(t, at+"/metrics", `oauth_agent_config_reloads_total{outcome="applied"} 1`))
	config.put(map[string]string{"agent.yaml": settings + "\nportt: 1\n"})
	p.Until(t, patience, says(t, at+"/metrics", `oauth_agent_config_last_reload_successful 0`))
	process.Run(t, patience, process.Command{Path: path, Args: check, Env: env}) // the old ones go on
	config.put(map[string]string{"agent.yaml": settings + "\nscope: openid\n"})
	p.Until(t, patience, says(t, at+"/metrics", `oauth_agent_config_last_reload_successful 1`))

	p.Signal(t, syscall.SIGTERM)
	if code := p.Wait(t, patience); code != 0 {
		t.Errorf("it ended with %d", code)
	}
	unwell := process.Start(t, process.Command{Path: path, Args: check, Env: env})
	if code := unwell.Wait(t, patience); code == 0 {
		t.Error("the health check of a container that has ended is good")
	}
}

// says wants a text in the answer.
func says(t *testing.T, url, want string) func() error {
	t.Helper()
	return func() error {
		if got := fetch(t, url); !strings.Contains(got, want) {
			return fmt.Errorf("%s does not say %q: %.300s", url, want, got)
		}
		return nil
	}
}
