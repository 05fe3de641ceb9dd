package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

const nobody = "http://127.0.0.1:1" // an issuer that is never there

func TestReloadSwapsTheSettings(t *testing.T) {
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "from the API") }))
	defer api.Close()
	const other = "https://other.example.com"
	p := install(t, nobody, nil)
	if !p.serves(origin) || p.serves(other) {
		t.Fatal("before it is not as the settings say")
	}
	p.set(map[string]string{
		"trusted_web_origins": "[" + other + "]", "redirect_uri": other + "/", "log": "{level: debug, format: json}",
		"routes": "[{path: /api/, upstream: '" + api.URL + "', public: true}]",
	})
	p.mustReload()
	if p.serves(origin) || !p.serves(other) {
		t.Error("the origins are as they were")
	}
	req, _ := http.NewRequest("GET", p.root()+"/api/x", nil)
	req.Header.Set("Origin", other)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if string(body) != "from the API" {
		t.Errorf("the route: %d %s", resp.StatusCode, body)
	}
	if !strings.Contains(p.stderr.String(), `"msg":"`+applied+`"`) {
		t.Error("the log is as it was")
	}
	if n := p.metric("oauth_agent_config_last_reload_successful"); n != 1 {
		t.Errorf("config_last_reload_successful %v", n)
	}
	p.terminate()
	if code := p.wait(); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

// A bad new configuration is refused with every mistake, and the old one goes on.
func TestBadSettingsAreRefused(t *testing.T) {
	p := install(t, nobody, nil)
	certFile, keyFile, _ := makeCertificate(t)
	_, otherKey, _ := makeCertificate(t)
	const other = "https://other.example.com"
	for _, tt := range []struct {
		name   string
		change func()
		want   []string
	}{
		{"no YAML", func() { p.write("agent.yaml", "client_id: [") }, []string{"not YAML with settings"}},
		{"half written", func() { p.write("agent.yaml", p.yaml()[:len(p.yaml())/2]+"\ncookie: {name_pre") }, []string{"not YAML with settings"}},
		{"empty", func() { p.write("agent.yaml", "") }, []string{"neither the agent nor the PKCE proxy is configured"}},
		{"no file", func() { _ = os.Remove(p.path("agent.yaml")) }, []string{"cannot be read: no such file"}},
		{"a directory", func() { _ = os.Remove(p.path("agent.yaml")); _ = os.Mkdir(p.path("agent.yaml"), 0o700) }, []string{"not a regular file"}},
		{"two mistakes", func() { p.set(map[string]string{"prot": "80", "base_path": "no/path"}) }, []string{"prot: unknown key", "base_path (BASE_PATH)", "2 of 2"}},
		{"no secret", func() { _ = os.Remove(p.path("client-secret")) }, []string{"client_secret_file (CLIENT_SECRET_FILE): cannot be read: no such file"}},
		{"a secret that cannot be read", func() { p.loop("client-secret") }, []string{"client_secret_file (CLIENT_SECRET_FILE): cannot be read: too many levels"}},
		{"an empty secret", func() { p.write("client-secret", "\n") }, []string{"the file is empty"}},
		{"a secret of a pipe", func() { _ = os.Remove(p.path("client-secret")); _ = syscall.Mkfifo(p.path("client-secret"), 0o600) }, []string{"cannot be read again"}},
		{"a bad key", func() { p.write("keys", "c4nary-key") }, []string{"key 1 is not 64 hexadecimal characters"}},
		{"a page that is not there", func() { p.set(map[string]string{"spa": "{dir: /nowhere}"}) }, []string{"spa.dir"}},
		{"another port", func() { p.set(map[string]string{"port": "1"}) }, []string{`port (PORT): \"` + p.settings["port"] + `\" has become \"1\", which takes a restart`}},
		{"another bind address", func() { p.set(map[string]string{"bind_address": "127.0.0.2"}) }, []string{"bind_address (BIND_ADDRESS)", "takes a restart"}},
		{"another operator's port", func() { p.set(map[string]string{"admin_addr": "off"}) }, []string{"admin_addr (ADMIN_ADDR)", "takes a restart"}},
		{"a port for gateways", func() { p.set(map[string]string{"forward_auth": "{addr: '127.0.0.1:1'}"}) }, []string{"forward_auth.addr (FORWARD_AUTH_ADDR)", "takes a restart"}},
		{"TLS", func() { p.set(map[string]string{"tls": "{cert_file: " + certFile + ", key_file: " + keyFile + "}"}) }, []string{"tls (SERVER_CERT_FILE): TLS has been switched on"}},
		{"a pair that is none", func() { p.set(map[string]string{"tls": "{cert_file: " + certFile + ", key_file: " + otherKey + "}"}) }, []string{"tls (SERVER_CERT_FILE): the certificate and key do not load"}},
	} {
		before := map[string]string{}
		for key, value := range p.settings {
			before[key] = value
		}
		p.set(map[string]string{"trusted_web_origins": "[" + other + "]", "redirect_uri": other + "/"}) // and something good
		tt.change()
		ok, log := p.reload()
		if ok {
			t.Errorf("%s: applied", tt.name)
		}
		for _, want := range tt.want {
			if !strings.Contains(log, want) {
				t.Errorf("%s: the log has no %q:\n%s", tt.name, want, log)
			}
		}
		if strings.Contains(log, "c4nary") {
			t.Errorf("%s: a secret is in the log", tt.name)
		}
		if !p.serves(origin) || p.serves(other) || p.metric("oauth_agent_config_last_reload_successful") != 0 {
			t.Errorf("%s: the old settings do not go on", tt.name)
		}
		p.settings = before
		_ = os.Remove(p.path("agent.yaml"))
		_ = os.Remove(p.path("client-secret"))
		p.write("client-secret", "c4nary-secret\n")
		p.write("keys", strings.Repeat("a1", 32)+"\n")
		for _, key := range []string{"prot", "base_path", "spa", "forward_auth", "tls"} {
			p.settings[key] = ""
		}
		p.set(nil)
	}
	if ok, log := p.reload(); !ok || p.metric("oauth_agent_config_last_reload_successful") != 1 {
		t.Errorf("good settings at last: %s", log)
	}
}

// loop makes a file that not even root can read.
func (p *installed) loop(name string) {
	_ = os.Remove(p.path(name))
	_ = os.Symlink(name, p.path(name))
}

// Many reloads leave nothing behind.
func TestReloadsLeakNothing(t *testing.T) {
	p := install(t, nobody, map[string]string{"routes": "[{path: /api/, upstream: '" + nobody + "', public: true}]"})
	for i := range 5 { // until all that is made once is there
		p.set(map[string]string{"scope": strconv.Quote("openid s" + strconv.Itoa(i))})
		p.reload()
	}
	goroutines, files := p.metric("go_goroutines"), p.metric("process_open_fds")
	for i := range 50 {
		p.set(map[string]string{"scope": strconv.Quote("openid t" + strconv.Itoa(i))})
		p.mustReload()
	}
	p.until("goroutines and files are as few as before", func() bool {
		return p.metric("go_goroutines") <= goroutines+3 && p.metric("process_open_fds") <= files+3
	})
}
