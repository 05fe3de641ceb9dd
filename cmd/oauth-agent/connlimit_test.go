package main

import (
	"io"
	"net"
	"net/http"
	"net/url"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// However many connect, the process tells that it lives, its operator sees it, and
// others are served.
func TestConnectionsLeaveFilesToOthers(t *testing.T) {
	t.Parallel()
	m := newServiceManager(t)
	p := prepare(t, nobody, map[string]string{"reload_every": "1s", "limits": "{per_address: 4096}"})
	p.start(t, exec.Command("/bin/sh", "-c", `ulimit -n 128; exec "$0" "$@"`, itself(t), "--config", p.path("agent.yaml")),
		"NOTIFY_SOCKET="+m.path, "WATCHDOG_USEC=400000")
	u, _ := url.Parse(p.url)
	for i := range 140 {
		conn, err := net.Dial("tcp", u.Host)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.Close() }()
		if i%2 == 0 { // the others say nothing at all
			_, _ = io.WriteString(conn, "GET /oauth-agent/client.js HTTP/1.1\r\nHost: x\r\n\r\n")
		}
	}
	for seen := 0; seen < 5; {
		text, err := m.next(5 * time.Second)
		if err != nil {
			t.Fatalf("the watchdog is told nothing: %v", err)
		}
		if text == "WATCHDOG=1" {
			seen++
		}
	}
	if status, body := p.ask("/livez"); status != 200 {
		t.Errorf("/livez: %d %s", status, body)
	}
	if p.metric("process_open_fds") > 100 || p.metric("process_max_fds") != 128 {
		t.Errorf("%v files are open", p.metric("process_open_fds"))
	}
	if ok, log := p.reload(); !ok || p.told(refused) > 0 || strings.Contains(log, "too many open files") {
		t.Errorf("the settings cannot be read: %s", log)
	}
	client := &http.Client{Timeout: 20 * time.Second} // the silent ones are given up after ten
	resp, err := client.Get(p.url + "/client.js")
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != 200 {
		t.Errorf("a user: %d", resp.StatusCode)
	}
}
