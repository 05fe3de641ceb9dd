// Package process runs real programs for tests: on a free port, ready before
// they are used, and gone when the test ends.
package process

import (
	"net"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"oauth-agent/test/double"
)

// Command says what to run.
type Command struct {
	Path string
	Args []string
	Dir  string
	// Env is the program's whole environment but for PATH, HOME and TMPDIR, so
	// that no setting of the developer's own gets in.
	Env map[string]string
	// Kill ends the program by SIGKILL: one that would wait for connections that
	// are open, and has no children.
	Kill bool
}

// Process is a program that runs.
type Process struct {
	cmd    *exec.Cmd
	output *double.Log
	exited chan struct{}
	end    syscall.Signal
}

// Start runs the command. The test's end stops it, and shows what it printed
// if the test failed.
func Start(t testing.TB, c Command) *Process {
	t.Helper()
	p := &Process{cmd: exec.Command(c.Path, c.Args...), output: &double.Log{}, exited: make(chan struct{}), end: syscall.SIGTERM}
	if c.Kill {
		p.end = syscall.SIGKILL
	}
	p.cmd.Dir, p.cmd.Env = c.Dir, environ(c.Env)
	p.cmd.Stdout, p.cmd.Stderr = p.output, p.output
	// What it starts itself shall not keep us waiting for its output.
	p.cmd.WaitDelay = 5 * time.Second
	if err := p.cmd.Start(); err != nil {
		t.Fatalf("start %s: %v", c.Path, err)
	}
	go func() {
		_ = p.cmd.Wait()
		close(p.exited)
	}()
	t.Cleanup(func() {
		p.Stop(t)
		if t.Failed() {
			t.Logf("%s printed:\n%s", c.Path, p.Output())
		}
	})
	return p
}

func environ(env map[string]string) []string {
	var out []string
	for _, name := range []string{"PATH", "HOME", "TMPDIR"} {
		if value, ok := os.LookupEnv(name); ok {
			out = append(out, name+"="+value)
		}
	}
	for name, value := range env {
		out = append(out, name+"="+value)
	}
	return out
}

// Stop asks the program to end (SIGTERM, or see Command) and waits for it. One that does not
// within ten seconds is killed, and the test fails.
func (p *Process) Stop(t testing.TB) {
	t.Helper()
	_ = p.cmd.Process.Signal(p.end)
	select {
	case <-p.exited:
	case <-time.After(10 * time.Second):
		_ = p.cmd.Process.Kill()
		<-p.exited
		t.Errorf("%s did not stop when told to", p.cmd.Path)
	}
}

// Signal sends a signal to the program.
func (p *Process) Signal(t testing.TB, s os.Signal) {
	t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		t.Fatalf("%s: %v", p.cmd.Path, err)
	}
}

// Path is the program that runs.
func (p *Process) Path() string { return p.cmd.Path }

// Wait waits until the program has ended by itself, and gives its exit code.
func (p *Process) Wait(t testing.TB, limit time.Duration) int {
	t.Helper()
	select {
	case <-p.exited:
	case <-time.After(limit):
		t.Fatalf("%s still runs after %v", p.cmd.Path, limit)
	}
	return p.cmd.ProcessState.ExitCode()
}

// Exited tells whether the program has ended.
func (p *Process) Exited() bool {
	select {
	case <-p.exited:
		return true
	default:
		return false
	}
}

// Output is everything that was printed until now, on both streams.
func (p *Process) Output() string { return p.output.String() }

// Until waits, at most limit, for done to give no error. A program that ends
// meanwhile fails the test at once.
func (p *Process) Until(t testing.TB, limit time.Duration, done func() error) {
	t.Helper()
	deadline := time.Now().Add(limit)
	for {
		err := done()
		if err == nil {
			return
		}
		if p.Exited() {
			t.Fatalf("%s ended: %v", p.cmd.Path, p.cmd.ProcessState)
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s is not ready after %v: %v", p.cmd.Path, limit, err)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// Listening gives no error once something accepts connections at the address.
func Listening(address string) func() error {
	return func() error {
		conn, err := net.DialTimeout("tcp", address, time.Second)
		if err != nil {
			return err
		}
		return conn.Close()
	}
}

// Run runs the command to its end, which must be a good one.
func Run(t testing.TB, limit time.Duration, c Command) string {
	t.Helper()
	p := Start(t, c)
	if code := p.Wait(t, limit); code != 0 {
		t.Fatalf("%s %v: exit code %d\n%s", c.Path, c.Args, code, p.Output())
	}
	return p.Output()
}
