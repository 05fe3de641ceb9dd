package main

import (
	"encoding/json"
	"net/http"
	"os"
	"sync"

	"oauth-agent/test/idp"
)

// reporter writes what the identity provider issued to a file after each answer
// of next, so that a test knows the tokens that must be nowhere in the browser.
// Without a file it is next itself.
func reporter(file string, provider *idp.Server, next http.Handler) http.Handler {
	if file == "" {
		return next
	}
	var mu sync.Mutex // an older report must not replace a newer one
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, r)
		mu.Lock()
		defer mu.Unlock()
		if err := writeReport(file, provider); err != nil {
			panic(err) // a test that is not told what to look for would pass
		}
	})
}

func writeReport(file string, provider *idp.Server) error {
	report, err := json.Marshal(map[string]any{"issued": append([]string{}, provider.Issued()...), "counts": provider.Counts()})
	if err != nil {
		return err
	}
	// Renamed, so that a reader never sees half of it.
	part := file + ".part"
	if err := os.WriteFile(part, report, 0o600); err != nil {
		return err
	}
	return os.Rename(part, file)
}
