package upstream

import (
	"context"
	"net/http"

	"oauth-agent/agent/internal/httperr"
)

// Observer is informed of the requests that go up.
type Observer interface {
	// Sending is called before a request is sent to an upstream, and may add to
	// its headers. The function that it returns, unless nil, is called once, with
	// the status of the response when that begins, or with 0 if there is none.
	Sending(ctx context.Context, target, method, host string, h http.Header) (answered func(status int))
	// Done is called once for each request, when all is over, unless
	// [Upstream.Forward] returns an error.
	Done(target string, outcome Outcome)
}

type noObserver struct{}

func (noObserver) Sending(context.Context, string, string, string, http.Header) func(int) { return nil }
func (noObserver) Done(string, Outcome)                                                   {}

// Outcome is what became of a request.
type Outcome string

// The outcomes.
const (
	Forwarded       Outcome = "forwarded" // and its response passed back, whatever its status
	Refused         Outcome = "refused"   // it was never sent, or not to its end
	UpstreamError   Outcome = "upstream_error"
	UpstreamTimeout Outcome = "upstream_timeout"
	ClientGone      Outcome = "client_gone"
)

// brokenOff is the outcome until there is another: of a response that did not
// reach its end.
const brokenOff Outcome = ""

// outcomeOf returns the outcome of a request that is answered with err.
func outcomeOf(err error) Outcome {
	switch httperr.As(err).Status {
	case http.StatusGatewayTimeout:
		return UpstreamTimeout
	case http.StatusBadGateway:
		return UpstreamError
	}
	return Refused // the body of the request was at fault
}

// reportAnswer reports to the observer that the upstream has answered, or will not.
func (x *forward) reportAnswer(status int) {
	if x.answered != nil {
		x.answered(status)
		x.answered = nil
	}
}

// reportOutcome reports the outcome when all is over. A response that broke off was
// cut by one of its ends: the client is gone, or else the upstream is at fault.
func (x *forward) reportOutcome() {
	switch {
	case x.outcome != brokenOff:
	case x.in.Context().Err() != nil:
		x.outcome = ClientGone
	default:
		x.outcome = UpstreamError
	}
	x.forwarder.opt.Observer.Done(x.Name, x.outcome)
}
