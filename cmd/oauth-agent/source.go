package main

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"syscall"

	"oauth-agent/agent/config"
)

// source is where settings come from, again and again.
type source struct {
	file    string // YAML; empty for none
	environ []string
}

func (s source) load() (*config.Config, error) { return config.Load(s.file, s.environ) }

// reload is load for a process that runs.
func (s source) reload() (*config.Config, error) { return config.Reload(s.file, s.environ) }

// contents stands for all that settings are made of at one moment.
type contents [sha256.Size]byte

// look reads the files. It follows links anew each time, so that it sees a
// directory that is swapped as a whole. The error is that this process, or the
// machine, has too many files open to look at all.
func (s source) look() (c contents, err error) {
	h := sha256.New()
	for _, file := range config.Files(s.file, s.environ) {
		fmt.Fprintf(h, "%q ", file)
		err := lookAt(h, file)
		if tooManyFiles(err) {
			return contents{}, err
		}
		if err != nil {
			fmt.Fprintf(h, "%v\n", err) // a file that comes back is a change, too
		}
	}
	return contents(h.Sum(nil)), nil
}

// tooManyFiles tells what is no fault of a file.
func tooManyFiles(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE)
}

func lookAt(h hash.Hash, file string) error {
	f, err := config.OpenRegular(file)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	content := sha256.New()
	if _, err := io.Copy(content, io.LimitReader(f, config.MaxFile+1)); err != nil {
		return err
	}
	_, err = fmt.Fprintf(h, "%x\n", content.Sum(nil))
	return err
}
