// Package client is the page's library, as the agent serves it: one module, made
// of the files beside it by test/browser.
package client

import (
	"bytes"
	"crypto/sha512"
	"embed"
	"encoding/base64"
	"net/http"
	"time"
)

//go:embed dist/client.js
var library embed.FS

const libraryFile = "dist/client.js"

// Handler serves the library as one module, for pages that have no build step:
//
//	import { createAgent } from '/oauth-agent/client.js';
//
// integrity is the hash of it for an integrity attribute or an import map
// (Subresource Integrity). A request that names the first characters of that hash
// as the query v may be cached for good; any other is cached and asked again.
//
// It is public: the same for everybody, and read without cookies by pages of any
// origin.
func Handler() (h http.Handler, integrity string, err error) {
	text, err := library.ReadFile(libraryFile)
	if err != nil {
		return nil, "", err
	}
	sum := sha512.Sum384(text)
	integrity = "sha384-" + base64.StdEncoding.EncodeToString(sum[:])
	version := Version(integrity)
	h = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "the library can be read, no more", http.StatusMethodNotAllowed)
			return
		}
		setLibraryHeaders(w.Header(), version, r.URL.Query().Get("v"))
		http.ServeContent(w, r, libraryFile, time.Time{}, bytes.NewReader(text))
	})
	return h, integrity, nil
}

// Version is what of the hash goes into a URL: its first 72 bits, in characters
// that need no encoding there.
func Version(integrity string) string {
	sum, err := base64.StdEncoding.DecodeString(integrity[len("sha384-"):])
	if err != nil {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(sum[:9])
}

func setLibraryHeaders(h http.Header, version, asked string) {
	h.Set("Content-Type", "text/javascript; charset=utf-8")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("ETag", `"`+version+`"`)
	h.Set("Cache-Control", "public, no-cache")
	if asked == version {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	// A module of another origin is fetched with CORS, and an integrity attribute
	// asks for it.
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Cross-Origin-Resource-Policy", "cross-origin")
}
