package idp

import (
	"bytes"
	"fmt"
	"html/template"
	"net/http"
	"slices"
)

// page is what the templates see.
type page struct {
	Base    string // the issuer's path
	Title   string
	Message string
	Problem string
	Action  string
	Form    string
	Client  string
	Hint    string // user name
	Users   []User
}

// parsePages compiles the templates.
func parsePages(base string) (*template.Template, error) {
	t, err := template.New("pages").Funcs(template.FuncMap{
		"style": func() string { return base + pathStyle },
	}).Parse(pagesHTML)
	if err != nil {
		return nil, fmt.Errorf("idp: pages: %w", err)
	}
	return t, nil
}

// loginPage asks for name and password.
func (p *Provider) loginPage(w http.ResponseWriter, r *http.Request, req *authRequest, status int, problem string) {
	data := page{
		Title: "Sign in", Problem: problem, Action: p.issuerURL.EscapedPath() + pathAuthorize,
		Client: req.client.title(), Hint: req.loginHint,
		Form: p.showForm(w, r, &form{auth: req}),
	}
	if name := r.PostForm.Get("username"); name != "" {
		data.Hint = name
	}
	if p.cfg.ShowUsers {
		data.Users = slices.Clone(p.cfg.Users)
	}
	p.render(w, status, "login", data)
}

// logoutPage asks whether to log out.
func (p *Provider) logoutPage(w http.ResponseWriter, r *http.Request, req *logoutRequest) {
	data := page{
		Title: "Sign out", Action: p.issuerURL.EscapedPath() + pathEndSession,
		Form: p.showForm(w, r, &form{logout: req}),
	}
	if req.client != nil {
		data.Client = req.client.title()
	}
	p.render(w, http.StatusOK, "logout", data)
}

// messagePage tells something and ends there.
func (p *Provider) messagePage(w http.ResponseWriter, status int, title, message string) {
	p.render(w, status, "message", page{Title: title, Message: message})
}

func (p *Provider) render(w http.ResponseWriter, status int, name string, data page) {
	var body bytes.Buffer
	if err := p.pages.ExecuteTemplate(&body, name, data); err != nil {
		http.Error(w, "idp: "+err.Error(), http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	// No form-action: browsers hold it against every redirect after the form, and
	// those lead to the application and wherever it goes on to.
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'")
	w.WriteHeader(status)
	_, _ = body.WriteTo(w)
}

// serveStyle serves GET /style.css.
func serveStyle(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	w.Header().Set("Cache-Control", "max-age=300")
	_, _ = w.Write([]byte(styleCSS))
}
