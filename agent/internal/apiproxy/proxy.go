package apiproxy

import (
	"errors"
	"log/slog"
	"net/http"
	"time"

	"oauth-agent/agent/internal/httperr"
	"oauth-agent/agent/internal/httpsem"
	"oauth-agent/agent/internal/session"
	"oauth-agent/agent/internal/upstream"
)

// Origins decides which web origins may call the APIs. Its errors are answers to the
// client, see [httperr.Error].
type Origins interface {
	// Check refuses a request that did not come from a page of a trusted origin.
	Check(r *http.Request) error
	// CheckOrigin refuses a request that does not have exactly one trusted Origin.
	CheckOrigin(r *http.Request) error
	// NeedsToken reports whether even a request that only reads needs the CSRF token.
	NeedsToken(r *http.Request) bool
}

// Options are what the proxy works with. Store, Origins, Render, Forwarder and
// CSRFHeader are required.
type Options struct {
	Store     *session.Store
	Origins   Origins
	Render    *httperr.Renderer
	Forwarder *upstream.Forwarder
	// CSRFHeader is the canonical name of the header with the CSRF token.
	CSRFHeader string
	// BasePath is what /authorize is under in [Proxy.ForwardAuth], without a
	// slash at its end.
	BasePath string

	// Refresher renews an access token RefreshAhead of its expiry, for requests
	// that carry the refresh token; nil: only /refresh does that.
	Refresher    Refresher
	RefreshAhead time.Duration

	Observer Observer         // may be nil
	Clock    func() time.Time // nil: time.Now
	Log      *slog.Logger     // nil: nothing is logged
}

// Observer is informed of the requests that do not go up. Of the others the
// observer of package upstream is.
type Observer interface {
	// Refused is called for each request for a route that is refused.
	Refused(route string)
}

type noObserver struct{}

func (noObserver) Refused(string) {}

// Proxy is the OAuth Proxy. It is safe for concurrent use.
type Proxy struct {
	routes     table
	authorizer *authorizer
	opt        Options
}

// New makes a proxy for some routes; there may be none, for forward auth alone.
func New(routes []Route, opt Options) (*Proxy, error) {
	if opt.Store == nil || opt.Origins == nil || opt.Render == nil || opt.Forwarder == nil || opt.CSRFHeader == "" {
		return nil, errors.New("apiproxy: Store, Origins, Render, Forwarder and CSRFHeader are required")
	}
	if opt.Clock == nil {
		opt.Clock = time.Now
	}
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	if opt.Observer == nil {
		opt.Observer = noObserver{}
	}
	t, err := newTable(routes, opt.Forwarder)
	if err != nil {
		return nil, err
	}
	return &Proxy{routes: t, opt: opt, authorizer: &authorizer{
		store: opt.Store, origins: opt.Origins,
		csrfHeader: http.CanonicalHeaderKey(opt.CSRFHeader),
		refresh:    newInlineRefresh(opt),
	}}, nil
}

// Route returns the path of the route that a request is for, whether it will be refused
// or not; empty for none.
func (p *Proxy) Route(r *http.Request) string {
	if rt := p.routes.find(sentPath(r.URL)); rt != nil {
		return rt.Path
	}
	return ""
}

// Allows reports whether the route of a request allows a method.
func (p *Proxy) Allows(r *http.Request, method string) bool {
	rt := p.routes.find(sentPath(r.URL))
	return rt != nil && rt.allows(method)
}

// ServeHTTP passes a request on to the upstream of its route, with the access token
// of its session in place of the agent's cookies.
//
// It writes no CORS headers: the handler around it does, for errors too. An error is
// JSON and never a redirect, which a script could not follow.
//
// The body may take any time as long as it makes progress, so no deadline for the
// whole request may be around this handler; after a refusal the body is read for a
// second at most.
func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := p.serve(w, r); err != nil {
		p.opt.Observer.Refused(p.Route(r))
		upstream.AbandonBody(w, r)
		p.refuse(w, r, err)
	}
}

func (p *Proxy) serve(w http.ResponseWriter, r *http.Request) error {
	if r.ProtoMajor == 1 && len(r.TransferEncoding) > 0 {
		// It may have had a Content-Length too, which net/http has dropped: what
		// follows on the connection could be hidden in it (RFC 9112 6.1).
		w.Header().Set("Connection", "close")
	}
	if !upstream.IsToken(r.Method) {
		return httperr.BadRequest("the method of the request has a character that no method has", nil)
	}
	rt, path, err := p.routes.locate(r.URL)
	if err != nil {
		return err
	}
	if httpsem.IsPreflight(r) {
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	if err := rt.checkMethod(w, r.Method); err != nil {
		return err
	}
	d, err := p.authorizer.decide(w, r, rt.policy())
	if err != nil {
		return err
	}
	return rt.destination.Forward(w, r, path, upstream.Authorization{Token: d.token, Expiry: d.expiry, FromClient: d.fromClient})
}

func (p *Proxy) refuse(w http.ResponseWriter, r *http.Request, err error) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	p.opt.Render.Write(w, r, err)
}
