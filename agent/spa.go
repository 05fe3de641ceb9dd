package agent

import (
	"io/fs"
	"net/http"
	"os"
	"strings"

	"oauth-agent/agent/internal/middleware"
	"oauth-agent/agent/internal/observe"
	"oauth-agent/agent/internal/spa"
)

// buildSPA takes the page from the options, or else opens its directory. Links
// do not lead out of that, whoever puts them there.
func (a *Agent) buildSPA(files fs.FS) (err error) {
	if files == nil {
		if a.cfg.SPA.Dir == "" {
			return nil
		}
		if a.spaRoot, err = os.OpenRoot(a.cfg.SPA.Dir); err != nil {
			return err
		}
		files = a.spaRoot.FS()
	}
	if a.spa, err = spa.New(files, spa.Options{CSP: a.cfg.SPA.CSP}); err != nil {
		a.closeSPA()
	}
	return err
}

func (a *Agent) closeSPA() {
	if a.spaRoot != nil {
		_ = a.spaRoot.Close()
	}
}

// orPage serves the page where there is one, and missing otherwise.
//
// The paths of the agent are never a page's, however they are written: a script
// that misspells an endpoint must get an error it can read. Under the base path
// "/" that cannot be told apart.
func (a *Agent) orPage(missing http.Handler) http.Handler {
	if a.spa == nil {
		return missing
	}
	page := a.inTime(middleware.SecurityHeaders(a.cors(endpoint{methods: get(a.spa.Serve)}.allows, a.render.Handle(middleware.Admit(a.spa.Serve)))))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if a.ofAgent(r.URL.Path) || a.ofAgent(r.URL.EscapedPath()) {
			missing.ServeHTTP(w, r)
			return
		}
		observe.Of(r.Context()).Route = "spa"
		page.ServeHTTP(w, r)
	})
}

// ofAgent tells the paths that are the agent's, with an endpoint or without. An
// authorize under "/" would be that of forward auth.
func (a *Agent) ofAgent(path string) bool {
	of := a.base()
	if of == "" {
		of = "/authorize"
	}
	return path == of || strings.HasPrefix(path, of+"/")
}
