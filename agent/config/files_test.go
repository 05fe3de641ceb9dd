package config

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// However often a pipe takes the place of a file, nobody waits for it.
func TestOpenRegular(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	if err := os.WriteFile(at("file"), []byte("text"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(at("pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("pipe", at("link")); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]error{
		"file": nil, "pipe": errNotRegular, "link": errNotRegular, ".": errNotRegular, "none": fs.ErrNotExist,
	} {
		f, err := OpenRegular(at(name))
		if !errors.Is(err, want) {
			t.Errorf("%s: %v", name, err)
		}
		_ = f.Close()
	}
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() { // change between the two
		defer close(stopped)
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
				_ = os.Symlink([]string{"file", "pipe"}[i%2], at("next"))
				_ = os.Rename(at("next"), at("changing"))
			}
		}
	}()
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range 20_000 {
			if f, err := OpenRegular(at("changing")); err == nil {
				_ = f.Close()
			}
		}
	}()
	select {
	case <-done:
	case <-time.After(20 * time.Second):
		t.Error("a pipe is waited for")
	}
	close(stop)
	<-stopped
}
