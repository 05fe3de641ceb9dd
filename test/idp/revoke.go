package idp

import "net/http"

// revoke serves POST /revoke (RFC 7009 2). A token that nobody knows is answered
// 200 as well: it is dead, which is what was asked for.
func (p *Provider) revoke(w http.ResponseWriter, r *http.Request) {
	client, fault := p.tokenClient(r)
	if fault == nil && r.PostForm.Get("token") == "" {
		fault = invalidRequest("token is missing")
	}
	if fault == nil && p.store.revoke(r.PostForm.Get("token"), client) {
		fault = &oauthError{
			status: http.StatusBadRequest, code: "unauthorized_client",
			description: "the token is another client's",
		}
	}
	if fault != nil {
		p.refuse(w, r, client, fault)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusOK)
}
