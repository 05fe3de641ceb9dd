package middleware

import (
	"net/http"
	"slices"
	"strings"

	"github.com/rs/cors"

	"oauth-agent/agent/internal/httpsem"
)

// preflightSeconds is how long a browser may remember a preflight.
const preflightSeconds = 600

// CORS answers preflights and adds the CORS headers for trusted origins. Errors have them
// too: a SPA that cannot read a 401 or a 405 cannot act on it. So it wraps all that
// answers. When CORS is off it only answers preflights, without headers.
//
// allows reports whether a preflight is granted a method; nil grants any that a page may
// send.
func (o *Origins) CORS(allows func(r *http.Request, method string) bool) func(http.Handler) http.Handler {
	if !o.cors {
		return withoutCORS
	}
	return func(next http.Handler) http.Handler { return o.withCORS(allows, next) }
}

func (o *Origins) withCORS(allows func(r *http.Request, method string) bool, next http.Handler) http.Handler {
	usual := []string{
		http.MethodGet, http.MethodHead, http.MethodPost,
		http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions,
	}
	h := o.headers(usual).Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		method, preflight := askedMethod(r), httpsem.IsPreflight(r)
		if preflight {
			linger(w, r)
		}
		switch {
		case preflight && (len(r.Header["Access-Control-Request-Method"]) > 1 || allows != nil && !allows(r, method)):
			refusePreflight(w)
		case slices.Contains(usual, method) || !mayBeCalled(method):
			h.ServeHTTP(w, r)
		default:
			o.headers([]string{method}).Handler(next).ServeHTTP(w, r)
		}
	})
}

// refusePreflight grants nothing (Fetch, 4.8).
func refusePreflight(w http.ResponseWriter) {
	w.Header().Add("Vary", "Origin, Access-Control-Request-Method, Access-Control-Request-Headers")
	w.WriteHeader(http.StatusNoContent)
}

func (o *Origins) headers(methods []string) *cors.Cors {
	return cors.New(cors.Options{
		// A function, since the library would ignore the case of its list, and read only
		// the first of several Origins.
		AllowOriginVaryRequestFunc: func(r *http.Request, origin string) (bool, []string) {
			return len(r.Header["Origin"]) == 1 && o.Trusts(origin), nil
		},
		AllowCredentials: true,
		AllowedMethods:   methods,
		// Whatever is asked for: the origin is trusted, and the APIs behind have headers
		// of their own.
		AllowedHeaders: []string{"*"},
		// What a page needs of a refusal of an API (RFC 6750 3, RFC 9110 10.2.3), and the
		// identifier of the request.
		ExposedHeaders: []string{"WWW-Authenticate", "Retry-After", "X-Request-Id"},
		MaxAge:         preflightSeconds,
	})
}

// askedMethod returns the method of a request, or the one that a preflight asks for.
func askedMethod(r *http.Request) string {
	if httpsem.IsPreflight(r) {
		return r.Header.Get("Access-Control-Request-Method")
	}
	return r.Method
}

// mayBeCalled reports whether a page may send method (Fetch, 2.2.1): not a tunnel or an
// echo, and only a plain name, since the answer of a preflight repeats it.
func mayBeCalled(method string) bool {
	odd := func(c rune) bool {
		return (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '_'
	}
	return !strings.ContainsFunc(method, odd) &&
		!slices.Contains([]string{http.MethodConnect, http.MethodTrace, "TRACK"}, strings.ToUpper(method))
}

func withoutCORS(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if httpsem.IsPreflight(r) {
			linger(w, r)
			w.WriteHeader(http.StatusNoContent)
			return
		}
		next.ServeHTTP(w, r)
	})
}
