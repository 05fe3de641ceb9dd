package spa

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"time"

	"oauth-agent/agent/internal/httperr"
)

// serveFile sends a file, in the encoding that suits the client best. It is false
// when there is no such file.
func (h *Handler) serveFile(w http.ResponseWriter, r *http.Request, name string) (found bool, err error) {
	if !h.exists(name) {
		return false, nil
	}
	for _, enc := range encodings(r.Header["Accept-Encoding"]) {
		if enc.suffix != "" && !h.exists(name+enc.suffix) {
			continue
		}
		c, err := h.open(name + enc.suffix)
		if errors.Is(err, fs.ErrNotExist) {
			continue // replaced between two looks
		}
		if err != nil { // no client's doing, and the log tells it
			return true, httperr.New(http.StatusNotFound, httperr.NotFound, "there is nothing at this path", err)
		}
		defer c.close()
		h.send(w, r, name, enc, c)
		return true, nil
	}
	return false, nil
}

// exists tells a regular file. It is asked before a file is opened, since to open
// a pipe would wait for its writer. Whatever the reason is, a file that cannot be
// looked at is none: a client learns nothing of what lies behind a link.
func (h *Handler) exists(name string) bool {
	info, err := fs.Stat(h.files, name)
	return err == nil && info.Mode().IsRegular()
}

// content is an open file.
type content struct {
	io.ReadSeeker
	info  fs.FileInfo
	etag  string
	close func()
}

// version is what a file's ETag is remembered by.
type version struct {
	name  string
	size  int64
	mtime time.Time
}

func (h *Handler) open(name string) (*content, error) {
	f, err := h.files.Open(name)
	if err != nil {
		return nil, err
	}
	c := &content{close: func() { _ = f.Close() }}
	if err := h.read(c, f, name); err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

// read fills c: a file of a file system that cannot seek is read as a whole.
func (h *Handler) read(c *content, f fs.File, name string) (err error) {
	if c.info, err = f.Stat(); err != nil {
		return err
	}
	seeker, ok := f.(io.ReadSeeker)
	if !ok {
		text, err := io.ReadAll(f)
		if err != nil {
			return err
		}
		seeker = bytes.NewReader(text)
	}
	c.ReadSeeker = seeker
	key := version{name, c.info.Size(), c.info.ModTime()}
	if etag, ok := h.etags.Load(key); ok {
		c.etag = etag.(string)
		return nil
	}
	if c.etag, err = etagOf(seeker); err == nil {
		h.etags.Store(key, c.etag)
	}
	return err
}

// etagOf is a strong validator (RFC 9110 8.8.3): equal for equal bytes on every
// replica, whatever the times of the files are.
func etagOf(f io.ReadSeeker) (string, error) {
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		return "", err
	}
	_, err := f.Seek(0, io.SeekStart)
	return `"` + base64.RawURLEncoding.EncodeToString(sum.Sum(nil)[:18]) + `"`, err
}

// send answers with c, which is the file of that name or an encoding of it.
func (h *Handler) send(w http.ResponseWriter, r *http.Request, name string, enc encoding, c *content) {
	header := w.Header()
	h.protect(header)
	header.Add("Vary", "Accept-Encoding")
	header.Set("ETag", c.etag)
	header.Set("Content-Type", contentType(path.Ext(name)))
	header.Set("Cache-Control", "no-cache")
	if hashed(path.Base(name)) {
		header.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	if enc.name != "" {
		header.Set("Content-Encoding", enc.name)
		// The library leaves the length of encoded content out, for the sake of
		// handlers that encode while they send; only a whole file has this one.
		if r.Header.Get("Range")+r.Header.Get("If-Match")+r.Header.Get("If-Unmodified-Since") == "" {
			header.Set("Content-Length", strconv.FormatInt(c.info.Size(), 10))
		}
	}
	// No time: the ETag says more, and times differ between replicas.
	http.ServeContent(w, r, "", time.Time{}, c)
}
