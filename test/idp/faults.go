package idp

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Endpoint names one of the provider's endpoints.
type Endpoint string

// The endpoints.
const (
	Discovery  Endpoint = "discovery"
	JWKS       Endpoint = "jwks"
	Authorize  Endpoint = "authorize"
	Token      Endpoint = "token"
	Userinfo   Endpoint = "userinfo"
	Revocation Endpoint = "revocation"
	EndSession Endpoint = "end_session"

	// All stands for every endpoint that has no fault of its own.
	All Endpoint = "all"
)

// Fault is what an endpoint does wrong. The first of Hang, Reset, Redirect, Error,
// Size and Status that is set takes the place of the real answer; Before, Delay and
// Drip go with any answer, the real one too.
type Fault struct {
	// Before is called with the request, ahead of everything. It may wait, for the
	// request's context at most.
	Before func(*http.Request)
	Delay  time.Duration // before the answer
	// CarryOut does what was asked, and only the answer is lost: the code is spent,
	// the refresh token rotated.
	CarryOut bool

	Hang     bool   // no answer until the client gives up
	Reset    bool   // the connection breaks without an answer
	Redirect string // 307 to this URL, or Status
	Error    string // an OAuth error of this code, with 400, or Status
	Size     int64  // a JSON body of this many bytes
	Status   int    // with ContentType, Header and Body; 200 when left out above

	ContentType string // application/json
	Header      http.Header
	Body        string

	Drip time.Duration // the answer comes a byte at a time, with this pause between

	GrantType string // at the token endpoint: for this grant type alone
	Times     int    // how many requests get it; 0: all, until it is cleared
}

// Down is a server that breaks every connection.
func Down() Fault { return Fault{Reset: true} }

// Empty is an answer without a body.
func Empty(status int) Fault { return Fault{Status: status} }

// Garbage is 200 with a body that is not JSON, though it says so.
func Garbage() Fault { return Fault{Status: http.StatusOK, Body: "\x00\xff{]<garbage"} }

// HTML is an error page as proxies in front of a provider send it.
func HTML(status int) Fault {
	return Fault{
		Status: status, ContentType: "text/html",
		Body: "<!doctype html><title>Oops</title><h1>Something went wrong</h1>",
	}
}

// Huge is a body of 50 MB.
func Huge() Fault { return Fault{Size: 50 << 20} }

// OAuthError is an error of RFC 6749 5.2.
func OAuthError(status int, code string) Fault { return Fault{Status: status, Error: code} }

// faultTable has at most one fault for each endpoint and grant type.
type faultTable struct {
	mu     sync.Mutex
	faults map[faultKey]*Fault
}

type faultKey struct {
	endpoint  Endpoint
	grantType string
}

func newFaultTable() *faultTable {
	return &faultTable{faults: make(map[faultKey]*Fault)}
}

// SetFault makes endpoint do f from now on, in place of an earlier fault for the
// same endpoint and grant type.
func (p *Provider) SetFault(endpoint Endpoint, f Fault) {
	p.faults.mu.Lock()
	defer p.faults.mu.Unlock()
	p.faults.faults[faultKey{endpoint, f.GrantType}] = &f
}

// ClearFaults ends all faults and mutations: the provider is well again.
func (p *Provider) ClearFaults() {
	p.faults.mu.Lock()
	clear(p.faults.faults)
	p.faults.mu.Unlock()
	p.mu.Lock()
	p.mutate = mutations{}
	p.mu.Unlock()
}

// take finds the most special fault for a request and counts it. Without one it
// gives the zero Fault, which does nothing.
func (t *faultTable) take(e Endpoint, grantType string) Fault {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, key := range []faultKey{{e, grantType}, {e, ""}, {All, ""}} {
		f := t.faults[key]
		if f == nil {
			continue
		}
		if f.Times == 1 {
			delete(t.faults, key)
		}
		f.Times--
		return *f
	}
	return Fault{}
}

// serve answers r with the fault, or with h as the fault lets it.
func (f Fault) serve(w http.ResponseWriter, r *http.Request, h http.HandlerFunc) {
	if f.Before != nil {
		f.Before(r)
	}
	if !sleep(r, f.Delay) {
		return
	}
	if f.CarryOut {
		h(newBuffer(), r)
	}
	answer := f.answer(h)
	if f.Drip == 0 {
		answer(w, r)
		return
	}
	b := newBuffer()
	answer(b, r)
	drip(w, r, b, f.Drip)
}

// answer is the handler that takes the place of h, or h.
func (f Fault) answer(h http.HandlerFunc) http.HandlerFunc {
	switch {
	case f.Hang:
		return func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	case f.Reset:
		return func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
	case f.Redirect != "":
		return f.redirect
	case f.Error != "":
		return f.oauthError
	case f.Size > 0:
		return f.flood
	case f.Status != 0:
		return f.canned
	}
	return h
}

func (f Fault) redirect(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Location", f.Redirect)
	w.WriteHeader(f.statusOr(http.StatusTemporaryRedirect))
}

func (f Fault) oauthError(w http.ResponseWriter, _ *http.Request) {
	writeError(w, &oauthError{
		status: f.statusOr(http.StatusBadRequest), code: f.Error, description: "as the fault says",
	})
}

func (f Fault) canned(w http.ResponseWriter, _ *http.Request) {
	for name, values := range f.Header {
		w.Header()[name] = values
	}
	if w.Header().Get("Content-Type") == "" {
		w.Header().Set("Content-Type", f.contentType())
	}
	w.WriteHeader(f.statusOr(http.StatusOK))
	_, _ = io.WriteString(w, f.Body)
}

// flood sends an object that begins like any other and does not come to its end.
func (f Fault) flood(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", f.contentType())
	w.WriteHeader(f.statusOr(http.StatusOK))
	n, err := fmt.Fprint(w, `{"padding":"`)
	chunk := strings.Repeat("x", 64<<10)
	for left := f.Size - int64(n); left > 0 && err == nil; left -= int64(len(chunk)) {
		_, err = io.WriteString(w, chunk[:min(int64(len(chunk)), left)])
	}
}

func (f Fault) contentType() string {
	if f.ContentType == "" {
		return "application/json"
	}
	return f.ContentType
}

func (f Fault) statusOr(status int) int {
	if f.Status != 0 {
		return f.Status
	}
	return status
}

// sleep waits, for the client at most; false when that is gone.
func sleep(r *http.Request, d time.Duration) bool {
	if d <= 0 {
		return true
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-r.Context().Done():
		return false
	}
}
