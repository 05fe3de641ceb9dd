package idp

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// serve answers r with the fault, or with h as the fault lets it.
func (f Fault) serve(w http.ResponseWriter, r *http.Request, h http.HandlerFunc) {
	if f.Before != nil {
		f.Before(r)
	}
	if !sleep(r, f.Delay) {
		return
	}
	if f.CarryOut {
		h(newBuffer(), r)
	}
	answer := f.answer(h)
	if f.Late == 0 && f.Drip == 0 && !f.Cut {
		answer(w, r)
		return
	}
	b := newBuffer()
	answer(b, r)
	if !sleep(r, f.Late) {
		return
	}
	if f.Cut {
		b.sendHalf(w, r)
	}
	b.drip(w, r, f.Drip)
}

// answer is the handler that takes the place of h, or h.
func (f Fault) answer(h http.HandlerFunc) http.HandlerFunc {
	switch {
	case f.Hang:
		return func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	case f.Reset:
		return reset
	case f.Redirect != "":
		return f.redirect
	case f.Error != "":
		return f.oauthError
	case f.Size > 0:
		return f.flood
	case f.Status != 0:
		return f.canned
	case f.CarryOut:
		return reset
	}
	return h
}

// reset breaks the connection, in the way that net/http has for it.
func reset(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

func (f Fault) redirect(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Location", f.Redirect)
	w.WriteHeader(f.statusOr(http.StatusTemporaryRedirect))
}

func (f Fault) oauthError(w http.ResponseWriter, _ *http.Request) {
	writeError(w, &oauthError{
		status: f.statusOr(http.StatusBadRequest), code: f.Error, description: "as the fault says",
	})
}

func (f Fault) canned(w http.ResponseWriter, _ *http.Request) {
	for name, values := range f.Header {
		w.Header()[name] = values
	}
	if w.Header().Get("Content-Type") == "" {
		w.Header().Set("Content-Type", f.contentType())
	}
	w.WriteHeader(f.statusOr(http.StatusOK))
	_, _ = io.WriteString(w, f.Body)
}

// flood sends an object that begins like any other and does not come to its end.
func (f Fault) flood(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", f.contentType())
	w.WriteHeader(f.statusOr(http.StatusOK))
	n, err := fmt.Fprint(w, `{"padding":"`)
	chunk := strings.Repeat("x", 64<<10)
	for left := f.Size - int64(n); left > 0 && err == nil; left -= int64(len(chunk)) {
		_, err = io.WriteString(w, chunk[:min(int64(len(chunk)), left)])
	}
}

func (f Fault) contentType() string {
	if f.ContentType == "" {
		return "application/json"
	}
	return f.ContentType
}

func (f Fault) statusOr(status int) int {
	if f.Status != 0 {
		return f.Status
	}
	return status
}

// sleep waits, for the client at most; false when that is gone.
func sleep(r *http.Request, d time.Duration) bool {
	if d <= 0 {
		return true
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-r.Context().Done():
		return false
	}
}
