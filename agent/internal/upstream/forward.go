package upstream

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
	"oauth-agent/agent/internal/httpsem"
)

// flushEvery bounds how long a part of a body of known length waits for more,
// if the whole is larger than smallBody bytes. Event streams and bodies of
// unknown length are flushed at once anyway.
const (
	flushEvery = 20 * time.Millisecond
	smallBody  = 2048
)

// forward is one request on its way up and its response on the way down.
type forward struct {
	*Upstream
	path string // at the upstream, escaped
	auth Authorization
	in   *http.Request
	body *requestBody // nil without one
	out  responseWriter
	// proxy is here so that one allocation serves for all.
	proxy httputil.ReverseProxy

	answered func(status int) // may be nil
	outcome  Outcome
}

// Forward sends a request to the upstream under an escaped path, and the response
// back. It returns an error only if nothing was sent in either direction.
//
// Headers that are set on w before go with every response. The body may take any
// time as long as it makes progress.
func (u *Upstream) Forward(w http.ResponseWriter, r *http.Request, path string, auth Authorization) error {
	x := &forward{Upstream: u, path: path, auth: auth, in: r}
	if max := u.MaxBody; max > 0 {
		if r.ContentLength > max {
			return &http.MaxBytesError{Limit: max}
		}
		r.Body = http.MaxBytesReader(w, r.Body, max)
	}
	if r.ContentLength != 0 {
		r = x.watchBody(w)
		defer x.body.end()
	}
	defer x.reportOutcome()
	x.out = newResponseWriter(w, x.in, x.socketLife())
	x.proxy = httputil.ReverseProxy{
		Rewrite:        x.rewrite,
		Transport:      x.roundTripper(),
		ErrorLog:       u.forwarder.breakLog,
		BufferPool:     u.forwarder.buffers,
		ModifyResponse: x.modify,
		ErrorHandler:   x.fail,
	}
	x.outcome = brokenOff
	x.proxy.ServeHTTP(&x.out, r)
	if x.outcome == brokenOff {
		x.outcome = Forwarded
	}
	return nil
}

func (x *forward) roundTripper() http.RoundTripper {
	if x.isWebSocket() {
		return x.upgrade
	}
	return x.transport
}

// isWebSocket reports whether the request asks for a WebSocket and for nothing
// else: an upgrade to h2c would be a tunnel past every check.
func (x *forward) isWebSocket() bool {
	protocols := x.in.Header["Upgrade"]
	return x.in.Method == http.MethodGet && len(protocols) == 1 && strings.EqualFold(protocols[0], "websocket")
}

// socketLife returns how long a WebSocket with this token may stay open; zero
// means without limit.
func (x *forward) socketLife() time.Duration {
	grace := x.forwarder.opt.SocketGrace
	if x.auth.Expiry.IsZero() || grace < 0 || !x.isWebSocket() {
		return 0
	}
	return max(x.auth.Expiry.Add(grace).Sub(x.forwarder.opt.Clock()), 1)
}

// rewrite makes the request that the upstream gets: another host, the path that
// the caller has checked, and none of the headers that are the agent's or not the
// client's to set.
func (x *forward) rewrite(pr *httputil.ProxyRequest) {
	x.rewriteURL(pr.Out)
	x.rewriteHeader(pr)
	pr.Out.Trailer = x.body.announced(x.forwarder.privateHeader)
	x.answered = x.forwarder.opt.Observer.Sending(x.in.Context(), x.Name, x.in.Method, x.URL.Host, pr.Out.Header)
}

func (x *forward) rewriteURL(out *http.Request) {
	path, err := url.PathUnescape(x.path)
	if err != nil { // net/http has parsed it already
		path = x.path
	}
	*out.URL = url.URL{
		Scheme: x.URL.Scheme, Host: x.URL.Host,
		Path: path, RawPath: x.path,
		// As it came: no decision depends on a parameter.
		RawQuery: x.in.URL.RawQuery, ForceQuery: x.in.URL.ForceQuery,
	}
	out.Host = ""
}

