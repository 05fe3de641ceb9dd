package config

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
)

// MaxFile bounds what is read of a settings or secret file, in bytes.
const MaxFile = 1 << 20

// opener opens a file to read: [os.Open], which waits for what comes through a
// pipe, or [OpenRegular].
type opener func(path string) (*os.File, error)

var errNotRegular = errors.New("not a regular file, so that it cannot be read again")

// OpenRegular opens a file that is there at once, and as often as one likes: a
// regular one. To open a pipe, or to read it, could take for ever.
func OpenRegular(path string) (*os.File, error) {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return nil, errNotRegular // so that nobody who writes to it takes us for a reader
	}
	// What is there now may be another file than that.
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = errNotRegular
	}
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}

// read reads a file of bounded size. The path is not in the error: it may be a
// secret, given where its file belongs.
func (open opener) read(path string) ([]byte, error) {
	f, err := open(path)
	if err != nil {
		return nil, withoutPath(err)
	}
	defer func() { _ = f.Close() }()
	text, err := io.ReadAll(io.LimitReader(f, MaxFile+1)) // a pipe has no size before it is read
	if err != nil {
		return nil, withoutPath(err)
	}
	if len(text) > MaxFile {
		return nil, fmt.Errorf("larger than %d bytes", MaxFile)
	}
	return text, nil
}

func withoutPath(err error) error {
	var at *fs.PathError
	if errors.As(err, &at) {
		return at.Err
	}
	return err
}

// Pair loads the certificate with its key. It is nil without TLS.
func (t TLS) Pair() (*tls.Certificate, error) {
	if t.CertFile == "" {
		return nil, nil
	}
	pair, err := t.load()
	if err != nil {
		return nil, fmt.Errorf("the certificate and key do not load: %w", err)
	}
	return &pair, nil
}

func (t TLS) load() (pair tls.Certificate, err error) {
	open := opener(OpenRegular) // it is read more than once, also at the start
	cert, err := open.read(t.CertFile)
	if err != nil {
		return pair, fmt.Errorf("cert_file %s cannot be read: %w", t.CertFile, err)
	}
	key, err := open.read(t.KeyFile)
	if err != nil {
		return pair, fmt.Errorf("key_file %s cannot be read: %w", t.KeyFile, err)
	}
	return tls.X509KeyPair(cert, key)
}
