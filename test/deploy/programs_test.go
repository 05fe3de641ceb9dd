//go:build interop

package deploy

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"flag"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v4"
)

var update = flag.Bool("update", false, "write rendered files anew")

const (
	top      = "../.."
	chart    = top + "/deployments/helm/oauth-agent"
	patience = 30 * time.Second
)

// tool gives the path of a program of ./tools.
func tool(t *testing.T, name string) string {
	t.Helper()
	dir := os.Getenv("DEPLOY_TOOLS")
	if dir == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			t.Fatal(err)
		}
		dir = filepath.Join(cache, "oauth-agent-test", "bin")
	}
	return program(t, filepath.Join(dir, name))
}

// program gives the path of an installed program.
func program(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err == nil {
		return path
	}
	missing(t, name+" is not installed")
	return ""
}

// missing skips a test for want of something, which CI must have.
func missing(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatal(what)
	}
	t.Skip(what)
}

// asRoot is for what takes another root directory or user.
func asRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		missing(t, "only root can do that")
	}
}

// try runs a program to its end and gives what it printed, on both streams where
// it failed.
func try(t *testing.T, input string, path string, args ...string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(input), &stdout, &stderr
	cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8")
	if err := cmd.Run(); err != nil {
		return stdout.String() + stderr.String(), err
	}
	return stdout.String(), nil
}

// must is try for what has to succeed.
func must(t *testing.T, input string, path string, args ...string) string {
	t.Helper()
	out, err := try(t, input, path, args...)
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", path, strings.Join(args, " "), err, out)
	}
	return out
}

// golden compares with a file, or writes it with -update.
func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		write(t, path, got)
		return
	}
	if diff := cmp.Diff(read(t, path), got); diff != "" {
		t.Errorf("%s is not what is rendered now (-file +now); -update writes it anew:\n%s", path, diff)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// node is YAML or JSON without types.
type node map[string]any

// at follows keys and indices down to a value; nil where there is none.
func (n node) at(path ...any) any {
	var v any = map[string]any(n)
	for _, step := range path {
		switch s := step.(type) {
		case string:
			m, _ := v.(map[string]any)
			v = m[s]
		case int:
			list, _ := v.([]any)
			if s >= len(list) {
				return nil
			}
			v = list[s]
		}
	}
	return v
}

// in is at for a value that is a mapping.
func (n node) in(path ...any) node {
	m, _ := n.at(path...).(map[string]any)
	return m
}

func parse(t *testing.T, text string) node {
	t.Helper()
	var n map[string]any
	if err := yaml.Load([]byte(text), &n); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return n
}

// manifests are the documents of a rendering by kind and name.
func manifests(t *testing.T, text string) map[string]node {
	t.Helper()
	out := map[string]node{}
	for document := range strings.SplitSeq("\n"+text, "\n---") {
		if !strings.Contains(document, "kind:") {
			continue // comments alone
		}
		n := parse(t, document)
		id := n.at("kind").(string) + " " + n.at("metadata", "name").(string)
		if out[id] != nil {
			t.Fatalf("there are two of %s", id)
		}
		out[id] = n
	}
	return out
}

func portOf(address string) string { return address[strings.LastIndex(address, ":")+1:] }

// certificate writes tls.crt and tls.key for loopback.
func certificate(t *testing.T, dir string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(24 * time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	leaf, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	write(t, dir+"/tls.crt", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: leaf})))
	write(t, dir+"/tls.key", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})))
}

// binary builds the program once; with -trimpath, as image and release do, so that
// its parts are compiled for all of them at once.
func binary(t *testing.T) string {
	t.Helper()
	path, err := build()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

var build = sync.OnceValues(func() (string, error) {
	path := filepath.Join(scratch, "oauth-agent")
	cmd := exec.Command("go", "build", "-trimpath", "-o", path, top+"/cmd/oauth-agent")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	cmd.Stderr = os.Stderr
	return path, cmd.Run()
})

var scratch string // of all tests

func TestMain(m *testing.M) {
	flag.Parse()
	var err error
	if scratch, err = os.MkdirTemp("", "deploy"); err != nil {
		panic(err)
	}
	code := m.Run()
	_ = os.RemoveAll(scratch)
	os.Exit(code)
}
