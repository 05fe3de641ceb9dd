package double

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
)

// Arrived is a request as an [Upstream] saw it.
type Arrived struct {
	Method, URI, Host, Body string
	Header, Trailer         http.Header
	Proto                   string
}

// Upstream is an API that records the requests that arrive. It answers with a
// handler, which then has the body to itself, or with 200.
type Upstream struct {
	*httptest.Server
	handler http.HandlerFunc
	mu      sync.Mutex
	seen    []Arrived
}

// NewUpstream starts an API; handler may be nil.
func NewUpstream(tb testing.TB, handler http.HandlerFunc) *Upstream {
	tb.Helper()
	u := NewUnstartedUpstream(handler)
	u.Start()
	tb.Cleanup(u.Close)
	return u
}

// NewUnstartedUpstream returns an API that is still to be configured and started.
func NewUnstartedUpstream(handler http.HandlerFunc) *Upstream {
	u := &Upstream{handler: handler}
	u.Server = httptest.NewUnstartedServer(u)
	u.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelInfo)
	return u
}

// ServeHTTP implements [http.Handler].
func (u *Upstream) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a := Arrived{Method: r.Method, URI: r.RequestURI, Host: r.Host, Header: r.Header.Clone(), Proto: r.Proto}
	if u.handler != nil {
		u.record(a)
		u.handler(w, r)
		return
	}
	body, _ := io.ReadAll(r.Body)
	a.Body, a.Trailer = string(body), r.Trailer
	u.record(a)
	_, _ = io.WriteString(w, "from the upstream")
}

func (u *Upstream) record(a Arrived) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.seen = append(u.seen, a)
}

// Take returns what has arrived since the last call.
func (u *Upstream) Take() []Arrived {
	u.mu.Lock()
	defer u.mu.Unlock()
	seen := u.seen
	u.seen = nil
	return seen
}

// One returns the only request that has arrived since the last call.
func (u *Upstream) One(tb testing.TB) Arrived {
	tb.Helper()
	seen := u.Take()
	if len(seen) != 1 {
		tb.Fatalf("%d requests arrived, not 1", len(seen))
	}
	return seen[0]
}
