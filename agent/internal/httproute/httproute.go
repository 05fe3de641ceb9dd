// Package httproute is how a room names its endpoints. What guards them is not a
// room's business: it says by a [Policy] what kind of request an endpoint is for, and
// the composition root has the chain of each policy.
package httproute

import (
	"net/http"

	"oauth-agent/agent/internal/httperr"
)

// Policy is what kind of requests an endpoint is for.
type Policy string

// The policies.
const (
	// Fetch is for scripts of a trusted web origin, with the user's cookies.
	Fetch Policy = "fetch"
	// Navigation is for browsers that come by a link or a redirect: such requests
	// have no Origin.
	Navigation Policy = "navigation"
	// Public is for everybody, and may be cached.
	Public Policy = "public"
	// API is for calls that go on to an upstream.
	API Policy = "api"
	// Page is for the files of a page.
	Page Policy = "page"
	// Script is for scripts of a client app of the PKCE proxy, without cookies.
	Script Policy = "script"
	// Person is for people whom a client app of the PKCE proxy sends here: they are
	// shown errors as a page.
	Person Policy = "person"
	// Gateway is for gateways, on a listener of their own.
	Gateway Policy = "gateway"
	// Operator is for operators, likewise.
	Operator Policy = "operator"
	// Nothing is where there is no endpoint.
	Nothing Policy = "nothing"
)

// Route is an endpoint: a path, below whatever the room is mounted at, with the
// methods that its handler takes.
type Route struct {
	Methods []string
	Path    string
	Policy  Policy
	Handler httperr.Handler
	// Limit names the limit of calls a minute from one client address; empty: none.
	Limit Limit
}

// Limit names a limit of calls.
type Limit string

// The limits.
const (
	LoginStart Limit = "login_start"
	TokenCalls Limit = "token"
)

// Get returns the methods of an endpoint that is read.
func Get() []string { return []string{http.MethodGet, http.MethodHead} }

// Post returns the method of an endpoint that changes something.
func Post() []string { return []string{http.MethodPost} }
