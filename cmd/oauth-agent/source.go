package main

import (
	"crypto/sha256"
	"fmt"
	"hash"
	"io"
	"os"

	"oauth-agent/agent/config"
)

// source is where settings come from, again and again.
type source struct {
	file    string // YAML; empty for none
	environ []string
}

func (s source) load() (*config.Config, error) { return config.Load(s.file, s.environ) }

// reload is load for a process that runs. What came through a pipe is gone, and to
// wait for more could take for ever.
func (s source) reload() (*config.Config, error) {
	var gone config.Mistakes
	for _, file := range config.Files(s.file, s.environ) {
		if info, err := os.Stat(file); err == nil && !info.Mode().IsRegular() {
			gone = append(gone, config.Mistake{
				Key: file, Reason: "not a regular file, so that it cannot be read again", Remedy: "Restart, or use a file.",
			})
		}
	}
	if len(gone) > 0 {
		return nil, gone
	}
	return s.load()
}

// contents stands for all that settings are made of at one moment.
type contents [sha256.Size]byte

// mostRead bounds what is read of each file, a little above what a valid one has.
const mostRead = 1<<20 + 1

// look reads the files. It follows links anew each time, so that it sees a
// directory that is swapped as a whole.
func (s source) look() (c contents) {
	h := sha256.New()
	for _, file := range config.Files(s.file, s.environ) {
		fmt.Fprintf(h, "%q ", file)
		if err := lookAt(h, file); err != nil {
			fmt.Fprintf(h, "%v\n", err) // a file that comes back is a change, too
		}
	}
	return contents(h.Sum(nil))
}

func lookAt(h hash.Hash, file string) error {
	info, err := os.Stat(file)
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%v", info.Mode().Type()) // to open it could take for ever
	}
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	content := sha256.New()
	if _, err := io.Copy(content, io.LimitReader(f, mostRead)); err != nil {
		return err
	}
	_, err = fmt.Fprintf(h, "%x\n", content.Sum(nil))
	return err
}
