// Package web holds what runs in the browser: client, the library of the
// single-page app, and demo, an application that shows it. Both are plain files,
// served as they are written.
package web

import (
	"bytes"
	"embed"
	"io/fs"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Paths are as the pages themselves name them.
//
//go:embed index.html client/*.js demo/*.css demo/*.js demo/*.svg
var files embed.FS

const index = "index.html"

// baseURLInPage is where the page says the agent is.
const baseURLInPage = `<meta name="oauth-agent" content="/oauth-agent">`

// Site is the demo's page and its files, for an agent at /oauth-agent that serves
// them itself under Policy.
func Site() fs.FS { return files }

// Policy is the content security policy of the demo's page when page and agent
// have one origin.
func Policy() string { return contentSecurityPolicy(&url.URL{Path: "/oauth-agent"}, "'none'") }

// FrameworkPolicy is the same for a page built with a framework that has a policy
// of trusted types.
func FrameworkPolicy() string { return contentSecurityPolicy(&url.URL{Path: "/oauth-agent"}, "vue") }

// Demo serves the demo's page for an agent at baseURL: a path, or an absolute URL
// when the agent has an origin of its own.
func Demo(baseURL string) (http.Handler, error) {
	u, err := url.Parse(baseURL)
	if err != nil {
		return nil, err
	}
	page, err := files.ReadFile(index)
	if err != nil {
		return nil, err
	}
	meta := strings.Replace(baseURLInPage, "/oauth-agent", u.String(), 1)
	page = bytes.Replace(page, []byte(baseURLInPage), []byte(meta), 1)
	return serve(files, page, contentSecurityPolicy(u, "'none'")), nil
}

// serve answers the root with page, and paths with the files of site.
func serve(site fs.FS, page []byte, policy string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		setHeaders(w.Header(), policy)
		name := strings.TrimPrefix(r.URL.Path, "/")
		switch {
		case r.Method != http.MethodGet && r.Method != http.MethodHead:
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "a page can be read, no more", http.StatusMethodNotAllowed)
		case name == "":
			http.ServeContent(w, r, index, time.Time{}, bytes.NewReader(page))
		case !isFile(site, name):
			http.NotFound(w, r)
		default:
			http.ServeFileFS(w, r, site, name)
		}
	})
}

// isFile keeps the listings of directories away.
func isFile(site fs.FS, name string) bool {
	info, err := fs.Stat(site, name)
	return err == nil && !info.IsDir() && name != index
}

// contentSecurityPolicy allows the page what it needs: its own files and calls to
// the agent (CSP level 3).
func contentSecurityPolicy(agent *url.URL, trustedTypes string) string {
	connect := "connect-src 'self'"
	if agent.Host != "" {
		connect += " " + agent.Scheme + "://" + agent.Host
	}
	return strings.Join([]string{
		"default-src 'none'",
		"script-src 'self'",
		"style-src 'self'",
		"img-src 'self'",
		connect,
		"base-uri 'none'",
		"form-action 'none'",
		"frame-ancestors 'none'",
		"require-trusted-types-for 'script'",
		"trusted-types " + trustedTypes,
	}, "; ")
}

func setHeaders(h http.Header, policy string) {
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	// The URL of a page that comes back from a login has a code in it.
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cache-Control", "no-cache")
}
