package login

import (
	"errors"
	"net/http"

	"oauth-agent/agent/internal/authserver"
	"oauth-agent/agent/internal/cookie"
	"oauth-agent/agent/internal/httperr"
	"oauth-agent/agent/internal/secret"
	"oauth-agent/agent/internal/session"
	"oauth-agent/agent/internal/tokens"
)

// endAnswer is the answer of /login/end.
type endAnswer struct {
	Handled bool `json:"handled"`
	session.Status
	ReturnTo string `json:"returnTo,omitempty"` // as /login/start was given it
}

// end answers POST /login/end, which the page calls with its URL whenever it loads (RFC
// 6749 4.1.2 to 4.1.4, RFC 9207, OpenID Connect Core 3.1.3).
//
// The state decides. An authorization response is handled only when this browser has
// the cookie of the login that it answers, so that nobody can be logged in by a link.
// At the redirect URI a response without one is refused; anywhere else such parameters
// may be the application's own, and the answer says whether the user is logged in.
func (h *Handlers) end(w http.ResponseWriter, r *http.Request) error {
	pageURL, err := readPageURL(r)
	if err != nil {
		return err
	}
	response, ok := parsePageURL(pageURL)
	if !ok {
		return httperr.BadRequest("pageUrl must be the absolute URL of the page", nil)
	}
	cookies := cookie.Read(r)
	t, notOurs := h.open(cookies, response.state)
	switch {
	case notOurs == nil && response.present():
		return loginFailed(h.complete(w, r, cookies, t, response), t.ReturnTo)
	case response.present() && h.atRedirectURI(response):
		return httperr.BadRequest("the authorization response belongs to no login that was started in this browser", notOurs).Because(httperr.ReasonResponse)
	}
	_, status, err := h.Sessions.LoadStatus(w, cookies)
	if err != nil {
		return err
	}
	httperr.WriteJSON(w, http.StatusOK, endAnswer{Status: status})
	return nil
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
	pageURL, ok := object.Text("pageUrl")
	if !ok {
		return "", httperr.BadRequest("pageUrl must be a string", nil)
	}
	return pageURL, nil
}

func (h *Handlers) atRedirectURI(response authorizationResponse) bool {
	registered, ok := parsePageURL(h.RedirectURI)
	return ok && response.location == registered.location
}

// complete ends a login that was started in this browser. The login's cookie is cleared
// whatever the outcome: a code is worth one attempt.
//
// Steps: clear the cookie; refuse what is ambiguous; check the issuer before anything is
// sent to the token endpoint (mix-up, RFC 9207); pass an error on; redeem the code, which
// verifies the ID token; start the session.
//
// A page may call twice at the same time (a reload, an effect that runs twice). Both
// calls then get the one session that the code is good for.
func (h *Handlers) complete(w http.ResponseWriter, r *http.Request, cookies *cookie.RequestCookies, t transaction, response authorizationResponse) error {
	h.clear(w, cookies, tag(t.State))
	if !response.unambiguous() {
		return httperr.BadRequest("the authorization response is ambiguous", nil).Because(httperr.ReasonResponse)
	}
	if err := h.Server.CheckIssuer(r.Context(), response.iss); err != nil {
		return authserver.ToHTTPError(err)
	}
	if response.err != "" {
		return responseError(response.err)
	}
	got, err := h.Tokens.Redeem(r.Context(), t.grant(response.code))
	switch {
	case errors.Is(err, tokens.ErrCodeSpent):
		return httperr.BadRequest("this login has ended already", err).Because(httperr.ReasonCode)
	case err != nil:
		return authserver.ToHTTPError(err)
	}
	csrf, err := h.Sessions.Start(w, cookies, sessionTokens(got), t.Seed.With(secret.New(response.code)), h.csrfToKeep(cookies, got.Identity))
	if err != nil {
		return session.ToHTTPError(err)
	}
	h.Observer.LoginCompleted(r.Context(), got.Identity.Issuer, got.Identity.Subject)
	httperr.WriteJSON(w, http.StatusOK, endAnswer{
		Handled: true, Status: h.Sessions.NewStatus(csrf, got.Expiry), ReturnTo: t.ReturnTo,
	})
	return nil
}

// loginFailed marks an error, if there is one, as the end of a login. The answer has
// where the user was, since the cookie that knew it has been cleared.
func loginFailed(err error, returnTo string) error {
	if err == nil {
		return nil
	}
	e := *httperr.As(err)
	e.Event, e.ReturnTo = httperr.EventLoginFailed, returnTo
	return &e
}

// csrfToKeep returns the CSRF token of a session of the same user that this browser has
// already, so that the other tabs can go on with it. That of another user's session is
// not kept: whoever planted that session knows its token.
func (h *Handlers) csrfToKeep(cookies *cookie.RequestCookies, user authserver.Identity) secret.String {
	earlier, err := h.Sessions.Current(cookies)
	if err != nil || user == (authserver.Identity{}) {
		return secret.String{}
	}
	if _, earlierUser, err := h.Server.ReadIDToken(earlier.IDToken()); err != nil || earlierUser != user {
		return secret.String{}
	}
	return earlier.CSRF()
}

func sessionTokens(t authserver.Tokens) session.Tokens {
	return session.Tokens{Access: t.Access, Refresh: t.Refresh, ID: t.ID, Issued: t.Issued, Expiry: t.Expiry}
}
