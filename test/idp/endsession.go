package idp

import (
	"net/http"
	"net/url"
	"slices"
)

// logoutRequest is a logout that may be carried out.
type logoutRequest struct {
	client      *Client // nil when nobody said
	hint        *hint   // nil without an id_token_hint
	redirectURI string  // where to go after; may be empty
}

// endSession serves GET /end_session (OpenID Connect RP-Initiated Logout 1.0, 2).
//
// A link on any page can lead here, so without the ID token of this very session
// the user is asked first.
func (p *Provider) endSession(w http.ResponseWriter, r *http.Request) {
	form := r.URL.Query()
	if r.Method == http.MethodPost {
		form = r.PostForm
	}
	req, fault := p.parseLogout(form)
	if fault != nil {
		p.messagePage(w, fault.status, "This does not work", fault.description)
		return
	}
	s := p.session(r)
	if s != nil && (req.hint == nil || req.hint.SID != s.sid && req.hint.Subject != s.user.Sub) {
		p.logoutPage(w, r, req)
		return
	}
	p.logOut(w, r, req)
}

// endSessionPost serves POST /end_session: the confirmation, or a request by POST.
func (p *Provider) endSessionPost(w http.ResponseWriter, r *http.Request) {
	if !r.PostForm.Has(fieldForm) {
		p.endSession(w, r)
		return
	}
	f := p.openForm(r)
	if f == nil || f.logout == nil || !p.spendForm(f) {
		p.messagePage(w, http.StatusBadRequest, "This page has expired", "Go back to the application.")
		return
	}
	if r.PostForm.Has("cancel") {
		p.afterLogout(w, r, f.logout, "You are still signed in")
		return
	}
	p.logOut(w, r, f.logout)
}

// parseLogout accepts a post_logout_redirect_uri only of a client that is known, and
// exactly as it is registered.
func (p *Provider) parseLogout(form url.Values) (*logoutRequest, *oauthError) {
	if duplicate(form) {
		return nil, invalidRequest("The request has a parameter twice.")
	}
	req := new(logoutRequest)
	if token := form.Get("id_token_hint"); token != "" {
		var fault *oauthError
		if req.hint, req.client, fault = p.openHint(token); fault != nil {
			return nil, fault
		}
	}
	if id := form.Get("client_id"); id != "" {
		client := p.cfg.client(id)
		if client == nil || req.hint != nil && !slices.Contains(req.hint.Audience, id) {
			return nil, invalidRequest("The client_id is not that of the id_token_hint, or not known.")
		}
		req.client = client
	}
	uri := form.Get("post_logout_redirect_uri")
	if uri == "" {
		return req, nil
	}
	if req.client == nil || !slices.Contains(req.client.PostLogoutRedirectURIs, uri) {
		return nil, invalidRequest("The post_logout_redirect_uri is not registered.")
	}
	req.redirectURI = uri
	if state := form.Get("state"); state != "" {
		req.redirectURI = addQuery(uri, url.Values{"state": {state}})
	}
	return req, nil
}

// logOut ends the browser's session, and that of the hint where it is another: the
// cookie may be gone already.
func (p *Provider) logOut(w http.ResponseWriter, r *http.Request, req *logoutRequest) {
	sids := make(map[string]bool)
	if s := p.session(r); s != nil {
		sids[s.sid] = true
	}
	if req.hint != nil {
		sids[req.hint.SID] = true
	}
	p.store.endSessions(sids)
	p.clearCookie(w, cookieSession)
	p.afterLogout(w, r, req, "You are signed out")
}

func (p *Provider) afterLogout(w http.ResponseWriter, r *http.Request, req *logoutRequest, title string) {
	if req.redirectURI == "" {
		p.messagePage(w, http.StatusOK, title, "You can close this page.")
		return
	}
	redirect(w, r, req.redirectURI)
}

// endSessions ends sessions and the tokens that came of them.
func (s *store) endSessions(sids map[string]bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, session := range s.sessions.entries {
		session.ended = session.ended || sids[session.sid]
	}
	for _, m := range []memory[*credential]{s.codes, s.refresh, s.access} {
		for _, c := range m.entries {
			c.grant.revoked = c.grant.revoked || sids[c.grant.sid]
		}
	}
}
