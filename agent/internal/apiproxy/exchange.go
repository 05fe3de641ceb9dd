package apiproxy

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"time"

	"oauth-agent/agent/internal/httperr"
)

// flushEvery bounds how long a part of a body of known length waits for more,
// if the whole is larger than smallBody bytes. Event streams and bodies of
// unknown length are flushed at once anyway.
const (
	flushEvery = 20 * time.Millisecond
	smallBody  = 2048
)

// exchange is one request on its way up and its answer on the way down.
type exchange struct {
	p      *Proxy
	route  *route
	target string // path at the upstream, escaped
	grant  grant
	in     *http.Request
	body   *upload // nil without one
	answer answer
	proxy  httputil.ReverseProxy

	sent    func(status int) // may be nil
	outcome Outcome
}

func (p *Proxy) newExchange(rt *route, target string, g grant, r *http.Request) *exchange {
	return &exchange{p: p, route: rt, target: target, grant: g, in: r}
}

// run sends the request, and the answer back. An error is one before anything
// was sent.
func (x *exchange) run(w http.ResponseWriter) error {
	r := x.in
	if max := x.route.MaxBody; max > 0 {
		if r.ContentLength > max {
			return &http.MaxBytesError{Limit: max}
		}
		r.Body = http.MaxBytesReader(w, r.Body, max)
	}
	if r.ContentLength != 0 {
		r = x.watchUpload(w)
		defer x.body.end()
	}
	defer x.tell()
	x.answer = newAnswer(w, x.in, x.socketLife())
	x.proxy = httputil.ReverseProxy{
		Rewrite:        x.rewrite,
		Transport:      x.wire(),
		ErrorLog:       x.p.breaks,
		BufferPool:     x.p.pool,
		ModifyResponse: x.modify,
		ErrorHandler:   x.fail,
	}
	x.outcome = brokenOff
	x.proxy.ServeHTTP(&x.answer, r)
	if x.outcome == brokenOff {
		x.outcome = Forwarded
	}
	return nil
}

func (x *exchange) wire() http.RoundTripper {
	if x.upgrades() {
		return x.route.upgrade
	}
	return x.route.wire
}

// upgrades tells whether the request asks for a WebSocket and for nothing else:
// an upgrade to h2c would be a tunnel past every check.
func (x *exchange) upgrades() bool {
	asked := x.in.Header["Upgrade"]
	return x.in.Method == http.MethodGet && len(asked) == 1 && strings.EqualFold(asked[0], "websocket")
}

// socketLife is how long a WebSocket of this grant may stay open; zero means as
// long as it likes.
func (x *exchange) socketLife() time.Duration {
	grace := x.p.opt.SocketGrace
	if x.grant.expiry.IsZero() || grace < 0 || !x.upgrades() {
		return 0
	}
	return max(x.grant.expiry.Add(grace).Sub(x.p.opt.Clock()), 1)
}

// rewrite makes the request that the upstream gets: another host, a path that
// was checked, and none of the headers that are ours or not the client's to set.
func (x *exchange) rewrite(pr *httputil.ProxyRequest) {
	x.rewriteURL(pr.Out)
	x.rewriteHeader(pr)
	pr.Out.Trailer = x.body.announced(x.p.csrfName)
	x.sent = x.p.opt.Sending(x.in.Context(), x.route.Path, x.in.Method, x.route.Upstream.Host, pr.Out.Header)
}

func (x *exchange) rewriteURL(out *http.Request) {
	up := x.route.Upstream
	path, err := url.PathUnescape(x.target)
	if err != nil { // net/http has parsed it already
		path = x.target
	}
	*out.URL = url.URL{
		Scheme: up.Scheme, Host: up.Host,
		Path: path, RawPath: x.target,
		// As it came: no decision depends on a parameter.
		RawQuery: x.in.URL.RawQuery, ForceQuery: x.in.URL.ForceQuery,
	}
	out.Host = ""
}

