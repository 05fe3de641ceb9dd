package spa

import (
	"io/fs"
	"net/http"
	"net/url"
	"strings"
)

// target is what a path may stand for.
type target struct {
	file string // name in the file system; empty: it can be none
	page bool   // the page may know it
}

// locate reads a path. Nothing is cleaned: what would have to be is nothing.
func locate(u *url.URL) target {
	if u.Path == "/" {
		return target{file: index}
	}
	name, rooted := strings.CutPrefix(u.Path, "/")
	name, slash := strings.CutSuffix(name, "/")
	if !rooted || !isPlain(name) {
		return target{}
	}
	// No page has a route such as /.env or /.well-known/x.
	t := target{page: !strings.HasPrefix(name, ".")}
	// A slash that came encoded is part of a name that the page may know, and no
	// file can have.
	encoded := strings.ToLower(u.EscapedPath() + u.RawPath)
	if !slash && !isHidden(name) && !strings.Contains(encoded, "%2f") {
		t.file = name
	}
	return t
}

// isPlain reports whether name has no dot segments, no empty ones, and no
// characters that some system takes for a separator or an end.
func isPlain(name string) bool {
	return fs.ValidPath(name) && !strings.ContainsAny(name, "\\\x00")
}

// isHidden reports whether a segment of name begins with a dot.
func isHidden(name string) bool { return strings.Contains("/"+name, "/.") }

// isNavigation reports whether a browser is going to a page. Fetch metadata say
// so (W3C Fetch Metadata 2.1, 2.2); only where there are none does Accept count.
// An object or embed element navigates too, to a part of a page.
func isNavigation(r *http.Request) bool {
	mode := r.Header.Get("Sec-Fetch-Mode")
	if mode == "" {
		return strings.Contains(strings.ToLower(strings.Join(r.Header["Accept"], ",")), "text/html")
	}
	switch r.Header.Get("Sec-Fetch-Dest") {
	case "", "document", "iframe", "frame":
		return mode == "navigate"
	default:
		return false
	}
}
