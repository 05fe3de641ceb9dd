package login

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"net/http"
	"net/url"
	"time"

	"oauth-agent/agent/internal/cookie"
	"oauth-agent/agent/internal/httperr"
	"oauth-agent/agent/internal/seal"
	"oauth-agent/agent/internal/secret"
)

// logoutLimit bounds what a logout waits for the authorization server.
const logoutLimit = 5 * time.Second

// Logout answers POST /logout with the URL that logs the user out at the
// authorization server too (OpenID Connect RP-Initiated Logout 1.0).
//
// That needs the ID token as id_token_hint, and no token may come within reach
// of a script. So the URL is the agent's own /logout/continue, and the token
// waits for it in a sealed cookie for a minute. It works with an expired access
// token, and with an authorization server that is down.
//
// Steps: find the session; check the CSRF token; revoke (RFC 7009); clear every
// cookie; hand out the URL.
func (a *Agent) Logout(w http.ResponseWriter, r *http.Request) error {
	got := cookie.Read(r)
	s, err := a.renewable(r, got)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(r.Context(), logoutLimit)
	defer cancel()
	if err := a.as.End(ctx, s.Refresh(), s.Access); err != nil {
		a.log.WarnContext(r.Context(), "the tokens could not be revoked at logout", "error", err)
	}
	id := s.IDToken()
	a.sessions.End(w, got)
	answer, err := a.logoutURL(w, r.WithContext(ctx), got, id)
	if err != nil {
		return httperr.Failed(httperr.EventLogoutFailed, told(err))
	}
	_, who, _ := a.as.ReadIDToken(id) // without one, nobody
	a.events.LoggedOut(r.Context(), who.Issuer, who.Subject)
	httperr.WriteJSON(w, http.StatusOK, struct {
		URL string `json:"url"`
	}{answer})
	return nil
}

func (a *Agent) logoutURL(w http.ResponseWriter, r *http.Request, got *cookie.Received, id secret.String) (string, error) {
	endpoint := a.as.EndSession(r.Context())
	switch {
	case endpoint == "":
		return a.afterLogout(), nil
	case a.cfg.DirectLogout || id.Empty():
		return a.endSession(endpoint, secret.String{})
	}
	if err := a.jar.Set(w, got, cookie.Logout, "", a.pendingLogout(id), cookie.LogoutLifetime); err != nil {
		// Too large for this cookie: it costs the hint, not the logout.
		a.log.WarnContext(r.Context(), "logout without id_token_hint", "error", err)
		return a.endSession(endpoint, secret.String{})
	}
	return a.publicURL(r) + a.cfg.BasePath + "/logout/continue", nil
}

// Continue answers GET /logout/continue with a redirect to the end-session
// endpoint, ID token included.
//
// Only a navigation may have it: a script that fetched it could not read the
// redirect, and is refused all the same. There is no Origin to check, since
// navigations have none; the cookie is SameSite=Strict, lives a minute and
// works once.
func (a *Agent) Continue(w http.ResponseWriter, r *http.Request) error {
	if mode := r.Header["Sec-Fetch-Mode"]; len(mode) > 1 || len(mode) == 1 && mode[0] != "navigate" {
		return httperr.Unauthorized("only a navigation may log out here", nil).Because(httperr.ReasonNavigation)
	}
	got := cookie.Read(r)
	plain, err := a.jar.Open(got, cookie.Logout, "")
	if err != nil {
		a.jar.Clear(w, got, cookie.Logout, "")
		return httperr.BadRequest("there is no logout to continue", err)
	}
	a.jar.Clear(w, got, cookie.Logout, "")
	id, ok := a.continueLogout(plain)
	if !ok {
		return httperr.BadRequest("this logout is over, or has been continued already", nil)
	}
	target := a.afterLogout()
	if endpoint := a.as.EndSession(r.Context()); endpoint != "" {
		if target, err = a.endSession(endpoint, id); err != nil {
			return err
		}
	}
	// Not http.Redirect: it would write the URL, and so the token, into a body.
	w.Header().Set("Location", target)
	w.WriteHeader(http.StatusFound)
	return nil
}

// pendingLogout is what the logout cookie holds: a number that is used once, the
// time, and the ID token.
func (a *Agent) pendingLogout(id secret.String) []byte {
	once := make([]byte, 16)
	_, _ = rand.Read(once) // never fails, see its documentation
	now := binary.BigEndian.AppendUint64(nil, uint64(a.clock().Unix()))
	return seal.Pack(once, now, []byte(id.Reveal()))
}

// continueLogout takes the ID token out of a logout that is neither too old nor
// spent, and spends it.
func (a *Agent) continueLogout(record []byte) (id secret.String, ok bool) {
	fields, err := seal.Unpack(record, 3)
	if err != nil || len(fields[1]) != 8 {
		return id, false
	}
	since := time.Unix(int64(binary.BigEndian.Uint64(fields[1])), 0)
	if a.clock().Sub(since) > cookie.LogoutLifetime || !a.spent.PutNew(string(fields[0]), struct{}{}) {
		return id, false
	}
	return secret.New(string(fields[2])), true
}

// endSession is the URL of RP-Initiated Logout 1.0, 2.
func (a *Agent) endSession(endpoint string, hint secret.String) (string, error) {
	u, err := url.Parse(endpoint)
	if err != nil {
		return "", serverFault("the end-session endpoint is not a URL", nil)
	}
	q := u.Query()
	q.Set("client_id", a.cfg.ClientID)
	if !hint.Empty() {
		q.Set("id_token_hint", hint.Reveal())
	}
	if a.cfg.PostLogoutRedirectURI != "" {
		q.Set("post_logout_redirect_uri", a.cfg.PostLogoutRedirectURI)
	}
	u.RawQuery = q.Encode()
	return u.String(), nil
}

// afterLogout is where the browser ends up without an end-session endpoint.
func (a *Agent) afterLogout() string {
	if a.cfg.PostLogoutRedirectURI != "" {
		return a.cfg.PostLogoutRedirectURI
	}
	return a.cfg.Home
}

func (a *Agent) publicURL(r *http.Request) string {
	if a.cfg.PublicURL != "" {
		return a.cfg.PublicURL
	}
	scheme := "http://"
	if a.jar.Policy().Secure {
		scheme = "https://"
	}
	return scheme + r.Host
}
