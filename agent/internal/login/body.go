package login

import (
	"io"
	"mime"
	"net/http"
	"net/url"

	"oauth-agent/agent/internal/httperr"
	"oauth-agent/agent/internal/strictjson"
)

// readBody reads the body, whose size is bounded by the endpoint's chain.
func readBody(r *http.Request) ([]byte, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, httperr.BadRequest("the body could not be read", err)
	}
	return body, nil
}

// readForm returns the value of a field that must be in the form once.
func readForm(body []byte, field string) (string, error) {
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return "", httperr.BadRequest("the body is not a form", err)
	}
	if len(form[field]) != 1 {
		return "", httperr.BadRequest(field+" must be given once", nil)
	}
	return form.Get(field), nil
}

// readJSON reads a body that must be a JSON object.
func readJSON(body []byte) (strictjson.Object, error) {
	object, err := strictjson.Parse(body)
	if err != nil {
		return nil, httperr.BadRequest("the body must be a JSON object", err)
	}
	return object, nil
}

func isForm(r *http.Request) bool {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return err == nil && kind == "application/x-www-form-urlencoded"
}
