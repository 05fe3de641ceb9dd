package apiproxy

import (
	"context"
	"errors"
	"log"
	"log/slog"
	"net/http"
	"net/http/httputil"
	"time"

	"oauth-agent/agent/internal/clientip"
	"oauth-agent/agent/internal/cookie"
	"oauth-agent/agent/internal/httperr"
	"oauth-agent/agent/internal/httpsem"
	"oauth-agent/agent/internal/session"
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

// Options are what the proxy works with. Store, Origins, Render and CSRFHeader
// are needed.
type Options struct {
	Store   *session.Store
	Policy  cookie.Policy
	Origins Origins
	Render  *httperr.Renderer
	// CSRFHeader is the canonical name of the header with the CSRF token.
	CSRFHeader string
	// BasePath is what /authorize is under in [Proxy.ForwardAuth], without a
	// slash at its end.
	BasePath string

	Clock func() time.Time // nil: time.Now
	Log   *slog.Logger     // nil: nowhere
	// TrustedProxies are the peers whose Forwarded, X-Forwarded-* and X-Real-IP
	// are believed.
	TrustedProxies clientip.Proxies
	// Transports are the connections to upstreams, which outlive this proxy; nil: a
	// pool of its own.
	Transports *TransportPool

	// Refresher renews an access token RefreshAhead of its expiry, for requests
	// that carry the refresh token; nil: that is left to /refresh.
	Refresher    Refresher
	RefreshAhead time.Duration
	// Sending, if set, is told of each request before it goes up, and may add to
	// its headers. What it gives back, unless nil, is called once when the answer
	// begins; status 0: there is none.
	Sending func(ctx context.Context, route, method, host string, h http.Header) (sent func(status int))
	// Passed, if set, is told what became of each request for a route.
	Passed func(route string, outcome Outcome)

	// SocketGrace is how long a WebSocket may outlive its access token;
	// negative: for ever.
	SocketGrace time.Duration
}

// Proxy is the OAuth Proxy. It is safe for concurrent use.
type Proxy struct {
	routes  table
	decider *decider
	opt     Options
	pool    httputil.BufferPool
	breaks  *log.Logger // of bodies that break off in the middle
	// csrfName is the name of the header that the agent alone reads, folded.
	csrfName string
}

// New makes a proxy for some routes; there may be none, for forward auth alone.
func New(routes []Route, opt Options) (*Proxy, error) {
	if opt.Store == nil || opt.Origins == nil || opt.Render == nil || opt.CSRFHeader == "" {
		return nil, errors.New("apiproxy: Store, Origins, Render and CSRFHeader are needed")
	}
	if opt.Clock == nil {
		opt.Clock = time.Now
	}
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	if opt.Sending == nil {
		opt.Sending = func(context.Context, string, string, string, http.Header) func(int) { return nil }
	}
	if opt.Passed == nil {
		opt.Passed = func(string, Outcome) {}
	}
	if opt.Transports == nil {
		opt.Transports = NewTransportPool(0, nil)
	}
	t, err := newTable(routes, opt.Transports)
	if err != nil {
		return nil, err
	}
	return &Proxy{
		routes: t, opt: opt, pool: &buffers{},
		breaks:   slog.NewLogLogger(opt.Log.Handler(), slog.LevelWarn),
		csrfName: folded(opt.CSRFHeader),
		decider: &decider{
			store: opt.Store, origins: opt.Origins,
			csrfHeader: http.CanonicalHeaderKey(opt.CSRFHeader),
			renewal:    newRenewal(opt),
		},
	}, nil
}

// Match tells whether a request is for one of the routes, be it a good one or
// one that will be refused.
func (p *Proxy) Match(r *http.Request) bool { return p.routes.find(sentPath(r.URL)) != nil }

// Route is the path of the route that a request is for, for logs; empty for none.
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

// ServeHTTP passes a request on to its route's upstream, with the access token
// of its session for the cookies of ours that it came with.
//
// It writes no CORS headers: whoever wraps it does, for errors too. An error is
// JSON and never a redirect, which a script could not follow.
//
// The body may take as long as it makes progress, so that no deadline of the whole
// request may be around this handler; that of a request which is refused is hardly
// waited for.
func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := p.serve(w, r); err != nil {
		p.opt.Passed(p.Route(r), Refused)
		if r.ContentLength != 0 {
			linger(http.NewResponseController(w))
		}
		p.refuse(w, r, err)
	}
}

func (p *Proxy) serve(w http.ResponseWriter, r *http.Request) error {
	if r.ProtoMajor == 1 && len(r.TransferEncoding) > 0 {
		// It may have had a Content-Length too, which net/http has dropped: what
		// follows on the connection could be hidden in it (RFC 9112 6.1).
		w.Header().Set("Connection", "close")
	}
	if !isToken(r.Method) {
		return httperr.BadRequest("the method of the request has a character that no method has", nil)
	}
	rt, target, err := p.routes.locate(r.URL)
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
	g, err := p.decider.decide(w, r, rt.rules())
	if err != nil {
		return err
	}
	return p.newExchange(rt, target, g, r).run(w)
}

func (p *Proxy) refuse(w http.ResponseWriter, r *http.Request, err error) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	p.opt.Render.Write(w, r, err)
}
