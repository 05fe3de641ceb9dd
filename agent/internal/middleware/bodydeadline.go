package middleware

import (
	"io"
	"net/http"
	"time"
)

// BodyDeadline bounds the time in which the body of a request arrives, whether
// next reads it or not: net/http itself reads what is left of a body, for as
// long as it takes.
func BodyDeadline(timeout time.Duration, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if hasBody(r) {
			r = r.WithContext(r.Context()) // the server goes on with its own
			r.Body = arrive(w, r, timeout)
		}
		next.ServeHTTP(w, r)
	})
}

// lingerTime is how long the rest of a body that is not read may still come, so that the
// client gets to read the answer.
const lingerTime = time.Second

// linger is called before a request is answered whose body is not read. There need be no
// [BodyDeadline] around it then.
func linger(w http.ResponseWriter, r *http.Request) {
	if hasBody(r) {
		arrive(w, r, lingerTime)
	}
}

// CloseAfterChunks ends an HTTP/1 connection after a request whose body came in chunks.
// It may have had a Content-Length too, which net/http has dropped: what follows on the
// connection could be hidden in it (RFC 9112 6.1).
func CloseAfterChunks(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor == 1 && len(r.TransferEncoding) > 0 {
			w.Header().Set("Connection", "close")
		}
		next.ServeHTTP(w, r)
	})
}

func hasBody(r *http.Request) bool { return r.Body != nil && r.Body != http.NoBody }

// deadlineBody is a body with a deadline, which is lifted at its end alone: one that
// passes while a handler waits for the authorization server would cancel the
// request, and without one the server would wait for the rest.
type deadlineBody struct {
	io.ReadCloser
	atEnd func()
}

// arrive sets the deadline. Until the end of the body, the connection is to be
// closed after the answer: so HTTP/1.1 sends an answer that needs no body at
// once. In HTTP/2, where streams end one by one, this would end them all.
func arrive(w http.ResponseWriter, r *http.Request, timeout time.Duration) *deadlineBody {
	setReadDeadline(w, time.Now().Add(timeout))
	h := w.Header()
	before := h["Connection"] // a process that is about to stop has asked for the same
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

// setReadDeadline leaves the error aside: not every ResponseWriter of a test has
// deadlines; every server's has.
func setReadDeadline(w http.ResponseWriter, t time.Time) {
	_ = http.NewResponseController(w).SetReadDeadline(t)
}
