package logout

import (
	"context"
	"net/http"
	"time"

	"oauth-agent/agent/internal/cookie"
	"oauth-agent/agent/internal/httperr"
	"oauth-agent/agent/internal/secret"
)

// waitLimit is how long a logout waits for the authorization server.
const waitLimit = 5 * time.Second

// logout answers POST /logout with the URL that logs the user out at the authorization
// server too. It works with an expired access token, and with an authorization server
// that is down.
//
// Steps: find the session; check the CSRF token; revoke its tokens (RFC 7009); clear
// every cookie; answer with the URL.
func (h *Handlers) logout(w http.ResponseWriter, r *http.Request) error {
	cookies := cookie.Read(r)
	s, err := h.Sessions.ForUpdate(r, cookies)
	if err != nil {
		return err
	}
	if s.RefreshUnreadable() {
		h.Log.WarnContext(r.Context(), "the refresh token could not be read at logout, and so was not revoked: its cookie is damaged, of another session, or sealed by a key that is gone")
	}
	ctx, cancel := context.WithTimeout(r.Context(), waitLimit)
	defer cancel()
	if err := h.Tokens.End(ctx, s.Refresh(), s.Access); err != nil {
		h.Log.WarnContext(r.Context(), "the tokens could not be revoked at logout", "error", err)
	}
	id := s.IDToken()
	h.Sessions.End(w, cookies)
	next, err := h.nextURL(w, r.WithContext(ctx), cookies, id)
	if err != nil {
		return httperr.Failed(httperr.EventLogoutFailed, err)
	}
	_, who, _ := h.Server.ReadIDToken(id) // without one, nobody
	h.Observer.LoggedOut(r.Context(), who.Issuer, who.Subject)
	httperr.WriteJSON(w, http.StatusOK, struct {
		URL string `json:"url"`
	}{next})
	return nil
}

// nextURL returns where the page navigates to, and sets the cookie that is needed there.
func (h *Handlers) nextURL(w http.ResponseWriter, r *http.Request, cookies *cookie.RequestCookies, id secret.String) (string, error) {
	endpoint := h.Server.EndSession(r.Context())
	switch {
	case endpoint == "":
		return h.lastURL(), nil
	case h.DirectURL || id.Empty():
		return h.endSessionURL(endpoint, "")
	}
	if err := h.Jar.Set(w, cookies, cookie.Logout, "", h.pendingLogout(id), cookie.LogoutLifetime); err != nil {
		// Too large for this cookie: that costs the hint, not the logout.
		h.Log.WarnContext(r.Context(), "logout without id_token_hint", "error", err)
		return h.endSessionURL(endpoint, h.loginHint(id))
	}
	return h.publicURL(r) + h.BasePath + continuePath, nil
}

// lastURL returns where the browser ends up.
func (h *Handlers) lastURL() string {
	if h.PostLogoutRedirectURI != "" {
		return h.PostLogoutRedirectURI
	}
	return h.Home
}
