//go:build interop

package replicas

import (
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// serveAPI wants a token, and no cookies.
func serveAPI(rw http.ResponseWriter, r *http.Request) {
	if token := r.Header.Get("Authorization"); !strings.HasPrefix(token, "Bearer ") || r.Header.Get("Cookie") != "" {
		http.Error(rw, "no token, or cookies", http.StatusForbidden)
		return
	}
	switch r.URL.Path {
	case "/api/events":
		serveEvents(rw, r)
	case "/api/socket":
		serveSocket(rw, r)
	case "/api/trace":
		_, _ = io.WriteString(rw, r.Header.Get("Traceparent")+r.Header.Get("Tracestate"))
	case "/api/slow":
		<-r.Context().Done()
	default:
		_, _ = io.Copy(rw, r.Body)
	}
}

// serveEvents sends events for as long as somebody listens.
func serveEvents(rw http.ResponseWriter, r *http.Request) {
	rw.Header().Set("Content-Type", "text/event-stream")
	for r.Context().Err() == nil {
		_, _ = io.WriteString(rw, "data: news\n\n")
		_ = http.NewResponseController(rw).Flush()
		select {
		case <-r.Context().Done():
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// serveSocket sends back what it gets, in frames of up to 125 bytes.
func serveSocket(rw http.ResponseWriter, r *http.Request) {
	conn, in, err := http.NewResponseController(rw).Hijack()
	if err != nil {
		return
	}
	defer func() { _ = conn.Close() }()
	sum := sha1.Sum([]byte(r.Header.Get("Sec-WebSocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11")) // RFC 6455 4.2.2
	_, _ = fmt.Fprintf(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: %s\r\n\r\n",
		base64.StdEncoding.EncodeToString(sum[:]))
	for {
		head := make([]byte, 6) // with the mask, which is zero
		if _, err := io.ReadFull(in, head); err != nil {
			return
		}
		payload := make([]byte, head[1]&0x7f)
		if _, err := io.ReadFull(in, payload); err != nil {
			return
		}
		_, _ = conn.Write(append([]byte{head[0], byte(len(payload))}, payload...))
	}
}
