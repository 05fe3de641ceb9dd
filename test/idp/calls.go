package idp

import (
	"maps"
	"net/http"
	"net/url"
	"sync"
)

// maxIssued bounds what Issued remembers; the oldest goes first.
const maxIssued = 20_000

// Request is a request as an endpoint got it. It holds secrets.
type Request struct {
	Method string
	Header http.Header
	Query  url.Values
	Form   url.Values // of the body
}

// callLog counts requests and keeps the last one of each endpoint.
type callLog struct {
	mu     sync.Mutex
	counts map[string]int
	last   map[Endpoint]Request
}

func newCallLog() *callLog {
	return &callLog{counts: make(map[string]int), last: make(map[Endpoint]Request)}
}

func (l *callLog) record(e Endpoint, r *http.Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.counts[string(e)]++
	switch g := r.PostForm.Get("grant_type"); {
	case e != Token:
	case g == grantCode, g == grantRefresh:
		l.counts[g]++
	default:
		l.counts["other"]++
	}
	l.last[e] = Request{Method: r.Method, Header: r.Header.Clone(), Query: r.URL.Query(), Form: r.PostForm}
}

// Calls is how many requests an endpoint got, faults included.
func (p *Provider) Calls(e Endpoint) int { return p.Counts()[string(e)] }

// Counts has the requests of each endpoint, and those of the token endpoint by grant
// type too: "authorization_code", "refresh_token" and "other".
func (p *Provider) Counts() map[string]int {
	p.calls.mu.Lock()
	defer p.calls.mu.Unlock()
	return maps.Clone(p.calls.counts)
}

// Last is the last request that an endpoint got.
func (p *Provider) Last(e Endpoint) (Request, bool) {
	p.calls.mu.Lock()
	defer p.calls.mu.Unlock()
	r, ok := p.calls.last[e]
	return r, ok
}

// issuedLog remembers every credential.
type issuedLog struct {
	mu     sync.Mutex
	values []string
}

func newIssuedLog() *issuedLog { return &issuedLog{} }

func (l *issuedLog) add(v string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.values = append(l.values, v)
	if len(l.values) > maxIssued {
		l.values = l.values[1:]
	}
}

// Issued has every code, access token, refresh token and ID token so far, to be
// looked for where none may be.
func (p *Provider) Issued() []string {
	p.issued.mu.Lock()
	defer p.issued.mu.Unlock()
	return append([]string(nil), p.issued.values...)
}
