// Package upstream sends a request that may go up to its upstream, and the
// response back: with another URL and other headers, with bodies, trailers and
// interim responses, as a WebSocket, over connections that are used again.
//
// It knows neither sessions nor routes. Its caller has decided: it names the
// [Upstream] and the path, and says by [Authorization] what the upstream gets to
// see. A path is sent in the bytes in which it is given.
//
// Nothing of the agent goes up: not its cookies, not its own header, and no
// Authorization but the one that the caller asks for. Nothing that comes down
// changes what the agent decides: its cookies, CORS, and what caches may keep.
//
// Hop-by-hop headers, upgrades, and copying are done by
// [net/http/httputil.ReverseProxy].
//
// The room is larger than others since its parts share the state of one request
// in both directions, [forward]: a WebSocket, a body that stalls and a response
// that breaks off each decide how the others end.
package upstream

import (
	"errors"
	"log"
	"log/slog"
	"net/http"
	"net/http/httputil"
	"net/url"
	"time"

	"oauth-agent/agent/internal/clientip"
	"oauth-agent/agent/internal/httperr"
	"oauth-agent/agent/internal/secret"
)

// defaultTimeout is how long an upstream may take to begin its response.
const defaultTimeout = 30 * time.Second

// Options are what a [Forwarder] works with. Render and OwnsCookie are required.
type Options struct {
	Render *httperr.Renderer
	// OwnsCookie reports whether a cookie is the agent's. Such cookies are not sent
	// to upstreams, and no upstream can set them.
	OwnsCookie func(name string) bool
	// PrivateHeader is a request header that only the agent reads.
	PrivateHeader string
	// TrustedProxies are the peers whose Forwarded, X-Forwarded-* and X-Real-IP
	// are passed on.
	TrustedProxies clientip.Proxies
	// Transports are the connections to upstreams; nil: a pool of its own.
	Transports *TransportPool
	// SocketGrace is how long a WebSocket may outlive its access token; negative:
	// without limit.
	SocketGrace time.Duration

	Observer Observer         // may be nil
	Clock    func() time.Time // nil: time.Now
	Log      *slog.Logger     // nil: nothing is logged
}

// Forwarder sends requests to upstreams. It is safe for concurrent use.
type Forwarder struct {
	opt      Options
	buffers  httputil.BufferPool
	breakLog *log.Logger // of responses that break off in the middle
	// privateHeader is the name of the header that only the agent reads, folded.
	privateHeader string
}

// New returns a Forwarder.
func New(opt Options) (*Forwarder, error) {
	if opt.Render == nil || opt.OwnsCookie == nil {
		return nil, errors.New("upstream: Render and OwnsCookie are required")
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
	if opt.Transports == nil {
		opt.Transports = NewTransportPool(0, nil)
	}
	return &Forwarder{
		opt: opt, buffers: &buffers{},
		breakLog:      slog.NewLogLogger(opt.Log.Handler(), slog.LevelWarn),
		privateHeader: folded(opt.PrivateHeader),
	}, nil
}

// Target is where requests go, and what they are held to.
type Target struct {
	Name string   // in logs and for the [Observer]
	URL  *url.URL // only scheme, host and port count
	// Timeout runs until the upstream begins its response, and while a request
	// body makes no progress; zero means 30 seconds.
	Timeout time.Duration
	MaxBody int64 // of a request, in bytes; zero means no limit
	// H2C speaks HTTP/2 in clear text to the upstream (RFC 9113 3.3).
	H2C bool
	// MethodOverride lets headers pass that some frameworks take for the method,
	// on requests that do more than read.
	MethodOverride bool
}

// Upstream is a [Target] with the connections to it.
type Upstream struct {
	Target
	forwarder *Forwarder
	transport http.RoundTripper
	// upgrade is for WebSockets, which need HTTP/1.1.
	upgrade http.RoundTripper
}

// Upstream returns the upstream at a target.
func (f *Forwarder) Upstream(t Target) *Upstream {
	if t.Timeout <= 0 {
		t.Timeout = defaultTimeout
	}
	return &Upstream{
		Target: t, forwarder: f,
		transport: retryTransport{f.opt.Transports.get(t.Timeout, t.H2C)},
		upgrade:   f.opt.Transports.get(t.Timeout, false),
	}
}

// Authorization is what an upstream sees of the sender of a request. The
// zero value is nothing.
type Authorization struct {
	Token  secret.String // sent as a bearer token, unless empty
	Expiry time.Time     // of Token; zero: unknown
	// FromClient keeps the Authorization header of the client.
	FromClient bool
}
