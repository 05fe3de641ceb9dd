package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"oauth-agent/test/idp"
)

const page = "http://localhost:3000"

// world is everything that runs.
type world struct {
	dir                              string
	as                               *idp.Server
	upstream, bare, limited          *process
	agent, logging, always           *process
	before, tracing, collector       *process // before: nil without
	nginx                            *process // nil without
	logs                             *os.File
	forward, plain, asks, asksAlways string // addresses
	cookies, csrf                    string
}

func newWorld(ctx context.Context, before string) (w *world, err error) {
	w = &world{}
	defer func() {
		if err != nil {
			w.close()
		}
	}()
	if w.dir, err = os.MkdirTemp("", "oauth-agent-bench-"); err != nil {
		return w, err
	}
	if w.logs, err = os.Create(filepath.Join(w.dir, "log")); err != nil {
		return w, err
	}
	for _, p := range []struct {
		into **process
		args func() []string
	}{
		{&w.upstream, func() []string { return []string{"-role", "upstream"} }},
		{&w.bare, func() []string { return []string{"-role", "bare", "-target", "http://" + w.upstream.addr} }},
		{&w.limited, func() []string { return []string{"-role", "limited", "-target", "http://" + w.upstream.addr} }},
		{&w.collector, func() []string { return []string{"-role", "collector"} }},
		{&w.always, func() []string { return []string{"-role", "yes"} }},
	} {
		if *p.into, err = role(p.args()...); err != nil {
			return w, err
		}
	}
	if err = w.startAgents(ctx, before); err != nil {
		return w, err
	}
	if err = w.login(ctx); err != nil {
		return w, err
	}
	return w, w.startNginx()
}

func (w *world) startAgents(ctx context.Context, before string) (err error) {
	w.as, err = idp.Start(ctx, "127.0.0.1:0", idp.Config{
		Clients: []idp.Client{{ID: "spa", Secret: "secret", RedirectURIs: []string{page + "/"}}},
		Users:   []idp.User{{Username: "demo", Password: "demo", Sub: "demo"}},
		Padding: 1024 - 46, AccessTokenLifetime: 24 * time.Hour, // 1 KB of access token
	})
	if err != nil {
		return err
	}
	binary := filepath.Join(w.dir, "oauth-agent")
	build := exec.CommandContext(ctx, "go", "build", "-buildvcs=false", "-o", binary, "oauth-agent/cmd/oauth-agent")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		return err
	}
	if w.forward, err = freeAddr(); err != nil {
		return err
	}
	if w.agent, err = w.startAgent(binary, "LOG_LEVEL=warn", "FORWARD_AUTH_ADDR="+w.forward); err != nil {
		return err
	}
	if w.tracing, err = w.startAgent(binary, "LOG_LEVEL=info", "TRACING_ENDPOINT=http://"+w.collector.addr); err != nil {
		return err
	}
	if before != "" {
		if w.before, err = w.startAgent(before, "LOG_LEVEL=warn"); err != nil {
			return err
		}
	}
	w.logging, err = w.startAgent(binary, "LOG_LEVEL=info")
	return err
}

func (w *world) startAgent(binary string, env ...string) (*process, error) {
	addr, err := freeAddr()
	if err != nil {
		return nil, err
	}
	_, port, _ := net.SplitHostPort(addr)
	p, err := start(append(env,
		"ISSUER="+w.as.Issuer, "CLIENT_ID=spa", "CLIENT_SECRET=secret", "REDIRECT_URI="+page+"/",
		"TRUSTED_WEB_ORIGIN="+page, "COOKIE_NAME_PREFIX=example", "COOKIE_ENCRYPTION_KEY="+strings.Repeat("a1", 32),
		"BIND_ADDRESS=127.0.0.1", "PORT="+port, "ADMIN_ADDR=off", "ROUTES=/api/=http://"+w.upstream.addr,
	), w.logs, binary)
	if err != nil {
		return nil, err
	}
	p.addr = addr
	return p, await(addr)
}

func freeAddr() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

