package observe

import (
	"context"
	"net/http"
	"net/netip"

	"oauth-agent/agent/internal/httperr"
)

// Record is what is told of one request. Handlers add to it by [Of].
type Record struct {
	Route string // template, never what a client made up
	Code  string // error code told to the client, if any

	id     string
	client netip.Addr // where the settings want it
	out    writer
	line   [1]string // of X-Request-Id
}

type recordKey struct{}

// Of gives the record of a request, or one that nobody reads.
func Of(ctx context.Context) *Record {
	if rec, ok := ctx.Value(recordKey{}).(*Record); ok {
		return rec
	}
	return &Record{}
}

// RequestID is the identifier of the request that ctx belongs to; empty where it
// belongs to none. It may be asked for when the request is over.
func RequestID(ctx context.Context) string {
	if rec, ok := ctx.Value(recordKey{}).(*Record); ok {
		return rec.id
	}
	return ""
}

// Note is for [httperr.Renderer]: it keeps the code for the access line, and
// counts what was refused or has failed.
func (m *Metrics) Note(r *http.Request, e *httperr.Error) {
	Of(r.Context()).Code = e.Code
	switch {
	case e.Event == httperr.EventLoginFailed && e.Reason != "":
		m.login("failed", e.Reason)
	case e.Event == httperr.EventLoginFailed:
		m.login("failed", e.Code)
	}
	if e.Reason != "" {
		m.refusals.WithLabelValues(oneOf(e.Reason, httperr.Reasons())).Inc()
	}
}
