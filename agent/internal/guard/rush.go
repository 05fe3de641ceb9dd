package guard

import (
	"context"
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

// busyKey marks a request that is too much.
type busyKey struct{}

// Count bounds what next serves. What is too much is refused by [Admit], behind the
// handlers that know how; and where clients do not even take that, cut off: an answer
// that waits for its reader takes as much memory as another.
func (rush *Rush) Count(next http.Handler) http.Handler {
	if rush.most == 0 {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer rush.running.Add(-1)
		switch running := rush.running.Add(1); {
		case running > rush.most+max(rush.most/4, 1):
			panic(http.ErrAbortHandler)
		case running > rush.most:
			r = r.WithContext(context.WithValue(r.Context(), busyKey{}, true))
		}
		next.ServeHTTP(w, r)
	})
}

// Admit refuses what is too much: 503 with Retry-After (RFC 9110 10.2.3). Nothing has
// been done, and soon there may be room.
func Admit(next httperr.Handler) httperr.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		if r.Context().Value(busyKey{}) == nil {
			return next(w, r)
		}
		w.Header().Set("Retry-After", "1")
		return httperr.New(http.StatusServiceUnavailable, httperr.TemporarilyUnavailable,
			"too many requests are being served: try again", nil).Because(httperr.ReasonBusy)
	}
}
