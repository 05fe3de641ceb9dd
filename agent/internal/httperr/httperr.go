// Package httperr is where errors become HTTP answers.
//
// Handlers return an error; [Renderer.Handle] turns it into a response. An
// [Error] keeps apart what the client is told (Code, Message) and what the log
// is told (Err), so that a message can never carry what only the operator may
// see. Any other error is a fault of ours: 500 server_error, without detail.
package httperr

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
)

// The codes that the program itself gives. An authorization response may add
// the authorization server's own (RFC 6749 4.1.2.1).
const (
	InvalidRequest           = "invalid_request"
	UnauthorizedRequest      = "unauthorized_request"
	TokenExpired             = "token_expired"
	SessionExpired           = "session_expired"
	UserinfoRefused          = "userinfo_refused"
	LoginRequired            = "login_required"
	AuthorizationError       = "authorization_error"
	AuthorizationServerError = "authorization_server_error"
	NoIDToken                = "no_id_token"
	NotFound                 = "not_found"
	MethodNotAllowed         = "method_not_allowed"
	RequestTooLarge          = "request_too_large"
	TooManyRequests          = "too_many_requests"
	TemporarilyUnavailable   = "temporarily_unavailable"
	UpstreamError            = "upstream_error"
	UpstreamTimeout          = "upstream_timeout"
	ServerError              = "server_error"
)

// Error is an answer to the client together with its cause.
type Error struct {
	Status  int    // HTTP status
	Code    string // told to the client, stable
	Message string // told to the client, for the developer of the SPA
	// ReturnTo is for the client too: where the user was when the login began
	// that has failed.
	ReturnTo string
	Err      error // told to the log alone; may be nil
	// Reason, for logs and metrics, is why a request was refused: one of the
	// words of reason.go. Empty: nothing that an operator need watch.
	Reason string
	// Event is what has failed, where that is more than a request: one of the
	// events of reason.go.
	Event string
}

// New makes an Error; cause may be nil.
func New(status int, code, message string, cause error) *Error {
	return &Error{Status: status, Code: code, Message: message, Err: cause}
}

// BadRequest is 400 invalid_request.
func BadRequest(message string, cause error) *Error {
	return New(http.StatusBadRequest, InvalidRequest, message, cause)
}

// Unauthorized is 401 unauthorized_request.
func Unauthorized(message string, cause error) *Error {
	return New(http.StatusUnauthorized, UnauthorizedRequest, message, cause)
}

// Error is for the log.
func (e *Error) Error() string {
	s := fmt.Sprintf("%d %s: %s", e.Status, e.Code, e.Message)
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// Handler answers a request, or returns an error to be rendered. It must not
// have written the status line when it returns one.
type Handler func(w http.ResponseWriter, r *http.Request) error

// Renderer turns errors into answers. Render, if set, replaces the body format
// of the program's own API; see [Renderer.Handle].
type Renderer struct {
	Log *slog.Logger
	// Render writes e; nil writes {"code":…,"message":…}.
	Render func(w http.ResponseWriter, e *Error)
	// Note is told each error before it is rendered, for the access log; may be nil.
	Note func(r *http.Request, e *Error)
}

// Handle adapts h to net/http.
func (rd *Renderer) Handle(h Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := h(w, r); err != nil {
			rd.Write(w, r, err)
		}
	})
}

// Write renders err and logs what the client is not told.
func (rd *Renderer) Write(w http.ResponseWriter, r *http.Request, err error) {
	e := As(err)
	rd.Tell(r, e)
	if rd.Render != nil {
		rd.Render(w, e)
		return
	}
	WriteJSON(w, e.Status, struct {
		Code     string `json:"code"`
		Message  string `json:"message"`
		ReturnTo string `json:"returnTo,omitempty"`
	}{e.Code, e.Message, e.ReturnTo})
}

// As finds the Error in err's chain, or makes a 500 of it.
func As(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return New(http.StatusRequestEntityTooLarge, RequestTooLarge,
			"the request body is larger than "+strconv.FormatInt(tooLarge.Limit, 10)+" bytes", err)
	}
	return New(http.StatusInternalServerError, ServerError, "the request could not be handled", err)
}

// WriteJSON writes v with the status. The values are the program's own, so a
// failure to encode is a bug and shows as an empty body in its test. Characters
// that matter to HTML stay as they are: the URLs in an answer remain readable,
// and nosniff keeps it from being taken for a page.
func WriteJSON(w http.ResponseWriter, status int, v any) {
	var body bytes.Buffer
	enc := json.NewEncoder(&body)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		status = http.StatusInternalServerError
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(body.Len()))
	w.WriteHeader(status)
	_, _ = w.Write(body.Bytes())
}
