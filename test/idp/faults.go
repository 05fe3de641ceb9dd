package idp

import (
	"net/http"
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
// Size and Status that is set takes the place of the real answer; Before, Delay,
// Late, Drip and Cut go with any answer, the real one too.
type Fault struct {
	// Before is called with the request, ahead of everything. It may wait, for the
	// request's context at most.
	Before func(*http.Request)
	Delay  time.Duration // before the answer
	// CarryOut does what was asked, and only the answer is lost: the code is spent,
	// the refresh token rotated. Alone it breaks the connection.
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

	Late time.Duration // the answer is ready, and sent this much later
	Drip time.Duration // the answer comes a byte at a time, with this pause between
	Cut  bool          // the connection breaks in the middle of the answer

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
		switch f.Times {
		case 0:
		case 1:
			delete(t.faults, key)
		default:
			f.Times--
		}
		return *f
	}
	return Fault{}
}
