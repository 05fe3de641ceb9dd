//go:build interop

package replicas

import (
	"io"
	"net/http"
	"strings"
	"time"

	"oauth-agent/test/internal/websocket"
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
		websocket.Echo(rw, r)
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
