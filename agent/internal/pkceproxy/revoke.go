package pkceproxy

import (
	"net/http"

	"oauth-agent/agent/internal/httperr"
)

// Revoke answers POST /oauth/revoke: token revocation (RFC 7009 2), for an AS
// that has it. The secret that the proxy adds proves nothing about the client;
// the token does, as a refresh token does at the token endpoint.
func (p *Proxy) Revoke(w http.ResponseWriter, r *http.Request) error {
	if !p.revocation {
		return httperr.New(http.StatusNotFound, httperr.NotFound, "there is no revocation endpoint here", nil)
	}
	form, err := parseForm(w, r)
	if err != nil {
		return err
	}
	clientID, err := p.identify(w, r, form)
	if err != nil {
		return err
	}
	token := form.Get("token")
	if token == "" {
		return missing("token")
	}
	if p.ofOther(r.Context(), token, clientID) {
		return httperr.New(http.StatusBadRequest, invalidGrant, "the token was issued to another client", errOtherClient).Because(httperr.ReasonToken)
	}
	request := forUpstream(form)
	request.Set("token", token)
	answer, err := p.upstream.revoke(r.Context(), request)
	if err != nil {
		return err
	}
	answer.write(w)
	return nil
}
