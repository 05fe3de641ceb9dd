// Package httpsem has the terms of HTTP and Fetch that several rooms decide by.
package httpsem

import "net/http"

// Safe reports whether a method only reads (RFC 9110 9.2.1). TRACE, which is safe as
// well, is not counted: nothing here answers it.
func Safe(method string) bool {
	return method == http.MethodGet || method == http.MethodHead || method == http.MethodOptions
}

// IsPreflight reports whether a request is a CORS preflight (Fetch, 3.2.2), and not
// another OPTIONS.
func IsPreflight(r *http.Request) bool {
	return r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != ""
}