func (x *forward) rewriteHeader(pr *httputil.ProxyRequest) {
	h := pr.Out.Header
	trusted := x.forwarder.opt.TrustedProxies.Trusts(x.in.RemoteAddr)
	override := x.MethodOverride && !httpsem.Safe(x.in.Method)
	for name := range h {
		if looksLike(name, x.forwarder.privateHeader) || isRerouting(name) || isTracing(name) || !trusted && isForwarding(name) || !override && IsMethodOverride(name) {
			delete(h, name)
		}
	}
	setForwarded(pr, trusted)
	if lines := h["Cookie"]; lines != nil {
		if h["Cookie"] = withoutCookies(lines, x.forwarder.opt.OwnsCookie); h["Cookie"] == nil {
			delete(h, "Cookie")
		}
	}
	if !x.auth.FromClient {
		delete(h, "Authorization")
	}
	if !x.auth.Token.Empty() {
		h["Authorization"] = []string{"Bearer " + x.auth.Token.Reveal()}
	}
	if h["Upgrade"] != nil && !x.isWebSocket() {
		delete(h, "Upgrade")
		delete(h, "Connection")
	}
}

// setForwarded adds the headers that name the client to the upstream. Those of a
// trusted proxy stay, with its own address behind the client's.
func setForwarded(pr *httputil.ProxyRequest, trusted bool) {
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

// modify removes from the response what would interfere with the agent.
func (x *forward) modify(res *http.Response) error {
	x.reportAnswer(res.StatusCode)
	if res.StatusCode == http.StatusSwitchingProtocols && !x.isWebSocket() {
		return errors.New("the upstream switches protocols unasked")
	}
	x.body.responseBegins(res)
	if res.ContentLength > smallBody {
		x.proxy.FlushInterval = flushEvery
	}
	if len(res.Trailer) > 0 {
		// HTTP/1.1 has trailers only after chunks (RFC 9112 7.1.2).
		res.Header.Del("Content-Length")
	}
	x.modifyHeader(res.Header)
	filterTrailers(res)
	return nil
}

func (x *forward) modifyHeader(h http.Header) {
	delete(h, "X-Request-Id") // the response has the agent's
	dropCORS(h)
	if x.out.before.Get("Access-Control-Allow-Origin") != "" {
		expose(h)
	}
	dropCookies(h, x.forwarder.opt.OwnsCookie)
	dropClearing(h)
	switch {
	case x.out.before["Set-Cookie"] != nil:
		forbidStoring(h)
	case !x.auth.Token.Empty():
		keepPrivate(h)
	}
}

// statusClientGone is what logs show when no client is left to answer.
const statusClientGone = 499

// fail answers a request that the upstream did not.
func (x *forward) fail(w http.ResponseWriter, r *http.Request, err error) {
	x.reportAnswer(0)
	cause := context.Cause(r.Context())
	if errors.Is(cause, context.Canceled) {
		x.outcome = ClientGone
		w.WriteHeader(statusClientGone)
		return
	}
	x.body.abandon()
	err = x.failure(cause, err)
	x.outcome = outcomeOf(err)
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	x.forwarder.opt.Render.Write(w, x.in, err)
}

func (x *forward) failure(cause, err error) error {
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
		return httperr.New(http.StatusGatewayTimeout, httperr.UpstreamTimeout, "the API did not answer in time", &targetError{x.Name, err})
	}
	return httperr.New(http.StatusBadGateway, httperr.UpstreamError, "the API could not be reached", &targetError{x.Name, err})
}

// targetError names the target that failed in the log.
type targetError struct {
	name string
	err  error
}

func (e *targetError) Error() string { return "route " + e.name + ": " + e.err.Error() }
func (e *targetError) Unwrap() error { return e.err }

// isTimeout reports whether an upstream is slow, rather than absent: a connection
// that is not made in time counts as the latter.
func isTimeout(err error) bool {
	var timeout net.Error
	return !isDial(err) && errors.As(err, &timeout) && timeout.Timeout()
}

func isDial(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial"
}
