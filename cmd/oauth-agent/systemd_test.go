package main

import (
	"errors"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// serviceManager is the socket at which a service manager is told what goes on.
type serviceManager struct {
	t    *testing.T
	conn *net.UnixConn
	path string
}

func newServiceManager(t *testing.T) *serviceManager {
	t.Helper()
	dir, err := os.MkdirTemp("", "sd") // t.TempDir may be too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	m := &serviceManager{t: t, path: filepath.Join(dir, "notify")}
	if m.conn, err = net.ListenUnixgram("unixgram", &net.UnixAddr{Name: m.path, Net: "unixgram"}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = m.conn.Close() })
	return m
}

// told waits for the next message but those of the watchdog.
func (m *serviceManager) told() string {
	m.t.Helper()
	for {
		text, err := m.next(10 * time.Second)
		if err != nil {
			m.t.Fatal(err)
		}
		if text != "WATCHDOG=1" {
			return text
		}
	}
}

func (m *serviceManager) next(limit time.Duration) (string, error) {
	_ = m.conn.SetReadDeadline(time.Now().Add(limit))
	buf := make([]byte, 4096)
	n, err := m.conn.Read(buf)
	return string(buf[:n]), err
}

func TestServiceManagerIsTold(t *testing.T) {
	m := newServiceManager(t)
	p := install(t, nobody, nil, "NOTIFY_SOCKET="+m.path)
	want := func(pattern string) {
		t.Helper()
		if got := m.told(); !regexp.MustCompile(pattern).MatchString(got) {
			t.Errorf("told %q, want %s", got, pattern)
		}
	}
	want(`^READY=1\nSTATUS=serving at 127\.0\.0\.1:\d+$`)
	p.mustReload()
	want(`^RELOADING=1\nMONOTONIC_USEC=\d+\nSTATUS=loading the settings$`)
	want(`^READY=1\nSTATUS=serving by settings loaded at `)
	p.set(map[string]string{"prot": "80"})
	p.reload()
	want(`^RELOADING=1\n`)
	want(`^READY=1\nSTATUS=serving by older settings: new ones were refused, see the log$`)
	p.terminate()
	want(`^STOPPING=1\nSTATUS=stopping`)
	if code := p.wait(); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

// A start that fails is not told to be one.
func TestServiceManagerIsNotToldOfAFailedStart(t *testing.T) {
	m := newServiceManager(t)
	p := launch(t, "NOTIFY_SOCKET="+m.path, "CLIENT_ID=spa")
	if code := p.wait(); code != 1 {
		t.Errorf("exit code %d", code)
	}
	if text, err := m.next(20 * time.Millisecond); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("told %q, %v", text, err)
	}
}

// The watchdog hears from the process as long as that answers, with an operator's
// port or without, and not from one that hangs.
func TestWatchdog(t *testing.T) {
	for _, admin := range []string{"on", "off"} {
		t.Run(admin, func(t *testing.T) {
			t.Parallel()
			m := newServiceManager(t)
			changes := map[string]string{}
			if admin == "off" {
				changes["admin_addr"] = "off"
			}
			p := install(t, nobody, changes, "NOTIFY_SOCKET="+m.path, "WATCHDOG_USEC=100000")
			for heard := 0; heard < 3; {
				text, err := m.next(10 * time.Second)
				if err != nil {
					t.Fatal(err)
				}
				if text == "WATCHDOG=1" {
					heard++
				}
			}
			p.terminate()
			if code := p.wait(); code != 0 {
				t.Errorf("exit code %d", code)
			}
		})
	}
	for name, h := range map[string]http.HandlerFunc{
		"hangs": func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
	} {
		client := &http.Client{Transport: inProcess{h}, Timeout: 10 * time.Millisecond}
		if _, err := client.Get("http://admin/livez"); err == nil {
			t.Errorf("%s: it counts as alive", name)
		}
	}
}

// activated starts the program with sockets that are passed on under these names.
func activated(t *testing.T, names string, files []*os.File, env ...string) *program {
	t.Helper()
	cmd := exec.Command("sh", "-c", `LISTEN_PID=$$ exec "$0"`, itself(t))
	cmd.ExtraFiles = files
	return launchAs(t, cmd, append([]string{
		"LISTEN_FDS=" + string(rune('0'+len(files))), "LISTEN_FDNAMES=" + names,
		"ISSUER=" + nobody, "CLIENT_ID=spa", "CLIENT_SECRET=c4nary-secret", "REDIRECT_URI=" + origin + "/",
		"TRUSTED_WEB_ORIGIN=" + origin, "COOKIE_ENCRYPTION_KEY=" + strings.Repeat("a1", 32),
		"PORT=1", "BIND_ADDRESS=192.0.2.1", // where nobody could listen
	}, env...)...)
}

