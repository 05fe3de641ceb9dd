package middleware

import (
	"net/http"

	"oauth-agent/agent/internal/httperr"
	"oauth-agent/agent/internal/httpsem"
)

// Origins is the list of trusted web origins (RFC 6454), compared byte by byte
// as browsers serialise them.
type Origins struct {
	trusted map[string]bool
	cors    bool

	// CSRFHeader, in canonical form, is the header that a GET of a page on plain http
	// needs. Beyond loopback browsers send no Sec-Fetch-Site there, and a page of another
	// origin cannot send this header without a preflight. It is empty if there is no such
	// page.
	CSRFHeader string
}

// NewOrigins returns a list. cors is set if the SPA may have another origin than the
// agent.
func NewOrigins(origins []string, cors bool) *Origins {
	o := &Origins{trusted: map[string]bool{}, cors: cors}
	for _, origin := range origins {
		o.trusted[origin] = true
	}
	return o
}

// Trusts reports whether origin is on the list.
func (o *Origins) Trusts(origin string) bool { return o.trusted[origin] }

// Require refuses requests whose origin is not trusted, see [Origins.Check].
func (o *Origins) Require(render *httperr.Renderer) func(http.Handler) http.Handler {
	return refusing(render, func(next httperr.Handler) httperr.Handler {
		return func(w http.ResponseWriter, r *http.Request) error {
			if err := o.Check(r); err != nil {
				return err
			}
			return next(w, r)
		}
	})
}

// Check refuses a request whose origin is not trusted.
//
// An unsafe method needs a trusted Origin, which every browser sends with it. A safe one
// may come without: then Sec-Fetch-Site has to be same-origin. Only if no other origin is
// served (CORS off) may it be missing as well, as in old browsers. Where browsers never
// send it, the CSRF header takes its place.
func (o *Origins) Check(r *http.Request) error {
	if len(r.Header["Origin"]) > 0 || !httpsem.Safe(r.Method) {
		return o.CheckOrigin(r)
	}
	site := r.Header["Sec-Fetch-Site"]
	switch {
	case len(site) == 1 && site[0] == "same-origin":
		return nil
	case len(site) == 0 && !o.cors:
		return nil
	case o.NeedsToken(r) && len(r.Header[o.CSRFHeader]) == 1:
		return nil
	}
	return httperr.Unauthorized("the request has no trusted Origin and is not marked as same-origin", nil).Because(httperr.ReasonOrigin)
}

// NeedsToken reports whether the CSRF header takes the place of Origin and
// Sec-Fetch-Site, as it does for a safe request of a page on plain http. Its value is
// compared where the session is known.
func (o *Origins) NeedsToken(r *http.Request) bool {
	return o.CSRFHeader != "" && o.cors && httpsem.Safe(r.Method) && len(r.Header["Origin"]) == 0 && len(r.Header["Sec-Fetch-Site"]) == 0
}

// CheckOrigin refuses a request that does not have exactly one trusted Origin.
func (o *Origins) CheckOrigin(r *http.Request) error {
	origin := r.Header["Origin"]
	switch {
	case len(origin) == 0:
		return httperr.Unauthorized("the Origin header is missing", nil).Because(httperr.ReasonOrigin)
	case len(origin) > 1 || !o.trusted[origin[0]]:
		return httperr.Unauthorized("the web origin is not trusted", nil).Because(httperr.ReasonOrigin)
	}
	return nil
}
