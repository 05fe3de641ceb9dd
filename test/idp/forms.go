package idp

import (
	"net/http"
	"time"
)

// fieldForm is the hidden field that says which form this is.
const fieldForm = "form"

// formLifetime is how long a page may lie open.
const formLifetime = 30 * time.Minute

// The cookies. Their names end with the issuer's port, since cookies ignore ports
// and several providers may share a host.
const (
	cookieSession = "idp_session"
	cookieBrowser = "idp_browser"
)

// form is one page that was shown, with what its button will do. It is answered
// once, and by the browser that it was shown to: a form that another site sends
// has neither its name nor its cookie, so nobody is logged in as somebody else, or
// logged out, by a foreign page.
type form struct {
	browser string
	expires time.Time
	spent   bool

	auth   *authRequest   // a login
	logout *logoutRequest // a logout to confirm
}

// showForm remembers f and gives its name for the hidden field.
func (p *Provider) showForm(w http.ResponseWriter, r *http.Request, f *form) string {
	f.browser = p.cookie(r, cookieBrowser)
	if f.browser == "" {
		f.browser = randomToken("", 0)
		p.setCookie(w, cookieBrowser, f.browser)
	}
	f.expires = p.now().Add(formLifetime)
	name := randomToken("", 0)
	p.store.mu.Lock()
	defer p.store.mu.Unlock()
	p.store.forms.put(name, f)
	return name
}

// openForm finds the form that r answers, or nil.
func (p *Provider) openForm(r *http.Request) *form {
	p.store.mu.Lock()
	defer p.store.mu.Unlock()
	f := p.store.forms.entries[r.PostForm.Get(fieldForm)]
	if f == nil || f.spent || !p.now().Before(f.expires) || !sameSecret(f.browser, p.cookie(r, cookieBrowser)) {
		return nil
	}
	return f
}

// spendForm marks f answered; false when it was already.
func (p *Provider) spendForm(f *form) bool {
	p.store.mu.Lock()
	defer p.store.mu.Unlock()
	was := f.spent
	f.spent = true
	return !was
}

func (p *Provider) cookieName(name string) string {
	if port := p.issuerURL.Port(); port != "" {
		return name + "_" + port
	}
	return name
}

func (p *Provider) cookie(r *http.Request, name string) string {
	c, err := r.Cookie(p.cookieName(name))
	if err != nil {
		return ""
	}
	return c.Value
}

// setCookie sets a session cookie. Lax: it must come along when an application
// sends the browser here.
func (p *Provider) setCookie(w http.ResponseWriter, name, value string) {
	http.SetCookie(w, p.newCookie(name, value, 0))
}

func (p *Provider) clearCookie(w http.ResponseWriter, name string) {
	http.SetCookie(w, p.newCookie(name, "", -1))
}

func (p *Provider) newCookie(name, value string, maxAge int) *http.Cookie {
	path := p.issuerURL.EscapedPath()
	if path == "" {
		path = "/"
	}
	return &http.Cookie{
		Name: p.cookieName(name), Value: value, Path: path, MaxAge: maxAge,
		HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: p.issuerURL.Scheme == "https",
	}
}
