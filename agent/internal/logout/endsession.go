package logout

import (
	"cmp"
	"encoding/json"
	"net/http"
	"net/url"

	"oauth-agent/agent/internal/httperr"
	"oauth-agent/agent/internal/secret"
)

// maxURL is how long the URL at the authorization server may be with the ID token in
// it, in bytes. Many servers take no request line of more than 8 KB, and some none of
// more than 4.
const maxURL = 4096

// endSessionURLWithHint returns the URL of RP-Initiated Logout 1.0, 2, with the ID token
// as the hint. A token that would make the URL too long is left out: the server then
// asks the user, which is better than an error page and a session that stays.
func (h *Handlers) endSessionURLWithHint(endpoint string, id secret.String) (string, error) {
	with, err := h.endSessionURL(endpoint, "", "id_token_hint", id.Reveal())
	if err != nil || len(with) <= maxURL {
		return with, err
	}
	return h.endSessionURL(endpoint, h.loginHint(id))
}

// endSessionURL returns that URL with a logout_hint, unless it is empty, and with more
// parameters, in pairs.
func (h *Handlers) endSessionURL(endpoint, logoutHint string, more ...string) (string, error) {
	u, err := url.Parse(endpoint)
	if err != nil { // its text would quote the endpoint
		return "", httperr.New(http.StatusBadGateway, httperr.AuthorizationServerError, "the end-session endpoint is not a URL", nil)
	}
	q := u.Query()
	q.Set("client_id", h.ClientID)
	if logoutHint != "" && !q.Has("logout_hint") {
		q.Set("logout_hint", logoutHint)
	}
	if h.PostLogoutRedirectURI != "" {
		q.Set("post_logout_redirect_uri", h.PostLogoutRedirectURI)
	}
	for i := 0; i+1 < len(more); i += 2 {
		q.Set(more[i], more[i+1])
	}
	u.RawQuery = q.Encode()
	return u.String(), nil
}

// loginHint returns what names the user to the authorization server where the ID token
// itself cannot: its login_hint, which is what Entra ID wants to see, or else its
// subject.
func (h *Handlers) loginHint(id secret.String) string {
	payload, who, err := h.Server.ReadIDToken(id)
	if err != nil {
		return ""
	}
	var claims struct {
		LoginHint string `json:"login_hint"`
	}
	_ = json.Unmarshal(payload, &claims) // of another type: as if there were none
	return cmp.Or(claims.LoginHint, who.Subject)
}