func (x *exchange) rewriteHeader(pr *httputil.ProxyRequest) {
	h := pr.Out.Header
	trusted := x.p.opt.TrustedProxies.Trusts(x.in.RemoteAddr)
	keepsOverride := x.route.keepsOverride(x.in.Method)
	for name := range h {
		if looksLike(name, x.p.csrfName) || isRerouting(name) || isTracing(name) || !trusted && isForwarding(name) || !keepsOverride && isOverride(name) {
			delete(h, name)
		}
	}
	x.setForwarded(pr, trusted)
	if lines := h["Cookie"]; lines != nil {
		if h["Cookie"] = withoutCookies(lines, x.p.opt.Policy.Owns); h["Cookie"] == nil {
			delete(h, "Cookie")
		}
	}
	if !x.grant.own {
		delete(h, "Authorization")
	}
	if !x.grant.token.Empty() {
		h["Authorization"] = []string{"Bearer " + x.grant.token.Reveal()}
	}
	if h["Upgrade"] != nil && !x.upgrades() {
		delete(h, "Upgrade")
		delete(h, "Connection")
	}
}

// setForwarded tells the upstream who asked. What a trusted proxy says stays,
// and its own address is put behind the client's.
func (x *exchange) setForwarded(pr *httputil.ProxyRequest, trusted bool) {
	if !trusted {
		pr.SetXForwarded()
		return
	}
	in, out := pr.In.Header, pr.Out.Header
	out["X-Forwarded-For"] = in["X-Forwarded-For"]
	pr.SetXForwarded()
	for _, name := range []string{"X-Forwarded-Host", "X-Forwarded-Proto", "Forwarded"} {
		if v := in[name]; len(v) > 0 {
			out[name] = v
		}
	}
}

// modify takes out of the answer what would interfere with the agent.
func (x *exchange) modify(res *http.Response) error {
	x.answered(res.StatusCode)
	if res.StatusCode == http.StatusSwitchingProtocols && !x.upgrades() {
		return errors.New("the upstream switches protocols unasked")
	}
	x.body.begin(res)
	if res.ContentLength > smallBody {
		x.proxy.FlushInterval = flushEvery
	}
	if len(res.Trailer) > 0 {
		// HTTP/1.1 has trailers behind chunks alone (RFC 9112 7.1.2).
		res.Header.Del("Content-Length")
	}
	delete(res.Header, "X-Request-Id") // the answer has ours
	dropCORS(res.Header)
	if x.answer.before.Get("Access-Control-Allow-Origin") != "" {
		expose(res.Header)
	}
	dropCookies(res.Header, x.p.opt.Policy.Owns)
	dropClearing(res.Header)
	watchTrailers(res)
	switch {
	case x.answer.before["Set-Cookie"] != nil:
		forbidStoring(res.Header)
	case !x.grant.token.Empty():
		keepPrivate(res.Header)
	}
	return nil
}

// statusClientGone is what logs show when nobody is left to answer.
const statusClientGone = 499

// fail answers a request that the upstream did not.
func (x *exchange) fail(w http.ResponseWriter, r *http.Request, err error) {
	x.answered(0)
	cause := context.Cause(r.Context())
	if errors.Is(cause, context.Canceled) {
		x.outcome = ClientGone
		w.WriteHeader(statusClientGone)
		return
	}
	x.body.abandon()
	err = x.failure(cause, err)
	x.outcome = outcomeOf(err)
	x.p.refuse(w, x.in, err)
}

func (x *exchange) failure(cause, err error) error {
	var tooLarge *http.MaxBytesError
	broken := x.body.clientError()
	switch {
	case errors.As(broken, &tooLarge):
		return tooLarge
	case errors.Is(cause, errSlowClient):
		return httperr.New(http.StatusRequestTimeout, httperr.InvalidRequest, "the body of the request did not arrive in time", nil)
	case broken != nil:
		return httperr.BadRequest("the body of the request cannot be read", broken)
	case errors.Is(cause, errSlowUpstream) || isTimeout(err):
		return httperr.New(http.StatusGatewayTimeout, httperr.UpstreamTimeout, "the API did not answer in time", x.named(err))
	}
	return httperr.New(http.StatusBadGateway, httperr.UpstreamError, "the API could not be reached", x.named(err))
}

// named tells the log which route failed.
func (x *exchange) named(err error) error { return &routeError{x.route.Path, err} }

type routeError struct {
	path string
	err  error
}

func (e *routeError) Error() string { return "route " + e.path + ": " + e.err.Error() }
func (e *routeError) Unwrap() error { return e.err }

// isTimeout tells an upstream that is slow from one that is not there: a
// connection that is not made in time counts as the latter.
func isTimeout(err error) bool {
	var timeout net.Error
	return !isDial(err) && errors.As(err, &timeout) && timeout.Timeout()
}

func isDial(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial"
}
