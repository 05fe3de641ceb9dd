package main

import (
	"net/http"
	"strings"
)

// onlyOrigin sends whoever comes by another name of this machine to the one
// that cookies and redirect URI are for, and keeps DNS rebinding out.
func onlyOrigin(origin string, next http.Handler) http.Handler {
	host := strings.TrimPrefix(origin, "http://")
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Host != host {
			http.Redirect(w, r, origin+"/", http.StatusTemporaryRedirect)
			return
		}
		next.ServeHTTP(w, r)
	})
}
