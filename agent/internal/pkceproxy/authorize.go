package pkceproxy

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"unicode"
	"unicode/utf8"

	"oauth-agent/agent/internal/httperr"
)

// maxClientState bounds the client's state, in bytes, since it travels sealed
// inside ours.
const maxClientState = 2048

// refused is a fault that the client is told by redirect (RFC 6749 4.1.2.1).
type refused struct{ code, description string }

// Authorize answers GET /oauth/authorization and /oauth/authorize: the
// authorization endpoint (RFC 6749 4.1.1 with RFC 7636 4.3).
//
// An attacker can make a browser send any request here. Were the answer
// redirected to a URI of the attacker's, the proxy, whose callback the AS
// trusts, would hand out other people's codes. So client and redirect URI are
// settled first, and a fault in either is shown to the user (RFC 9700 4.1).
//
//  1. Check client_id and redirect_uri: 400.
//  2. Check the rest; a fault goes back to the client.
//  3. Seal the challenge and the way back into state.
//  4. Redirect to the AS with everything that is its business.
func (p *Proxy) Authorize(w http.ResponseWriter, r *http.Request) error {
	q, err := parseQuery(r, maxAuthorizeQuery)
	if err != nil {
		return shown(err)
	}
	g, err := p.clientOf(q)
	if err != nil {
		return shown(err)
	}
	if fault := p.faultOf(q); fault != nil {
		p.sendBack(w, r, g, *fault, httperr.ReasonRequest)
		return nil
	}
	if fault := p.challengeFault(q.Get("code_challenge"), q.Get("code_challenge_method")); fault != nil {
		p.sendBack(w, r, g, *fault, httperr.ReasonChallenge)
		return nil
	}
	g.Challenge = q.Get("code_challenge")
	g.Plain = q.Get("code_challenge_method") != methodS256
	state, err := p.envelopes.seal(p.envelopes.state, g)
	if err != nil {
		return shown(err)
	}
	redirect(w, p.authURL.request(q, state))
	return nil
}

// clientOf finds who asks and where the answer goes: everything that must be
// right before anything is redirected. A state that is given twice is none.
func (p *Proxy) clientOf(q url.Values) (grant, error) {
	switch {
	case len(q["client_id"]) != 1 || !p.clients.allows(q.Get("client_id")):
		return grant{}, httperr.BadRequest("the client_id is not registered here", nil).Because(httperr.ReasonClient)
	case len(q["redirect_uri"]) != 1 || !p.redirects.allow(q.Get("redirect_uri")):
		return grant{}, httperr.BadRequest("the redirect_uri is not registered here", nil).Because(httperr.ReasonRedirectURI)
	}
	g := grant{ClientID: q.Get("client_id"), RedirectURI: q.Get("redirect_uri")}
	if len(q["state"]) == 1 {
		g.State = q.Get("state")
	}
	return g, nil
}

// faultOf checks all but client, redirect URI and challenge.
func (p *Proxy) faultOf(q url.Values) *refused {
	if name := repeated(q); name != "" {
		return &refused{httperr.InvalidRequest, "a parameter is given twice: " + name}
	}
	if name := misspelled(q, p.authURL.names()); name != "" {
		return &refused{httperr.InvalidRequest, "a parameter is misspelled: " + name}
	}
	state, mode := q.Get("state"), q.Get("response_mode")
	switch {
	case len(state) > maxClientState:
		return &refused{httperr.InvalidRequest, "state is longer than 2048 bytes"}
	case !plainText(state):
		return &refused{httperr.InvalidRequest, "state has characters that RFC 6749 does not allow"}
	case q.Get("request") != "":
		return &refused{"request_not_supported", "request objects are not supported"}
	case q.Get("request_uri") != "":
		return &refused{"request_uri_not_supported", "request objects are not supported"}
	case q.Get("response_type") == "":
		return &refused{httperr.InvalidRequest, "response_type is missing"}
	case q.Get("response_type") != "code":
		return &refused{"unsupported_response_type", "response_type must be code"}
	case mode != "" && mode != "query":
		return &refused{httperr.InvalidRequest, "response_mode must be query"}
	}
	return nil
}

// challengeFault checks the challenge (RFC 7636 4.4.1). Without a method it is
// plain (4.3), which is off by default: it protects nothing once the request is
// seen.
func (p *Proxy) challengeFault(challenge, method string) *refused {
	plain := method == methodPlain || method == ""
	switch {
	case challenge == "":
		return &refused{httperr.InvalidRequest, "code challenge required"}
	case method != methodS256 && (!plain || !p.allowPlain):
		return &refused{httperr.InvalidRequest, "transform algorithm not supported"}
	case !validChallenge(challenge, plain):
		return &refused{httperr.InvalidRequest, "code_challenge is malformed"}
	}
	return nil
}

// plainText tells whether s survives the way through the envelope and back.
func plainText(s string) bool {
	for _, r := range s {
		if unicode.IsControl(r) {
			return false
		}
	}
	return utf8.ValidString(s)
}

// sendBack sends a fault back to the client.
func (p *Proxy) sendBack(w http.ResponseWriter, r *http.Request, g grant, fault refused, reason string) {
	p.refuse(r, httperr.New(http.StatusFound, fault.code, fault.description, nil).Because(reason))
	p.respond(w, g, url.Values{"error": {fault.code}, "error_description": {fault.description}})
}

// respond sends an authorization response to the client: to a registered URI
// alone, with its state and the issuer (RFC 9207 2).
func (p *Proxy) respond(w http.ResponseWriter, g grant, response url.Values) {
	if g.State != "" {
		response.Set("state", g.State)
	}
	response.Set("iss", p.issuer)
	redirect(w, withQuery(g.RedirectURI, response))
}

// redirect sends the browser on. The URL holds a code or a state, so nothing
// may keep it, and the next page must not learn this one's.
func redirect(w http.ResponseWriter, location string) {
	h := w.Header()
	noStore(h)
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Location", location)
	w.WriteHeader(http.StatusFound)
}

// authorizationEndpoint is the AS's.
type authorizationEndpoint struct {
	url   string
	fixed url.Values // the query that it has already
	own   url.Values // the proxy's parameters, but for state
}

func newAuthorizationEndpoint(cfg Config) authorizationEndpoint {
	u, err := url.Parse(cfg.AuthURL)
	if err != nil {
		return authorizationEndpoint{} // New has refused it
	}
	return authorizationEndpoint{url: cfg.AuthURL, fixed: u.Query(), own: url.Values{
		"client_id":     {cfg.ClientID},
		"redirect_uri":  {cfg.RedirectURL},
		"response_type": {"code"},
	}}
}

// names are the parameters that a client may give in one spelling only: the
// proxy's and the operator's.
func (e authorizationEndpoint) names() []string {
	return slices.AppendSeq(authorizationNames(), maps.Keys(e.fixed))
}

// request gives the URL to ask at the AS: the proxy's own parameters, and what
// the client sent, but for what is between the client and the proxy and for
// what the operator has fixed.
func (e authorizationEndpoint) request(q url.Values, state string) string {
	params := without(q, append(grantNames(), "code_challenge", "code_challenge_method")...)
	for name := range e.fixed {
		delete(params, name)
	}
	for name, values := range e.own {
		params[name] = values
	}
	params.Set("state", state)
	return withQuery(e.url, params)
}
