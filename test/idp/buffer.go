package idp

import (
	"bytes"
	"maps"
	"net/http"
	"strconv"
	"time"
)

// buffer is an answer that is not sent, or not yet.
type buffer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func newBuffer() *buffer { return &buffer{header: make(http.Header), status: http.StatusOK} }

// Header implements [http.ResponseWriter].
func (b *buffer) Header() http.Header { return b.header }

// WriteHeader implements [http.ResponseWriter].
func (b *buffer) WriteHeader(status int) { b.status = status }

// Write implements [http.ResponseWriter].
func (b *buffer) Write(p []byte) (int, error) { return b.body.Write(p) }

// drip sends b a byte at a time.
func (b *buffer) drip(w http.ResponseWriter, r *http.Request, pause time.Duration) {
	maps.Copy(w.Header(), b.header)
	w.WriteHeader(b.status)
	flush := http.NewResponseController(w)
	for _, c := range b.body.Bytes() {
		if _, err := w.Write([]byte{c}); err != nil || flush.Flush() != nil || !sleep(r, pause) {
			return
		}
	}
}

// sendHalf promises the whole of b, sends half of it and breaks the connection.
func (b *buffer) sendHalf(w http.ResponseWriter, r *http.Request) {
	maps.Copy(w.Header(), b.header)
	w.Header().Set("Content-Length", strconv.Itoa(b.body.Len()))
	w.WriteHeader(b.status)
	_, _ = w.Write(b.body.Bytes()[:b.body.Len()/2])
	_ = http.NewResponseController(w).Flush()
	reset(w, r)
}
