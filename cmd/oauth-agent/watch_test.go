package main

import (
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// project puts files into a directory as Kubernetes does: behind a link to a
// directory, which is swapped as a whole.
func project(t *testing.T, dir, version string, files map[string]string) {
	t.Helper()
	check := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	check(os.Mkdir(filepath.Join(dir, version), 0o700))
	for name, text := range files {
		check(os.WriteFile(filepath.Join(dir, version, name), []byte(text), 0o600))
	}
	check(os.Symlink(version, filepath.Join(dir, "..data_tmp")))
	check(os.Rename(filepath.Join(dir, "..data_tmp"), filepath.Join(dir, "..data")))
	for name := range files {
		if err := os.Symlink(filepath.Join("..data", name), filepath.Join(dir, name)); err != nil && !os.IsExist(err) {
			t.Fatal(err)
		}
	}
}

// Changed files are found without a signal, be it behind links, and are applied
// once.
func TestChangedFilesAreFound(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	key := func(digits string) string { return strings.Repeat(digits, 32) }
	project(t, dir, "..v1", map[string]string{"keys": key("a1"), "secret": "c4nary-one"})
	p := install(t, nobody, map[string]string{
		"reload_every": "1s", "client_secret_file": dir + "/secret",
		"cookie": "{name_prefix: example, encryption_keys_file: " + dir + "/keys}",
	})
	project(t, dir, "..v2", map[string]string{"keys": key("b2") + "\n" + key("a1"), "secret": "c4nary-two"})
	p.until("the swapped directory is found", func() bool { return p.told(applied) == 1 })

	// A mistake is told once, however often it is looked at.
	project(t, dir, "..v3", map[string]string{"keys": "c4nary", "secret": "c4nary-two"})
	p.until("the bad key is refused", func() bool { return p.told(refused) == 1 })
	time.Sleep(2500 * time.Millisecond)
	if p.told(refused) != 1 || p.told(applied) != 1 {
		t.Errorf("refused %d times, applied %d times", p.told(refused), p.told(applied))
	}
	if n := p.metric(`oauth_agent_config_reloads_total{outcome="refused"}`); n != 1 {
		t.Errorf("%v reloads refused", n)
	}
	project(t, dir, "..v4", map[string]string{"keys": key("b2"), "secret": "c4nary-two"})
	p.until("the good key is found", func() bool { return p.told(applied) == 2 })
}

// A file that is gone costs nothing, and may come back.
func TestDeletedFile(t *testing.T) {
	t.Parallel()
	p := install(t, nobody, map[string]string{"reload_every": "1s"})
	if err := os.Remove(p.path("agent.yaml")); err != nil {
		t.Fatal(err)
	}
	p.until("it is missed", func() bool { return p.told("cannot be read: no such file") == 1 })
	if !p.serves(origin) {
		t.Error("the old settings do not go on")
	}
	p.set(nil)
	p.until("it is there again", func() bool { return p.metric("oauth_agent_config_last_reload_successful") == 1 })
}

// What is still changing is not taken, though it would be valid; nor is the state
// between the two files of a pair.
func TestTwoLooksMustAgree(t *testing.T) {
	r := &reloader{tried: contents{1}, last: contents{1}}
	for i, step := range []struct {
		seen byte
		due  bool
	}{
		{1, false}, {2, false}, {2, true}, {2, false}, // a change
		{3, false}, {4, false}, {5, false}, {5, true}, // one that takes a while
		{6, false}, {5, false}, {5, false}, // one that is taken back
		{0, false}, {0, true}, {5, false}, {5, true}, // a file that goes and comes
	} {
		if got := r.due(contents{step.seen}); got != step.due {
			t.Errorf("look %d: %v", i, got)
		}
	}
}

// Whatever settings are made of is looked at.
func TestLooks(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "agent.yaml")
	write := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	from := source{file: file}
	look := func() contents {
		t.Helper()
		c, err := from.look()
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	write("port: 1")
	first := look()
	if first != look() {
		t.Fatal("two looks at the same differ")
	}
	write("port: 2")
	second := look()
	secret := filepath.Join(dir, "secret")
	write("client_secret_file: " + secret)
	third := look()
	if err := os.WriteFile(secret, []byte("c4nary"), 0o600); err != nil {
		t.Fatal(err)
	}
	fourth := look()
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	seen := map[contents]bool{first: true, second: true, third: true, fourth: true, look(): true}
	if len(seen) != 5 {
		t.Errorf("%d of 5 states are told apart", len(seen))
	}
	from.environ = []string{"CLIENT_SECRET_FILE=" + secret}
	if before := look(); os.WriteFile(secret, []byte("c4nary-two"), 0o600) != nil || before == look() {
		t.Error("a secret that the environment names is not looked at")
	}
}

// A process that has too many files open sees no change in that.
func TestLooksAgainLater(t *testing.T) {
	t.Parallel()
	p := prepare(t, nobody, map[string]string{"reload_every": "1s"})
	p.start(t, exec.Command("/bin/sh", "-c", `ulimit -n 128; exec "$0" "$@"`, itself(t), "--config", p.path("agent.yaml")))
	u, _ := url.Parse(p.admin)
	var held []net.Conn // at the operator's port, which has no bound
	for range 140 {
		conn, err := net.Dial("tcp", u.Host)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.Close() }()
		held = append(held, conn)
	}
	time.Sleep(3500 * time.Millisecond) // three looks
	p.hangup()
	p.until("what was asked for is refused", func() bool { return p.told(refused) >= 1 })
	if n := p.told(refused); n != 1 || p.told("agent.yaml: cannot be read: too many open files") != 1 {
		t.Errorf("refused %d times", n)
	}
	for _, conn := range held {
		_ = conn.Close()
	}
	p.until("it is done when it can be", func() bool { return p.told(applied) == 1 })
}

// A pipe in the place of a file holds nobody up, whenever it came there.
func TestPipesAreNotWaitedFor(t *testing.T) {
	dir := t.TempDir()
	pipe := filepath.Join(dir, "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	from := source{file: pipe}
	if _, err := from.look(); err != nil {
		t.Error(err)
	}
	if _, err := from.reload(); err == nil || !strings.Contains(err.Error(), "cannot be read again") {
		t.Error(err)
	}
	if err := run([]string{"healthcheck", "--config", pipe}, []string{"ADMIN_ADDR=off"}, io.Discard, io.Discard); err == nil {
		t.Error("healthy")
	}
}

// Settings and secrets may come through pipes at the start.
func TestPipesAtTheStart(t *testing.T) {
	p := prepare(t, nobody, nil)
	p.start(t, exec.Command("bash", "-c",
		`exec env CLIENT_SECRET_FILE=<(cat "$1/client-secret") "$0" --config <(cat "$1/agent.yaml")`, itself(t), p.dir),
		"PATH="+os.Getenv("PATH"))
	if !p.serves(origin) {
		t.Error("it does not serve by its settings")
	}
	if ok, log := p.reload(); ok || !strings.Contains(log, "cannot be read again") {
		t.Errorf("what came through a pipe was read again: %s", log)
	}
}
