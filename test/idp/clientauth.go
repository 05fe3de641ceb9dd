package idp

import (
	"net/http"
	"net/url"
	"slices"
)

// The client authentication methods, OpenID Connect Core 9.
const (
	methodBasic = "client_secret_basic"
	methodPost  = "client_secret_post"
	methodNone  = "none"
)

// authMethods are those that are announced.
func (p *Provider) authMethods() []string {
	methods := slices.Clone(p.cfg.AuthMethods)
	if p.cfg.hasPublicClient() {
		methods = append(methods, methodNone)
	}
	return methods
}

// authenticate finds the client of a request to the token or revocation endpoint,
// RFC 6749 2.3.
func (p *Provider) authenticate(r *http.Request) (*Client, *oauthError) {
	id, secret, method, fault := clientCredentials(r)
	if fault != nil {
		return nil, fault
	}
	client := p.cfg.client(id)
	if client == nil || !p.accepts(client, method) || !sameSecret(client.Secret, secret) {
		return nil, invalidClient()
	}
	return client, nil
}

// accepts tells whether client may authenticate so. A client with a secret must.
func (p *Provider) accepts(client *Client, method string) bool {
	if client.Secret == "" || method == methodNone {
		return client.Secret == "" && method == methodNone
	}
	return slices.Contains(p.cfg.AuthMethods, method)
}

// clientCredentials reads them from the header or the body, never from both.
func clientCredentials(r *http.Request) (id, secret, method string, fault *oauthError) {
	id, secret = r.PostForm.Get("client_id"), r.PostForm.Get("client_secret")
	user, password, basic := r.BasicAuth()
	switch {
	case !basic && r.Header.Get("Authorization") != "":
		return "", "", "", invalidClient()
	case basic && r.PostForm.Has("client_secret"):
		return "", "", "", invalidRequest("the client authenticates in two ways")
	case !basic && r.PostForm.Has("client_secret"):
		return id, secret, methodPost, nil
	case !basic:
		return id, "", methodNone, nil
	}
	// Both halves are form-encoded, RFC 6749 2.3.1.
	name, err1 := url.QueryUnescape(user)
	word, err2 := url.QueryUnescape(password)
	if err1 != nil || err2 != nil {
		return "", "", "", invalidClient()
	}
	if id != "" && id != name {
		return "", "", "", invalidRequest("two client ids")
	}
	return name, word, methodBasic, nil
}

func invalidClient() *oauthError {
	return &oauthError{
		status: http.StatusUnauthorized, code: "invalid_client",
		description: "client authentication failed", authenticate: `Basic realm="idp"`,
	}
}
