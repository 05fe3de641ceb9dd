package middleware

import (
	"io"
	"net/http"
	"time"
)

// BodyDeadline bounds the time in which the body of a request arrives, whether the
// handler reads it or not: net/http itself reads the rest of a body, without a limit of
// time.
func BodyDeadline(timeout time.Duration) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if hasBody(r) {
				r = r.WithContext(r.Context()) // a copy: the server needs the original body
				r.Body = newDeadlineBody(w, r, timeout)
			}
			next.ServeHTTP(w, r)
		})
	}
}

// lingerTime is how long the rest of a body that is not read may still come, so that the
// client gets to read the answer.
const lingerTime = time.Second

// linger is called before a request is answered whose body is not read, so that it needs
// no [BodyDeadline] around it.
func linger(w http.ResponseWriter, r *http.Request) {
	if hasBody(r) {
		newDeadlineBody(w, r, lingerTime)
	}
}

func hasBody(r *http.Request) bool { return r.Body != nil && r.Body != http.NoBody }

// deadlineBody is a body with a deadline, which is lifted at the end of the body. A
// deadline that passed while a handler waits for the authorization server would cancel the
// request; without one the server would wait for the rest of the body.
type deadlineBody struct {
	io.ReadCloser
	atEnd func()
}

// newDeadlineBody sets the deadline. An answer that is given before the end of the body
// closes an HTTP/1 connection, so that net/http sends it without waiting for the rest. In
// HTTP/2 that would end all the streams of the connection.
func newDeadlineBody(w http.ResponseWriter, r *http.Request, timeout time.Duration) *deadlineBody {
	setReadDeadline(w, time.Now().Add(timeout))
	h := w.Header()
	before := h["Connection"] // a process that is stopping closes connections as well
	if r.ProtoMajor == 1 {
		h["Connection"] = []string{"close"}
	}
	return &deadlineBody{r.Body, func() {
		setReadDeadline(w, time.Time{})
		if h["Connection"] = before; before == nil {
			delete(h, "Connection")
		}
	}}
}

// Read implements [io.Reader].
func (a *deadlineBody) Read(p []byte) (int, error) {
	n, err := a.ReadCloser.Read(p)
	if err == io.EOF {
		a.atEnd()
	}
	return n, err
}

// setReadDeadline ignores the error: the ResponseWriter of every server has deadlines, and
// only some of those of tests have none.
func setReadDeadline(w http.ResponseWriter, t time.Time) {
	_ = http.NewResponseController(w).SetReadDeadline(t)
}
