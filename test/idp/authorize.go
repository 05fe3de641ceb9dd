package idp

import (
	"net/http"
	"net/url"
	"slices"
	"time"
)

// authorize serves GET /authorize (RFC 6749 4.1.1, OpenID Connect Core 3.1.2.1): a
// browser with a session is sent back at once, any other sees the login page.
func (p *Provider) authorize(w http.ResponseWriter, r *http.Request) {
	req, ok := p.authRequest(w, r)
	if !ok {
		return
	}
	s := p.session(r)
	switch {
	case req.satisfiedBy(s, p.now()):
		p.grantCode(w, r, req, s)
	case slices.Contains(req.prompts, "none"):
		p.respondError(w, r, req, &oauthError{code: "login_required", description: "no session"})
	default:
		p.loginPage(w, r, req, http.StatusOK, "")
	}
}

// authorizePost serves POST /authorize: the login form, or an authorization request
// by POST, which OpenID Connect Core 3.1.2.1 allows.
func (p *Provider) authorizePost(w http.ResponseWriter, r *http.Request) {
	if !r.PostForm.Has(fieldForm) {
		p.authorize(w, r)
		return
	}
	f := p.openForm(r)
	if f == nil || f.auth == nil {
		p.messagePage(w, http.StatusBadRequest, "This page has expired", "Go back to the application and log in again.")
		return
	}
	if r.PostForm.Has("cancel") {
		p.spendForm(f)
		p.respondError(w, r, f.auth, &oauthError{code: "access_denied", description: "the user said no"})
		return
	}
	user := p.cfg.user(r.PostForm.Get("username"), r.PostForm.Get("password"))
	if user == nil {
		p.loginPage(w, r, f.auth, http.StatusUnauthorized, "Wrong user name or password.")
		return
	}
	if !p.spendForm(f) { // sent twice at once
		p.messagePage(w, http.StatusBadRequest, "This page has expired", "Go back to the application and log in again.")
		return
	}
	p.grantCode(w, r, f.auth, p.startSession(w, user))
}

// authRequest reads the request, and answers when there is nothing more to do.
func (p *Provider) authRequest(w http.ResponseWriter, r *http.Request) (*authRequest, bool) {
	form := r.URL.Query()
	if r.Method == http.MethodPost {
		form = r.PostForm
	}
	req, fault := p.parseTarget(form)
	if fault != nil {
		p.messagePage(w, fault.status, "This does not work", fault.description)
		return nil, false
	}
	if fault := req.parse(form, &p.cfg); fault != nil {
		p.respondError(w, r, req, fault)
		return nil, false
	}
	return req, true
}

// grantCode sends the browser back with a code.
func (p *Provider) grantCode(w http.ResponseWriter, r *http.Request, req *authRequest, s *session) {
	code := randomToken("code_", 0)
	uri := req.redirectURI
	if req.redirectURIOmitted { // then the token request omits it too, RFC 6749 4.1.3
		uri = ""
	}
	p.issued.add(code)
	p.store.add(&p.store.codes, code, &credential{
		grant: &grant{
			client: req.client, user: s.user, scopes: req.scopes,
			nonce: req.nonce, authTime: s.authTime, sid: s.sid,
		},
		expires:     p.now().Add(p.cfg.CodeLifetime),
		redirectURI: uri,
		challenge:   req.challenge,
	})
	p.respond(w, r, req, url.Values{"code": {code}})
}

func (p *Provider) respondError(w http.ResponseWriter, r *http.Request, req *authRequest, e *oauthError) {
	p.cfg.Log.InfoContext(r.Context(), "authorization refused", "client_id", req.client.ID, "error", e.code)
	p.respond(w, r, req, url.Values{"error": {e.code}, "error_description": {e.description}})
}

// respond adds answer, the state and our issuer (RFC 9207) to the redirect URI,
// whose own query stays (RFC 6749 3.1.2).
func (p *Provider) respond(w http.ResponseWriter, r *http.Request, req *authRequest, answer url.Values) {
	if req.state != "" {
		answer.Set("state", req.state)
	}
	if !p.cfg.NoIssInResponse {
		answer.Set("iss", p.cfg.Issuer)
	}
	redirect(w, r, addQuery(req.redirectURI, answer))
}

// redirect goes on to target. After a POST it is a 303, so that the password is
// never posted on (RFC 9700 4.12). There is no body, which would repeat the code.
func redirect(w http.ResponseWriter, r *http.Request, target string) {
	status := http.StatusFound
	if r.Method == http.MethodPost {
		status = http.StatusSeeOther
	}
	w.Header().Set("Location", target)
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Referrer-Policy", "no-referrer")
	w.WriteHeader(status)
}

// addQuery adds values to the query of uri.
func addQuery(uri string, values url.Values) string {
	u, err := url.Parse(uri)
	if err != nil {
		return uri
	}
	if u.RawQuery != "" {
		u.RawQuery += "&"
	}
	u.RawQuery += values.Encode()
	return u.String()
}

// startSession begins a single sign-on session, under a new name whatever the
// browser had.
func (p *Provider) startSession(w http.ResponseWriter, user *User) *session {
	now := p.now()
	s := &session{
		user: user, authTime: now, expires: now.Add(p.cfg.SessionLifetime),
		sid: randomToken("sid_", 0),
	}
	id := randomToken("", 0)
	p.store.mu.Lock()
	p.store.sessions.put(id, s)
	p.store.mu.Unlock()
	p.setCookie(w, cookieSession, id)
	return s
}

// session is the living one of the browser, or nil.
func (p *Provider) session(r *http.Request) *session {
	id := p.cookie(r, cookieSession)
	p.store.mu.Lock()
	defer p.store.mu.Unlock()
	return p.store.sessions.entries[id].alive(p.now())
}

// alive gives s back unless it is over.
func (s *session) alive(now time.Time) *session {
	if s == nil || s.ended || !now.Before(s.expires) {
		return nil
	}
	return s
}
