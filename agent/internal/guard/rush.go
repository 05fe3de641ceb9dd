package guard

import (
	"net/http"
	"sync/atomic"

	"oauth-agent/agent/internal/httperr"
)

// Rush is how many requests are served at a time. In HTTP/2 one connection brings
// many, and each may take a connection to an upstream.
type Rush struct {
	most    int64 // 0: no bound
	running atomic.Int64
}

// NewRush makes a Rush of at most that many requests; 0 is for no bound.
func NewRush(most int) *Rush { return &Rush{most: int64(most)} }

// Limit serves by next, and by busy what is too much.
func (rush *Rush) Limit(busy, next http.Handler) http.Handler {
	if rush.most == 0 {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer rush.running.Add(-1)
		if rush.running.Add(1) > rush.most {
			busy.ServeHTTP(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// Busy is 503 with Retry-After (RFC 9110 10.2.3): nothing has been done, and soon
// there may be room.
func Busy(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Retry-After", "1")
	return httperr.New(http.StatusServiceUnavailable, httperr.TemporarilyUnavailable,
		"too many requests are being served: try again", nil).Because(httperr.ReasonBusy)
}
