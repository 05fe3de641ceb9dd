package login

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"oauth-agent/agent/internal/cookie"
	"oauth-agent/agent/internal/httperr"
	"oauth-agent/agent/internal/seal"
	"oauth-agent/agent/internal/secret"
	"oauth-agent/agent/internal/store"
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
	if s.RefreshUnreadable() {
		a.log.WarnContext(r.Context(), "the refresh token could not be read at logout, and so was not revoked: its cookie is damaged, of another session, or sealed by a key that is gone")
	}
	ctx, cancel := context.WithTimeout(r.Context(), logoutLimit)
	defer cancel()
	if err := a.tokens.End(ctx, s.Refresh(), s.Access); err != nil {
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

func (a *Agent) logoutURL(w http.ResponseWriter, r *http.Request, got *cookie.RequestCookies, id secret.String) (string, error) {
	endpoint := a.as.EndSession(r.Context())
	switch {
	case endpoint == "":
		return a.afterLogout(), nil
	case a.cfg.DirectLogout || id.Empty():
		return a.endSession(endpoint, "")
	}
	if err := a.jar.Set(w, got, cookie.Logout, "", a.pendingLogout(id), cookie.LogoutLifetime); err != nil {
		// Too large for this cookie: it costs the hint, not the logout.
		a.log.WarnContext(r.Context(), "logout without id_token_hint", "error", err)
		return a.endSession(endpoint, a.logoutHint(id))
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
	var id secret.String
	err := a.jar.OpenThat(got, cookie.Logout, "", func(record []byte) (ok bool) {
		id, ok = a.continueLogout(r.Context(), record)
		return ok
	})
	a.jar.Clear(w, got, cookie.Logout, "")
	if err != nil {
		return httperr.BadRequest("there is no logout to continue: it is over, or has been continued already", err)
	}
	target := a.afterLogout()
	if endpoint := a.as.EndSession(r.Context()); endpoint != "" {
		if target, err = a.endSessionOf(endpoint, id); err != nil {
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

// continuedLogout is what the store keeps of logouts.
const continuedLogout store.Purpose = "logout"

// continueLogout takes the ID token out of a logout that is neither too old nor
// spent, and spends it.
func (a *Agent) continueLogout(ctx context.Context, record []byte) (id secret.String, ok bool) {
	fields, err := seal.Unpack(record, 3)
	if err != nil || len(fields[1]) != 8 {
		return id, false
	}
	since := time.Unix(int64(binary.BigEndian.Uint64(fields[1])), 0)
	if a.clock().Sub(since) > cookie.LogoutLifetime {
		return id, false
	}
	// A store that does not answer costs the hint, and with it the logout at the server.
	first, err := a.store.PutIfAbsent(ctx, store.NewKey(continuedLogout, string(fields[0])), []byte{1}, cookie.LogoutLifetime)
	if err != nil || !first {
		return id, false
	}
	return secret.New(string(fields[2])), true
}

// maxLogoutURL is how long the address at the authorization server may be with
// the ID token in it. Many servers take no request line of more than 8 KB, and
// some none of more than 4.
const maxLogoutURL = 4096

// endSessionOf is the URL of RP-Initiated Logout 1.0, 2, for the user of an ID
// token. One that would make it too long is left out: the server then asks the
// user, which is better than an error page and a session that stays.
func (a *Agent) endSessionOf(endpoint string, id secret.String) (string, error) {
	with, err := a.endSession(endpoint, "", "id_token_hint", id.Reveal())
	if err != nil || len(with) <= maxLogoutURL {
		return with, err
	}
	return a.endSession(endpoint, a.logoutHint(id))
}

// endSession is that URL with a logout_hint, where it is not empty, and more
// parameters, in pairs.
func (a *Agent) endSession(endpoint, logoutHint string, more ...string) (string, error) {
	u, err := url.Parse(endpoint)
	if err != nil {
		return "", serverFault("the end-session endpoint is not a URL", nil)
	}
	q := u.Query()
	q.Set("client_id", a.cfg.ClientID)
	if logoutHint != "" && !q.Has("logout_hint") {
		q.Set("logout_hint", logoutHint)
	}
	if a.cfg.PostLogoutRedirectURI != "" {
		q.Set("post_logout_redirect_uri", a.cfg.PostLogoutRedirectURI)
	}
	for i := 0; i+1 < len(more); i += 2 {
		q.Set(more[i], more[i+1])
	}
	u.RawQuery = q.Encode()
	return u.String(), nil
}

// logoutHint names the user to the authorization server where the ID token
// itself cannot: by its login_hint, which is what Entra ID wants to see, or else
// by its subject.
func (a *Agent) logoutHint(id secret.String) string {
	payload, who, err := a.as.ReadIDToken(id)
	if err != nil {
		return ""
	}
	var claims struct {
		LoginHint string `json:"login_hint"`
	}
	_ = json.Unmarshal(payload, &claims) // of another type: as if there were none
	return cmp.Or(claims.LoginHint, who.Subject)
}

// afterLogout is where the browser ends up without an end-session endpoint.
func (a *Agent) afterLogout() string {
	if a.cfg.PostLogoutRedirectURI != "" {
		return a.cfg.PostLogoutRedirectURI
	}
	return a.cfg.Home
}

// publicURL is the origin under which the browser of a request reaches the
// agent. Where the page is of the same origin, Origin names it, whatever the
// gateways in between have made of Host. It has been checked to be a trusted one.
func (a *Agent) publicURL(r *http.Request) string {
	origin := r.Header.Get("Origin")
	site := r.Header["Sec-Fetch-Site"]
	if origin != "" && len(site) == 1 && site[0] == "same-origin" {
		return origin
	}
	if a.cfg.PublicURL != "" {
		return a.cfg.PublicURL
	}
	host := a.cfg.Proxies.Host(r)
	if host == "" { // HTTP/1.0 needs none
		return origin
	}
	if page, err := url.Parse(origin); err == nil && !mayBeSameSite(page.Hostname(), (&url.URL{Host: host}).Hostname()) {
		a.log.WarnContext(r.Context(), "the logout URL is under a host that the page's browser cannot reach with its cookies: "+
			"set public_url, or let the gateway keep Host", "host", host, "origin", origin)
	}
	scheme := "http://"
	if a.jar.Policy().Secure {
		scheme = "https://"
	}
	return scheme + host
}

// mayBeSameSite reports whether two hosts can be of one site, which cookies that
// are SameSite=Strict need. Public suffixes of more than one label are not known
// here, so that it may be true for two sites.
func mayBeSameSite(a, b string) bool {
	if strings.EqualFold(a, b) {
		return true
	}
	return siteOf(a) != "" && strings.EqualFold(siteOf(a), siteOf(b))
}

// siteOf is the last two labels of a name; empty for an address, and for a name
// of one label.
func siteOf(host string) string {
	if _, err := netip.ParseAddr(host); err == nil {
		return ""
	}
	labels := strings.Split(strings.TrimSuffix(host, "."), ".")
	if len(labels) < 2 {
		return ""
	}
	return strings.Join(labels[len(labels)-2:], ".")
}
