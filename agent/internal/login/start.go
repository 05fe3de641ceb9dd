package login

import (
	"crypto/rand"
	"encoding/base64"
	"net/http"

	"oauth-agent/agent/internal/authserver"
	"oauth-agent/agent/internal/cookie"
	"oauth-agent/agent/internal/httperr"
	"oauth-agent/agent/internal/session"
)

// start answers POST /login/start with the URL of an authorization request (RFC 6749
// 4.1.1, RFC 7636 4.3, OpenID Connect Core 3.1.2.1).
//
// State, nonce and PKCE verifier are made here and kept in a cookie that only this
// browser has, so that nobody else can use the response. Over https that cookie is
// bound to a second one, which no other host of the site can plant.
//
// Steps: read what the page asks for; make the authorization request; remove old
// logins until there is room for another; set the cookies of this one.
func (h *Handlers) start(w http.ResponseWriter, r *http.Request) error {
	asked, err := readStartRequest(r)
	if err != nil {
		return err
	}
	t := transaction{
		State: random(), Nonce: random(), Verifier: authserver.NewVerifier(),
		Created: h.Clock(), ReturnTo: asked.returnTo, Seed: session.NewSeed(),
	}
	request, err := h.Server.AuthorizationURL(r.Context(), authserver.AuthRequest{
		State: t.State, Nonce: t.Nonce, Verifier: t.Verifier, Extra: asked.extraParams,
	})
	if err != nil {
		return httperr.Failed(httperr.EventLoginFailed, authserver.ToHTTPError(err))
	}
	t.OpenID, t.MaxAge = request.OpenID, request.MaxAge

	cookies := cookie.Read(r)
	h.makeRoom(w, cookies)
	t.Browser = h.Jar.Bind(w, tag(t.State), cookie.LoginLifetime)
	if err := h.Jar.Set(w, cookies, cookie.Login, tag(t.State), t.record(), cookie.LoginLifetime); err != nil {
		return err
	}
	h.Observer.LoginStarted(r.Context())
	httperr.WriteJSON(w, http.StatusOK, struct {
		URL string `json:"authorizationRequestUrl"`
	}{request.URL})
	return nil
}

// random returns 256 random bits in URL-safe characters. It is one short opaque
// string, since some servers rewrite a state that has structure.
func random() string {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // never fails, see its documentation
	return base64.RawURLEncoding.EncodeToString(b)
}