func await(addr string) (err error) {
	for range 100 {
		var conn net.Conn
		if conn, err = net.Dial("tcp", addr); err == nil {
			return conn.Close()
		}
		time.Sleep(50 * time.Millisecond)
	}
	return err
}

// login walks a login, for the cookies that the calls then carry.
func (w *world) login(ctx context.Context) error {
	var begun struct{ AuthorizationRequestURL string }
	resp, err := w.call("/login/start", "", &begun)
	if err != nil {
		return err
	}
	landed, err := idp.Login(ctx, nil, begun.AuthorizationRequestURL, "demo", "demo")
	if err != nil {
		return err
	}
	body, _ := json.Marshal(map[string]string{"pageUrl": landed})
	w.cookies = cookieHeader(resp.Cookies(), "")
	var ended struct {
		IsLoggedIn bool
		CSRF       string
	}
	if resp, err = w.call("/login/end", string(body), &ended); err != nil || !ended.IsLoggedIn {
		return fmt.Errorf("not logged in: %w", err)
	}
	// With the path of API calls: access token and CSRF token.
	w.cookies, w.csrf = "theme=dark; "+cookieHeader(resp.Cookies(), "/"), ended.CSRF
	return nil
}

func cookieHeader(cookies []*http.Cookie, path string) string {
	var pairs []string
	for _, c := range cookies {
		if c.MaxAge >= 0 && (path == "" || c.Path == path) {
			pairs = append(pairs, c.Name+"="+c.Value)
		}
	}
	return strings.Join(pairs, "; ")
}

func (w *world) call(path, body string, into any) (*http.Response, error) {
	r, err := http.NewRequest(http.MethodPost, "http://"+w.agent.addr+"/oauth-agent"+path, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Origin", page)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Cookie", w.cookies)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %d %s", path, resp.StatusCode, text)
	}
	if err == nil {
		err = json.Unmarshal(text, into)
	}
	return resp, err
}

// startNginx starts one nginx that listens three times: as a plain proxy, and
// asking the agent or somebody who always says yes.
func (w *world) startNginx() (err error) {
	if _, err := exec.LookPath("nginx"); err != nil {
		fmt.Println("nginx is not installed, and left out")
		return nil
	}
	var addrs [3]string
	for i := range addrs {
		if addrs[i], err = freeAddr(); err != nil {
			return err
		}
	}
	w.plain, w.asks, w.asksAlways = addrs[0], addrs[1], addrs[2]
	conf := fmt.Sprintf(nginxConf, w.dir, w.upstream.addr, w.forward, w.always.addr, w.plain, w.asks, w.asksAlways)
	file := filepath.Join(w.dir, "nginx.conf")
	if err := os.WriteFile(file, []byte(conf), 0o600); err != nil {
		return err
	}
	if w.nginx, err = start(nil, w.logs, "nginx", "-e", "stderr", "-p", w.dir, "-c", file); err != nil {
		return err
	}
	return await(w.asksAlways)
}

const nginxConf = `
daemon off;
worker_processes auto;
pid %[1]s/pid;
error_log stderr error;
events {}
http {
    access_log off;
    client_body_temp_path %[1]s/body;
    proxy_temp_path %[1]s/proxy;
    fastcgi_temp_path %[1]s/fastcgi;
    uwsgi_temp_path %[1]s/uwsgi;
    scgi_temp_path %[1]s/scgi;
    keepalive_requests 1000000;
    proxy_http_version 1.1;
    proxy_set_header Connection '';
    upstream api { server %[2]s; keepalive 256; }
    upstream agent { server %[3]s; keepalive 256; }
    upstream always { server %[4]s; keepalive 256; }
    server {
        listen %[5]s;
        location / { proxy_pass http://api; }
    }
    server {
        listen %[6]s;
        location / {
            auth_request /_ask;
            auth_request_set $token $upstream_http_authorization;
            proxy_set_header Connection '';
            proxy_set_header Authorization $token;
            proxy_set_header Cookie '';
            proxy_pass http://api;
        }
        location = /_ask { internal; proxy_pass http://agent/oauth-agent/authorize; }
    }
    server {
        listen %[7]s;
        location / {
            auth_request /_ask;
            auth_request_set $token $upstream_http_authorization;
            proxy_set_header Connection '';
            proxy_set_header Authorization $token;
            proxy_set_header Cookie '';
            proxy_pass http://api;
        }
        location = /_ask { internal; proxy_pass http://always/; }
    }
}
`

