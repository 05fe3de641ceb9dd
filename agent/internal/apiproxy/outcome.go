package apiproxy

import (
	"net/http"

	"oauth-agent/agent/internal/httperr"
)

// Outcome is what became of a request for a route, see [Options.Passed].
type Outcome string

// The outcomes.
const (
	Forwarded       Outcome = "forwarded" // and its answer passed back, whatever it was
	Refused         Outcome = "refused"   // by the proxy
	UpstreamError   Outcome = "upstream_error"
	UpstreamTimeout Outcome = "upstream_timeout"
	ClientGone      Outcome = "client_gone"
)

// brokenOff is the outcome until there is another: that of an answer whose end
// did not pass.
const brokenOff Outcome = ""

// outcomeOf is the outcome of a request that ends in err, which is told.
func outcomeOf(err error) Outcome {
	switch httperr.As(err).Status {
	case http.StatusGatewayTimeout:
		return UpstreamTimeout
	case http.StatusBadGateway:
		return UpstreamError
	}
	return Refused // the body of the request was at fault
}

// answered tells that the upstream has answered, or will not.
func (x *exchange) answered(status int) {
	if x.sent != nil {
		x.sent(status)
		x.sent = nil
	}
}

// tell tells the outcome when all is over. An answer that broke off was cut by
// one of its ends: the client's is gone then, or else the upstream's is.
func (x *exchange) tell() {
	switch {
	case x.outcome != brokenOff:
	case x.in.Context().Err() != nil:
		x.outcome = ClientGone
	default:
		x.outcome = UpstreamError
	}
	x.p.opt.Passed(x.route.Path, x.outcome)
}
