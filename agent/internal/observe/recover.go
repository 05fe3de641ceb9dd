package observe

import (
	"log/slog"
	"net/http"
	"runtime/debug"
)

// Recover answers a panic by fail and logs where it came from. The value of the
// panic is not logged: it may hold anything. Within [Requests] it knows whether an
// answer has begun, and then cuts it off: the half of one must not look whole.
func Recover(log *slog.Logger, fail func(w http.ResponseWriter, r *http.Request), next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			switch v := recover(); v {
			case nil:
			case http.ErrAbortHandler:
				panic(v)
			default:
				log.ErrorContext(r.Context(), "panic", "stack", string(debug.Stack()))
				if out, ok := w.(*writer); ok && out.status != 0 {
					panic(http.ErrAbortHandler)
				}
				fail(w, r)
			}
		}()
		next.ServeHTTP(w, r)
	})
}
