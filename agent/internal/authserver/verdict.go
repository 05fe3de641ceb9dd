package authserver

import (
	"bytes"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"oauth-agent/agent/internal/strictjson"
)

// verdict is what an answer that grants nothing is about.
type verdict int

const (
	// unclear is a refusal that names no reason.
	unclear verdict = iota
	// outage is a fault of the server, or of something in front of it. It says
	// nothing about the request, which may be sent again later.
	outage
	// aboutClient is a refusal of this client: its registration is wrong.
	aboutClient
	// aboutGrant is a refusal of the code or the token that was sent.
	aboutGrant
)

// refusal is an answer that grants nothing, as an error.
type refusal struct {
	status  int
	code    string // OAuth error (RFC 6749 5.2), of any characters; may be empty
	verdict verdict
}

func (r *refusal) Error() string { return fmt.Sprintf("status %d%s", r.status, codeSuffix(r.code)) }

// refused returns the refusal in an answer, or nil. A success that carries an
// OAuth error is one too: some servers answer 200 to everything.
func refused(a *Answer) *refusal {
	code := oauthError(a.Body)
	if a.Status < http.StatusBadRequest && code == "" {
		return nil
	}
	return &refusal{status: a.Status, code: code, verdict: judge(a.Status, code, a.Body)}
}

// judge is the only place that says what a refusal means. Real servers have many
// codes for a dead token, and some send none, so that whatever is not known to be
// about something else is about the grant. But a page, or a status that gateways
// and firewalls send, is no verdict: taken for one, it would log everybody out.
func judge(status int, code string, body []byte) verdict {
	switch {
	case outageStatus(status), slices.Contains([]string{"temporarily_unavailable", "server_error", "slow_down"}, code):
		return outage
	case slices.Contains([]string{"invalid_client", "unauthorized_client", "unsupported_grant_type", "invalid_scope"}, code):
		return aboutClient
	case code != "" && status < http.StatusMultipleChoices:
		return aboutGrant
	case bytes.HasPrefix(trimmed(body), []byte("<")):
		return outage
	case inWords(status, code):
		return unclear
	}
	switch status {
	case http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden:
		if code != "" || len(trimmed(body)) == 0 {
			return aboutGrant
		}
	}
	return unclear
}

// inWords reports whether the error of a 401 or 403 is no code but what gateways and
// frameworks write there, such as {"status":403,"error":"Forbidden"}. With a 400 some
// authorization servers write so of a dead token.
func inWords(status int, code string) bool {
	denied := status == http.StatusUnauthorized || status == http.StatusForbidden
	return denied && (strings.Contains(code, " ") || strings.EqualFold(code, http.StatusText(status)))
}

// outageStatus reports whether status is one of a server that is overloaded, not
// where it should be, or not the one that was asked.
func outageStatus(status int) bool {
	switch status {
	case http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusProxyAuthRequired, http.StatusRequestTimeout,
		http.StatusGone, http.StatusMisdirectedRequest, http.StatusTooEarly, http.StatusTooManyRequests,
		http.StatusUnavailableForLegalReasons:
		return true
	}
	return status >= http.StatusInternalServerError
}

// oauthError returns the error code of a JSON object or, as some servers answer,
// of a form; empty if there is none. The Content-Type is not looked at, since many
// servers send a wrong one.
func oauthError(body []byte) string {
	body = trimmed(body)
	if o, err := strictjson.Parse(body); err == nil {
		code, _ := o.Text("error")
		return code
	}
	if bytes.ContainsAny(body, " \t\r\n<>{}\"") {
		return "" // not form-encoded
	}
	form, err := url.ParseQuery(string(body))
	if err != nil || len(form["error"]) != 1 {
		return ""
	}
	return form.Get("error")
}

// trimmed is body without white space around it and without a byte order mark.
func trimmed(body []byte) []byte {
	return bytes.TrimSpace(bytes.TrimPrefix(body, []byte("\ufeff")))
}
