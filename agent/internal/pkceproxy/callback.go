package pkceproxy

import (
	"log/slog"
	"net/http"
	"net/url"
	"strings"

	"oauth-agent/agent/internal/httperr"
	"oauth-agent/agent/internal/oauthsyntax"
)

// Bounds of what is taken out of the AS's response, in bytes.
const (
	maxCode        = 4096
	maxErrorCode   = 64
	maxDescription = 512
)

// Callback answers GET /callback: the AS's authorization response (RFC 6749
// 4.1.2).
//
// Anybody can call it with any code. That is why the code that the client gets
// is not the AS's: it is sealed together with the challenge out of state, so
// that it is good for nothing without the verifier. A state that is not the
// proxy's own says nothing about where to go, so it ends here.
//
//  1. Open state: 400, shown to the user.
//  2. Check client and redirect URI again: the settings may have changed since.
//  3. Pass an error of the AS on.
//  4. Seal the AS's code with the challenge, and redirect to the client.
func (p *Proxy) Callback(w http.ResponseWriter, r *http.Request) error {
	q, err := parseQuery(r, maxCallbackQuery)
	if err != nil {
		return shown(err)
	}
	for _, name := range []string{"state", "code", "error", "error_description", "error_uri"} {
		if len(q[name]) > 1 {
			return shown(httperr.BadRequest("a parameter is given twice: "+name, nil).Because(httperr.ReasonResponse))
		}
	}
	g, err := p.envelopes.open(p.envelopes.state, q.Get("state"))
	if err != nil {
		return shown(httperr.BadRequest("this login is unknown or took too long; please start again", err).Because(httperr.ReasonState))
	}
	if !p.clients.allows(g.ClientID) || !p.redirects.allow(g.RedirectURI) {
		return shown(httperr.BadRequest("the application is not registered here any more", nil).Because(httperr.ReasonClient))
	}
	if response := errorResponse(q); response != nil {
		p.respond(w, g, response)
		return nil
	}
	code, err := p.clientCode(g, q.Get("code"))
	if err != nil {
		p.log.LogAttrs(r.Context(), slog.LevelError, "authorization response makes no sense",
			slog.String("error", err.Error()))
		p.respond(w, g, url.Values{"error": {httperr.ServerError}})
		return nil
	}
	p.respond(w, g, url.Values{"code": {code}})
	return nil
}

// clientCode seals the AS's code for the client.
func (p *Proxy) clientCode(g grant, code string) (string, error) {
	if code == "" || len(code) > maxCode || !oauthsyntax.Printable(code) {
		return "", httperr.BadRequest("neither an error nor a code of at most 4096 printable characters", nil)
	}
	g.State, g.Code = "", code
	return p.envelopes.seal(p.envelopes.code, g)
}

// errorResponse gives the AS's error, if it sent one, as far as it keeps to the
// characters of RFC 6749 4.1.2.1.
func errorResponse(q url.Values) url.Values {
	code := q.Get("error")
	if code == "" {
		return nil
	}
	if len(code) > maxErrorCode || !errorText(code) {
		code = httperr.ServerError
	}
	response := url.Values{"error": {code}}
	for _, name := range []string{"error_description", "error_uri"} {
		if text := q.Get(name); text != "" && len(text) <= maxDescription && errorText(text) {
			response.Set(name, text)
		}
	}
	return response
}

// errorText tells whether s may stand in an error (RFC 6749 A.7 to A.9).
func errorText(s string) bool { return oauthsyntax.Printable(s) && !strings.ContainsAny(s, `"\`) }
