package observe

import (
	"bufio"
	"net"
	"net/http"
)

// writer counts what passes; [http.ResponseController] sees through it.
type writer struct {
	http.ResponseWriter
	status int // final one; zero until it is sent
	bytes  int64
}

// WriteHeader notes the final status: others of 1xx may come before.
func (w *writer) WriteHeader(status int) {
	if w.status == 0 && (status >= 200 || status == http.StatusSwitchingProtocols) {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *writer) Write(b []byte) (int, error) {
	w.begin()
	n, err := w.ResponseWriter.Write(b)
	w.bytes += int64(n)
	return n, err
}

// Unwrap is for [http.ResponseController], as are the two methods below, which
// send a status without being told one.
func (w *writer) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// FlushError sends what is there, with its status.
func (w *writer) FlushError() error {
	w.begin()
	return http.NewResponseController(w.ResponseWriter).Flush()
}

// Hijack hands the connection over, as WebSockets need it.
func (w *writer) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buffered, err := http.NewResponseController(w.ResponseWriter).Hijack()
	if err == nil && w.status == 0 {
		w.status = http.StatusSwitchingProtocols
	}
	return conn, buffered, err
}

func (w *writer) begin() {
	if w.status == 0 {
		w.status = http.StatusOK
	}
}

func (w *writer) code() int {
	if w.status == 0 {
		return http.StatusOK
	}
	return w.status
}
