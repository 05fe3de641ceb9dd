//go:build interop

package deploy

import (
	"bytes"
	"compress/gzip"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const (
	dockerfile = "deployments/docker/Dockerfile"
	tag        = "v1.98.7" // below v2: the module path has no major version
)

// instruction is a line of a Dockerfile.
type instruction struct{ name, args string }

// stages reads a Dockerfile as far as ours goes; the first line of each is its FROM.
func stages(t *testing.T, dockerfile string) [][]instruction {
	t.Helper()
	var out [][]instruction
	text := ""
	for line := range strings.Lines(read(t, filepath.Join(top, dockerfile))) {
		if strings.HasPrefix(strings.TrimSpace(line), "#") {
			continue
		}
		joined, more := strings.CutSuffix(strings.TrimRight(line, "\n"), "\\")
		if text += joined; more {
			continue
		}
		name, args, _ := strings.Cut(strings.TrimSpace(text), " ")
		text = ""
		switch {
		case name == "":
			continue
		case name == "FROM":
			out = append(out, nil)
		case len(out) == 0:
			t.Fatalf("%s before FROM", name)
		}
		out[len(out)-1] = append(out[len(out)-1], instruction{name, strings.TrimSpace(args)})
	}
	return out
}

// image is what the Dockerfile makes.
type image struct {
	root   string
	meta   map[string]string // USER, ENTRYPOINT and so on
	layers int64             // bytes
}

var images = map[string]image{} // by Dockerfile; tests do not run at once

// buildImage replays the program's Dockerfile once, on a clone of this tree with a
// tag.
func buildImage(t *testing.T) image {
	t.Helper()
	return buildFrom(t, dockerfile)
}

func buildFrom(t *testing.T, dockerfile string) image {
	t.Helper()
	img, done := images[dockerfile]
	if !done {
		machine := filepath.Join(scratch, strings.ReplaceAll(dockerfile, "/", "-"))
		if out, err := buildStage(t, dockerfile, machine, tag); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		img = finalStage(t, dockerfile, machine)
		images[dockerfile] = img
	}
	return img
}

// clone gives dir what git has here, under a tag. It is the same commit for all
// tests, whatever is committed meanwhile.
func clone(t *testing.T, dir string) {
	t.Helper()
	git := program(t, "git")
	source := filepath.Join(scratch, "source")
	if !exists(source) {
		here, err := filepath.Abs(top)
		if err != nil {
			t.Fatal(err)
		}
		// The tree may be somebody else's (a container's mount).
		trusting := filepath.Join(scratch, "gitconfig")
		write(t, trusting, "[safe]\n\tdirectory = *\n")
		must(t, "", program(t, "env"), "GIT_CONFIG_GLOBAL="+trusting, git, "clone", "-q", "--no-hardlinks", here, source)
		must(t, "", git, "-C", source, "-c", "tag.gpgSign=false", "tag", tag)
	}
	must(t, "", git, "clone", "-q", "--no-hardlinks", source, dir)
}

// buildStage does the steps of the first stage in a directory that stands for the
// machine's root.
func buildStage(t *testing.T, dockerfile, machine, version string) (string, error) {
	t.Helper()
	here := strings.NewReplacer("/src", machine+"/src", "/out", machine+"/out")
	context := machine + "/context"
	if !exists(context) {
		clone(t, context)
		ignore(t, context)
	}
	env := map[string]string{}
	workdir := ""
	for _, i := range stages(t, dockerfile)[0] {
		switch i.name {
		case "FROM":
		case "WORKDIR":
			workdir = here.Replace(i.args)
			if err := os.MkdirAll(workdir, 0o755); err != nil {
				t.Fatal(err)
			}
		case "ARG":
			name, value, _ := strings.Cut(i.args, "=")
			env[name] = value
			if name == "VERSION" {
				env[name] = version
			}
		case "COPY":
			from := strings.Fields(i.args)
			for _, path := range from[:len(from)-1] {
				must(t, "", program(t, "cp"), "-a", filepath.Join(context, path)+map[bool]string{true: "/.", false: ""}[path == "."], workdir)
			}
		case "RUN":
			cmd := exec.CommandContext(t.Context(), "sh", "-c", here.Replace(i.args))
			cmd.Dir = workdir
			cmd.Env = append(os.Environ(), "GOFLAGS=-buildvcs=auto") // the default, whatever is set here
			for name, value := range env {
				cmd.Env = append(cmd.Env, name+"="+value)
			}
			if out, err := cmd.CombinedOutput(); err != nil {
				return string(out), err
			}
		default:
			t.Fatalf("%s: not known here", i.name)
		}
	}
	return "", nil
}

// ignore takes out of the context what .dockerignore names.
func ignore(t *testing.T, context string) {
	t.Helper()
	for line := range strings.Lines(read(t, top+"/.dockerignore")) {
		pattern := strings.TrimSpace(line)
		if pattern == "" || strings.HasPrefix(pattern, "#") {
			continue
		}
		base, anywhere := strings.CutPrefix(pattern, "**/")
		err := filepath.WalkDir(context, func(path string, entry fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			name := filepath.Base(path)
			if !anywhere {
				base, name = strings.TrimPrefix(pattern, "/"), strings.TrimPrefix(path, context+"/")
			}
			fits, err := filepath.Match(base, name)
			if !fits || err != nil {
				return err
			}
			if err := os.RemoveAll(path); err != nil {
				return err
			}
			if entry.IsDir() {
				return filepath.SkipDir
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// finalStage makes the image's root out of nothing.
func finalStage(t *testing.T, dockerfile, machine string) image {
	t.Helper()
	all := stages(t, dockerfile)
	final := all[len(all)-1]
	if final[0].args != "scratch" {
		t.Fatalf("the image is on %s", final[0].args)
	}
	img := image{root: filepath.Join(machine, "image"), meta: map[string]string{}}
	for _, i := range final {
		if i.name != "COPY" {
			img.meta[i.name] = i.args
			continue
		}
		f := strings.Fields(i.args)
		if len(f) != 3 || f[0] != "--from=build" {
			t.Fatalf("COPY %s: not known here", i.args)
		}
		source := f[1]
		if strings.HasPrefix(source, "/out/") {
			source = machine + source
		} // otherwise it is the build machine's own, as this one has it
		content, err := os.ReadFile(source)
		if err != nil {
			missing(t, err.Error())
		}
		target := img.root + f[2]
		if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(target, content, 0o555); err != nil {
			t.Fatal(err)
		}
		img.layers += int64(len(content))
	}
	return img
}

// list decodes the JSON form of an instruction, which needs no shell.
func (i image) list(t *testing.T, name string) []string {
	t.Helper()
	text := i.meta[name]
	if _, command, options := strings.Cut(text, "CMD "); options {
		text = command // of a HEALTHCHECK
	}
	var out []string
	if err := json.Unmarshal([]byte(text), &out); err != nil {
		t.Fatalf("%s %s: %v", name, i.meta[name], err)
	}
	return out
}

func TestImageHoldsTheProgramAndNothingElse(t *testing.T) {
	img := buildImage(t)
	files := map[string][]byte{}
	err := filepath.WalkDir(img.root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		files[strings.TrimPrefix(path, img.root)], err = os.ReadFile(path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := slices.Sorted(maps.Keys(files)); !slices.Equal(got, []string{"/etc/ssl/certs/ca-certificates.crt", "/oauth-agent"}) {
		t.Errorf("it holds %v", got)
	}
	if !x509.NewCertPool().AppendCertsFromPEM(files["/etc/ssl/certs/ca-certificates.crt"]) {
		t.Error("there is no certificate in its certificates")
	}
	if img.meta["USER"] != "65532:65532" || img.list(t, "ENTRYPOINT")[0] != "/oauth-agent" {
		t.Errorf("USER %s, ENTRYPOINT %s", img.meta["USER"], img.meta["ENTRYPOINT"])
	}
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	for _, content := range files {
		if _, err := z.Write(content); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	t.Logf("image: %d bytes in its layers, about %d packed", img.layers, packed.Len())
	if img.layers > 30<<20 {
		t.Error("that is not a small image any more")
	}
}

func TestImageHasTheVersionOfTheTag(t *testing.T) {
	img := buildImage(t)
	if got := must(t, "", img.root+"/oauth-agent", "version"); got != "oauth-agent "+tag+"\n" {
		t.Errorf("it is %q", got)
	}
	out, err := buildStage(t, dockerfile, t.TempDir(), "v0.0.1")
	if _, failed := errors.AsType[*exec.ExitError](err); !failed || !strings.Contains(out, "VERSION is v0.0.1, and this tree is "+tag) {
		t.Errorf("a VERSION that is another one: %v\n%s", err, out)
	}
}

// jail runs a program on the image's root, which cannot be written, as the image's
// user. It gives path and arguments.
func (i image) jail(t *testing.T, args ...string) (string, []string) {
	t.Helper()
	asRoot(t)
	const script = `mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" && exec chroot --userspec="$1" --groups= "$0" "$2" "${@:3}"`
	return program(t, "unshare"), append([]string{"--mount", program(t, "bash"), "-c", script, i.root, i.meta["USER"]}, args...)
}