// passOn makes a socket to be passed on.
func passOn(t *testing.T, network, address string) (addr string, file *os.File) {
	t.Helper()
	l, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	if u, ok := l.(*net.UnixListener); ok {
		u.SetUnlinkOnClose(false)
	}
	if file, err = l.(interface{ File() (*os.File, error) }).File(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = file.Close() })
	return l.Addr().String(), file
}

func TestSocketActivation(t *testing.T) {
	status := func(url string) int {
		resp, err := http.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		return resp.StatusCode
	}
	t.Run("one alone is the public one", func(t *testing.T) {
		for _, name := range []string{"", "oauth-agent.socket", "unknown"} {
			addr, file := passOn(t, "tcp", "127.0.0.1:0")
			p := activated(t, name, []*os.File{file})
			p.awaitListening()
			if got := status("http://" + addr + "/oauth-agent/client.js"); got != 200 {
				t.Errorf("status %d", got)
			}
			p.terminate()
			if code := p.wait(); code != 0 {
				t.Errorf("exit code %d", code)
			}
			if conn, err := net.Dial("tcp", addr); err != nil {
				t.Errorf("the socket went with the process: %v", err) // and so would clients
			} else {
				_ = conn.Close()
			}
		}
	})
	t.Run("by their names", func(t *testing.T) {
		admin, adminFile := passOn(t, "tcp", "127.0.0.1:0")
		gateways, gatewaysFile := passOn(t, "tcp", "127.0.0.1:0")
		public, publicFile := passOn(t, "tcp", "127.0.0.1:0")
		other, otherFile := passOn(t, "tcp", "[::1]:0")
		p := activated(t, "admin:forward-auth:public:public", []*os.File{adminFile, gatewaysFile, publicFile, otherFile},
			"ADMIN_ADDR=127.0.0.1:2", "FORWARD_AUTH_ADDR=127.0.0.1:3")
		p.awaitListening()
		for url, want := range map[string]int{
			"http://" + admin + "/livez": 200, "http://" + public + "/livez": 404, "http://" + other + "/oauth-agent/client.js": 200,
			"http://" + gateways + "/oauth-agent/authorize": 401, "http://" + gateways + "/oauth-agent/client.js": 404,
		} {
			if got := status(url); got != want {
				t.Errorf("%s: %d, want %d", url, got, want)
			}
		}
	})
	t.Run("of the file system", func(t *testing.T) {
		m := newServiceManager(t) // for its directory
		path, file := passOn(t, "unix", filepath.Join(filepath.Dir(m.path), "public"))
		activated(t, "public", []*os.File{file}).awaitAddress(path)
		conn, err := net.Dial("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.Close() }()
		get(t, conn)
	})
	t.Run("mistakes", func(t *testing.T) {
		_, one := passOn(t, "tcp", "127.0.0.1:0")
		_, two := passOn(t, "tcp", "127.0.0.1:0")
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _, _ = r.Close(), w.Close() }()
		for _, tt := range []struct {
			names string
			files []*os.File
			want  string
		}{
			{"public:other", []*os.File{one, two}, `the socket "other" was passed on: name it public, forward-auth or admin`},
			{"public:admin", []*os.File{one, two}, `the socket "admin" was passed on, but admin_addr (ADMIN_ADDR) is off`},
			{"public:forward-auth", []*os.File{one, two}, `the socket "forward-auth" was passed on, but forward_auth.addr (FORWARD_AUTH_ADDR) is off`},
			{"public", []*os.File{r}, `the socket "public" was passed on, and is none to listen at`},
		} {
			p := activated(t, tt.names, tt.files)
			if code := p.wait(); code != 1 || !strings.Contains(p.stderr.String(), tt.want) {
				t.Errorf("%s: exit code %d\n%s", tt.names, code, &p.stderr)
			}
		}
	})
}

func (p *program) awaitAddress(addr string) {
	p.t.Helper()
	p.until("it listens", func() bool { return strings.Contains(p.stderr.String(), "address="+addr) })
}

// Another process's sockets are not ours.
func TestSocketsOfAnotherProcess(t *testing.T) {
	_, file := passOn(t, "tcp", "127.0.0.1:0")
	cmd := exec.Command(itself(t))
	cmd.ExtraFiles = []*os.File{file}
	p := launchAs(t, cmd, "LISTEN_PID=1", "LISTEN_FDS=1", "PORT=1", "BIND_ADDRESS=192.0.2.1",
		"ISSUER="+nobody, "CLIENT_ID=spa", "CLIENT_SECRET=c4nary-secret", "REDIRECT_URI="+origin+"/",
		"TRUSTED_WEB_ORIGIN="+origin, "COOKIE_ENCRYPTION_KEY="+strings.Repeat("a1", 32))
	if code := p.wait(); code != 1 || !strings.Contains(p.stderr.String(), "cannot listen at port (PORT)") {
		t.Errorf("exit code %d: %s", code, &p.stderr)
	}
}