// request is a call as a browser sends it.
func (w *world) request(method string) []byte {
	extra := ""
	if method == http.MethodPost {
		extra = "X-Example-Csrf: " + w.csrf + "\r\nContent-Length: 0\r\n"
	}
	return []byte(method + " /api/orders?page=1 HTTP/1.1\r\nHost: localhost:8080\r\n" +
		"User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0\r\n" +
		"Accept: application/json\r\nAccept-Language: en\r\nAccept-Encoding: gzip, deflate, br\r\n" +
		"Origin: " + page + "\r\nReferer: " + page + "/\r\n" +
		"Sec-Fetch-Dest: empty\r\nSec-Fetch-Mode: cors\r\nSec-Fetch-Site: same-site\r\n" +
		"Cookie: " + w.cookies + "\r\n" + extra + "\r\n")
}

func (w *world) comparisons() []comparison {
	get := w.request(http.MethodGet)
	proxy := comparison{title: "Reverse proxy: GET, 1 KB of JSON, access token of 1 KB", targets: []*target{
		{"httputil.ReverseProxy", w.bare.addr, get, w.bare.pids},
		{"the same, with time-outs", w.limited.addr, get, w.limited.pids},
		{"oauth-agent", w.agent.addr, get, w.agent.pids},
		{"oauth-agent, access log", w.logging.addr, get, w.logging.pids},
		{"oauth-agent, POST", w.agent.addr, w.request(http.MethodPost), w.agent.pids},
	}}
	watching := comparison{title: "What it costs to watch: metrics, trace context and request ids are always on", targets: []*target{
		{"oauth-agent", w.agent.addr, get, w.agent.pids},
		{"oauth-agent, access log", w.logging.addr, get, w.logging.pids},
		{"the same, every span", w.tracing.addr, get, w.tracing.pids},
	}}
	if w.before != nil {
		watching.targets = append([]*target{{"the other build", w.before.addr, get, w.before.pids}}, watching.targets...)
	}
	if w.nginx == nil {
		return []comparison{watching, proxy}
	}
	proxy.targets = append(proxy.targets, &target{"nginx", w.plain, get, w.nginx.pids})
	return []comparison{watching, proxy, {title: "Forward auth: nginx asks; the CPU time is of what answers, not of nginx", targets: []*target{
		{"always yes", w.asksAlways, get, w.always.pids},
		{"oauth-agent", w.asks, get, w.agent.pids},
	}}}
}

// memory tells what the agent holds.
func (w *world) memory(ctx context.Context) error {
	t := &target{"", w.agent.addr, w.request(http.MethodGet), w.agent.pids}
	pid := w.agent.cmd.Process.Pid
	n := 0
	c := t.dial()
	for ; n < 100_000 && ctx.Err() == nil; n++ {
		c.ask(t.request)
	}
	c.close()
	fmt.Printf("\nMemory of oauth-agent (resident): %.1f MB after another %d requests", mb(resident(pid)), n-c.failed)
	var idle []*client
	for range 1000 {
		c := t.dial()
		c.ask(t.request)
		idle = append(idle, c)
	}
	time.Sleep(time.Second)
	fmt.Printf(", %.1f MB with %d idle connections\n", mb(resident(pid)), len(idle))
	for _, c := range idle {
		c.close()
	}
	return ctx.Err()
}

func mb(n int) float64 { return float64(n) / (1 << 20) }

func (w *world) close() {
	for _, p := range []*process{w.nginx, w.agent, w.logging, w.tracing, w.before, w.collector, w.always, w.limited, w.bare, w.upstream} {
		if p != nil {
			p.stop()
		}
	}
	if w.as != nil {
		_ = w.as.Close()
	}
	_ = os.RemoveAll(w.dir)
}
