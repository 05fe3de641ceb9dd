package spa

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"sync"

	"oauth-agent/agent/internal/httperr"
)

// index is the page.
const index = "index.html"

// DefaultCSP lets a page load what is its own, and nothing else: no inline
// script or style, no other origin, no frame around it (CSP Level 3).
const DefaultCSP = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; " +
	"font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// Options are the settings of the app.
type Options struct {
	CSP string // replaces DefaultCSP as a whole; empty: DefaultCSP
}

// Handler serves one app.
type Handler struct {
	files fs.FS
	csp   string
	etags sync.Map // of version to string; as many as there are files
}

// New serves files. The error is that they have no index.html.
func New(files fs.FS, opt Options) (*Handler, error) {
	info, err := fs.Stat(files, index)
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New("not a file")
	}
	if err != nil {
		return nil, fmt.Errorf("spa: %s: %w", index, err)
	}
	return &Handler{files: files, csp: cmp.Or(opt.CSP, DefaultCSP)}, nil
}

// Serve answers GET and HEAD of any path that no other handler has. It needs
// neither session nor Origin: what it serves is the same for everybody.
//
//  1. Another method is 405.
//  2. A path that names a file is that file.
//  3. A navigation to any other path is the page, whatever the path looks like:
//     /users/ada.lovelace is a route, not a file.
//  4. Whatever remains is 404: a browser must not get HTML for a script.
func (h *Handler) Serve(w http.ResponseWriter, r *http.Request) error {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		return httperr.New(http.StatusMethodNotAllowed, httperr.MethodNotAllowed, "the method is not allowed here", nil)
	}
	t := locate(r.URL)
	if t.file != "" {
		found, err := h.serveFile(w, r, t.file)
		if found || err != nil {
			return err
		}
	}
	if t.page {
		w.Header().Add("Vary", "Accept, Sec-Fetch-Mode, Sec-Fetch-Dest")
		if isNavigation(r) {
			if found, err := h.serveFile(w, r, index); found || err != nil {
				return err
			}
		}
	}
	return httperr.New(http.StatusNotFound, httperr.NotFound, "there is nothing at this path", nil)
}

// protect sets the headers of a page and its parts.
//
// The referrer policy tells other sites the origin alone, never the URL, which
// has a code in it on the way back from a login; no-referrer would turn the
// Origin of some requests of the page into null (Fetch, 3.2.5), and the agent
// would refuse them.
func (h *Handler) protect(header http.Header) {
	header.Set("Content-Security-Policy", h.csp)
	header.Set("Cross-Origin-Opener-Policy", "same-origin")
	header.Set("Referrer-Policy", "strict-origin-when-cross-origin")
	header.Set("X-Content-Type-Options", "nosniff")
}
