package spa

import (
	"io/fs"
	"net/http"
	"net/url"
	"path"
	"regexp"
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
	t := target{page: !extension.MatchString(path.Base(name))}
	// A slash that came encoded is part of a name that the page may know, and no
	// file can have.
	if encoded := strings.ToLower(u.EscapedPath() + u.RawPath); !slash && !strings.Contains(encoded, "%2f") {
		t.file = name
	}
	return t
}

// isPlain tells a name without dot segments, hidden segments, empty ones, and
// characters that some system takes for a separator or an end.
func isPlain(name string) bool {
	if !fs.ValidPath(name) || strings.ContainsAny(name, "\\\x00") {
		return false
	}
	for segment := range strings.SplitSeq(name, "/") {
		if strings.HasPrefix(segment, ".") {
			return false
		}
	}
	return true
}

// extension is that of a file. A version such as 1.2 has none.
var extension = regexp.MustCompile(`\.[0-9]*[A-Za-z][0-9A-Za-z]{0,15}$`)

// isNavigation tells a browser that goes to a page: by Fetch metadata, and by what
// it accepts where there is none.
func isNavigation(r *http.Request) bool {
	return r.Header.Get("Sec-Fetch-Mode") == "navigate" ||
		strings.Contains(strings.ToLower(strings.Join(r.Header["Accept"], ",")), "text/html")
}
