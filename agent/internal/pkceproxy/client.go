package pkceproxy

import (
	"net/http"
	"net/url"

	"oauth-agent/agent/internal/httperr"
)

// challenge goes with every 401 (RFC 9110 15.5.2).
const challenge = `Basic realm="public clients, no password"`

// identify tells which client asks at the token or revocation endpoint. The
// clients are public: they name themselves by client_id (RFC 6749 3.2.1), or by
// Basic with an empty password, as some libraries do. The proxy knows no
// secrets of clients, so one that brings a secret or an assertion believes in a
// check that would not happen, and is refused.
func (p *Proxy) identify(w http.ResponseWriter, r *http.Request, form url.Values) (string, error) {
	id := form.Get("client_id")
	if header := r.Header["Authorization"]; len(header) > 1 || len(header) == 1 && header[0] != "" {
		var ok bool
		if id, ok = basicID(r, id); !ok {
			// RFC 6749 5.2 wants the scheme that was tried. Without a header
			// there is no challenge, since browsers would ask for a password.
			w.Header().Set("WWW-Authenticate", challenge)
			return "", httperr.New(http.StatusUnauthorized, invalidClient, "clients here are public and have no secret", nil).Because(httperr.ReasonClient)
		}
	}
	for _, name := range []string{"client_secret", "client_assertion", "client_assertion_type"} {
		if form.Get(name) != "" {
			return "", httperr.New(http.StatusBadRequest, invalidClient, "clients here are public: "+name+" is not supported", nil).Because(httperr.ReasonClient)
		}
	}
	switch {
	case id == "":
		return "", missing("client_id")
	case !p.clients.allows(id):
		return "", httperr.New(http.StatusBadRequest, invalidClient, "the client_id is not registered here", nil).Because(httperr.ReasonClient)
	}
	return id, nil
}

// basicID takes the client id out of Basic, form-encoded (RFC 6749 2.3.1). It
// must not contradict the one of the form.
func basicID(r *http.Request, formID string) (string, bool) {
	user, password, ok := r.BasicAuth()
	id, err := url.QueryUnescape(user)
	return id, ok && len(r.Header["Authorization"]) == 1 && err == nil && password == "" && (formID == "" || formID == id)
}
