//go:build interop

package deploy

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// release runs the build of a clone in a directory, with settings of the
// environment.
func release(t *testing.T, dir string, env ...string) (out string, printed []byte, err error) {
	t.Helper()
	if !exists(dir) {
		clone(t, dir)
	}
	cmd := exec.CommandContext(t.Context(), dir+"/deployments/release/build", dir+"-dist")
	cmd.Env = append(os.Environ(), env...)
	printed, err = cmd.CombinedOutput()
	return dir + "-dist", printed, err
}

// The same commit gives the same bytes: from another directory, by a Go that has
// compiled nothing yet, and in the image. One whole compilation is what that costs; arm64
// is built once, since a directory would show in both.
func TestReleaseIsReproducible(t *testing.T) {
	dir := t.TempDir()
	first, printed, err := release(t, dir+"/one")
	if err != nil {
		t.Fatalf("%v\n%s", err, printed)
	}
	t.Logf("%s", printed)
	second, printed, err := release(t, dir+"/a/deeper/place", "ARCHS=amd64", "GOCACHE="+dir+"/cache", "GOFLAGS=-buildvcs=false")
	if err != nil {
		t.Fatalf("%v\n%s", err, printed)
	}
	for _, name := range []string{"oauth-agent-linux-amd64", "oauth-agent-linux-amd64.cdx.json"} {
		if !bytes.Equal([]byte(read(t, first+"/"+name)), []byte(read(t, second+"/"+name))) {
			t.Errorf("%s is another one", name)
		}
	}
	if read(t, first+"/oauth-agent-linux-amd64") != read(t, buildImage(t).root+"/oauth-agent") {
		t.Error("the image has another program")
	}
	check := exec.CommandContext(t.Context(), "sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS")
	check.Dir = first
	if out, err := check.CombinedOutput(); err != nil || strings.Count(read(t, first+"/SHA256SUMS"), "\n") != 4 {
		t.Errorf("%v %s\n%s", err, out, read(t, first+"/SHA256SUMS"))
	}
	inventory(t, first+"/oauth-agent-linux-arm64.cdx.json")

	write(t, dir+"/one/stray.go", "package stray\n")
	if _, printed, err := release(t, dir+"/one"); err == nil || !strings.Contains(string(printed), "not committed") {
		t.Errorf("a tree with changes: %v\n%s", err, printed)
	}
}

// inventory wants the version, and the modules that go.mod names.
func inventory(t *testing.T, path string) {
	t.Helper()
	var bom struct {
		BOMFormat, SpecVersion string
		Metadata               struct{ Component struct{ Version string } }
		Components             []struct{ Name, Version, PURL string }
	}
	if err := json.Unmarshal([]byte(read(t, path)), &bom); err != nil {
		t.Fatal(err)
	}
	if bom.BOMFormat != "CycloneDX" || bom.Metadata.Component.Version != tag {
		t.Errorf("%s of %s", bom.BOMFormat, bom.Metadata.Component.Version)
	}
	mods := read(t, filepath.Join(top, "go.mod"))
	for _, c := range bom.Components {
		if c.Name != "std" && !strings.Contains(mods, c.Name+" "+c.Version) {
			t.Errorf("%s %s is not in go.mod", c.Name, c.Version)
		}
		if c.PURL != "pkg:golang/"+c.Name+"@"+c.Version {
			t.Errorf("%s is %s", c.Name, c.PURL)
		}
	}
	if len(bom.Components) < 20 {
		t.Errorf("only %d components", len(bom.Components))
	}
}
