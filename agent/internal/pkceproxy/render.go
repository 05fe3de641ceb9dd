package pkceproxy

import (
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"net/http"

	"oauth-agent/agent/internal/httperr"
)

// errShown marks an error for a person in front of a browser.
var errShown = errors.New("shown to the user")

// shown marks err, which must not be redirected.
func shown(err error) error {
	e := httperr.As(err)
	cause := errShown
	if e.Err != nil {
		cause = fmt.Errorf("%w: %w", errShown, e.Err)
	}
	return httperr.New(e.Status, e.Code, e.Message, cause).Because(e.Reason)
}

// Render writes an error of the proxy's endpoints; it is meant for
// [httperr.Renderer]. Scripts get the JSON of RFC 6749 5.2. The authorization
// endpoint and the callback, which people see, give a small page.
func Render(w http.ResponseWriter, e *httperr.Error) {
	noStore(w.Header())
	if errors.Is(e, errShown) {
		renderPage(w, e)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(e.Status)
	_, _ = w.Write(errorBody(e.Code, e.Message))
}

const page = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Login not possible</title>
<h1>Login not possible</h1>
<p>%s</p>
<p>Please go back to the application. For its developer: <code>%s</code></p>
`

// RenderPage writes an error of an endpoint that people see, as a small page.
func RenderPage(w http.ResponseWriter, e *httperr.Error) {
	noStore(w.Header())
	renderPage(w, e)
}

// renderPage shows e. The message is the program's own and repeats nothing of
// the request.
func renderPage(w http.ResponseWriter, e *httperr.Error) {
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	w.WriteHeader(e.Status)
	_, _ = fmt.Fprintf(w, page, html.EscapeString(e.Message), html.EscapeString(e.Code))
}

// errorBody is the JSON of RFC 6749 5.2.
func errorBody(code, description string) []byte {
	switch code {
	case httperr.RequestTooLarge, httperr.MethodNotAllowed:
		code = httperr.InvalidRequest // RFC 6749 has no code of its own for them
	case httperr.TooManyRequests:
		// Of the registered ones the nearest (RFC 6749 4.1.2.1; 5.2 has none): slow_down
		// is of the device flow, whose clients poll (RFC 8628 3.5).
		code = httperr.TemporarilyUnavailable
	}
	body, err := json.Marshal(struct {
		Error       string `json:"error"`
		Description string `json:"error_description,omitempty"`
	}{code, description})
	if err != nil {
		return nil // two strings always encode
	}
	return body
}

// noStore keeps tokens, codes and errors out of caches (RFC 6749 5.1).
func noStore(h http.Header) {
	h.Set("Cache-Control", "no-store")
	h.Set("Pragma", "no-cache")
}
