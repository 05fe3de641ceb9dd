package login

import (
	"net/http"

	"oauth-agent/agent/internal/authserver"
	"oauth-agent/agent/internal/cookie"
	"oauth-agent/agent/internal/httperr"
	"oauth-agent/agent/internal/secret"
	"oauth-agent/agent/internal/session"
)

// endAnswer is the answer of /login/end.
type endAnswer struct {
	Handled bool `json:"handled"`
	status
	ReturnTo string `json:"returnTo,omitempty"` // as /login/start was given it
}

// End answers POST /login/end, which the SPA calls on every page load with the
// page's URL (RFC 6749 4.1.2 to 4.1.4, RFC 9207, OpenID Connect Core 3.1.3).
//
// The state decides. A response is handled only when this browser has the cookie
// of the login that it answers, so that nobody can be logged in by a link. At
// the redirect URI a response without one is refused; anywhere else such
// parameters may be the application's own.
func (a *Agent) End(w http.ResponseWriter, r *http.Request) error {
	raw, err := readPageURL(r)
	if err != nil {
		return err
	}
	page, ok := readPage(raw)
	if !ok {
		return httperr.BadRequest("pageUrl must be the absolute URL of the page", nil)
	}
	got := cookie.Read(r)
	t, notMine := a.open(got, page.state)
	switch {
	case notMine == nil && page.answered():
		return loginFailed(a.complete(w, r, got, t, page), t.ReturnTo)
	case page.answered() && a.atRedirectURI(page):
		return httperr.BadRequest("the authorization response belongs to no login that was started in this browser", notMine).Because(httperr.ReasonResponse)
	default:
		return a.pageLoad(w, got)
	}
}

func readPageURL(r *http.Request) (string, error) {
	body, err := readBody(r)
	if err != nil {
		return "", err
	}
	if isForm(r) {
		return readForm(body, "pageUrl")
	}
	object, err := readJSON(body)
	if err != nil {
		return "", err
	}
	raw, ok := object.Text("pageUrl")
	if !ok {
		return "", httperr.BadRequest("pageUrl must be a string", nil)
	}
	return raw, nil
}

func (a *Agent) atRedirectURI(p page) bool {
	registered, ok := readPage(a.cfg.RedirectURI)
	return ok && p.location == registered.location
}

// complete ends a login that was started here. Its cookie is spent whatever
// comes out of it: a code is worth one try.
//
// Steps: clear the cookie; refuse what is ambiguous; check the issuer before
// anything goes to the token endpoint (mix-up, RFC 9207); pass an error on;
// redeem the code; verify the ID token; start the session.
//
// A page may call twice at the same time (a reload, an effect that runs twice).
// Both then get the one session that the code is good for.
func (a *Agent) complete(w http.ResponseWriter, r *http.Request, got *cookie.RequestCookies, t transaction, p page) error {
	a.spend(w, got, tag(t.State))
	if !p.sound() {
		return httperr.BadRequest("the authorization response is ambiguous", nil).Because(httperr.ReasonResponse)
	}
	if err := a.as.CheckIssuer(r.Context(), p.iss); err != nil {
		return told(err)
	}
	if p.err != "" {
		return responseError(p.err)
	}
	tokens, err := a.tokens.Redeem(r.Context(), t.grant(p.code))
	if err != nil {
		return told(err)
	}
	csrf, err := a.sessions.Start(w, got, sessionTokens(tokens), t.Seed.With(secret.New(p.code)), a.csrfToKeep(got, tokens.Identity))
	if err != nil {
		return told(err)
	}
	a.events.LoginCompleted(r.Context(), tokens.Identity.Issuer, tokens.Identity.Subject)
	httperr.WriteJSON(w, http.StatusOK, endAnswer{
		Handled:  true,
		status:   a.status(csrf, tokens.Expiry, a.sessions.EndsAt(a.clock())),
		ReturnTo: t.ReturnTo,
	})
	return nil
}

// loginFailed marks an error, if there is one, as the end of a login. The answer
// is the last that knows where the user was: the login's cookie is spent.
func loginFailed(err error, returnTo string) error {
	if err == nil {
		return nil
	}
	e := *httperr.As(err)
	e.Event, e.ReturnTo = httperr.EventLoginFailed, returnTo
	return &e
}

// csrfToKeep is the CSRF token of a session of the same user that this browser
// has already: the other tabs go on with it. Of another user's it is not kept,
// since a planted session would plant a known token.
func (a *Agent) csrfToKeep(got *cookie.RequestCookies, user authserver.Identity) secret.String {
	prior, err := a.sessions.Current(got)
	if err != nil || user == (authserver.Identity{}) {
		return secret.String{}
	}
	if _, who, err := a.as.ReadIDToken(prior.IDToken()); err != nil || who != user {
		return secret.String{}
	}
	return prior.CSRF()
}

// pageLoad tells whether the user is logged in.
func (a *Agent) pageLoad(w http.ResponseWriter, got *cookie.RequestCookies) error {
	_, st, err := a.look(w, got)
	if err != nil {
		return err
	}
	httperr.WriteJSON(w, http.StatusOK, endAnswer{status: st})
	return nil
}

func sessionTokens(t authserver.Tokens) session.Tokens {
	return session.Tokens{Access: t.Access, Refresh: t.Refresh, ID: t.ID, Issued: t.Issued, Expiry: t.Expiry}
}
