package pkceproxy

import (
	"io"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"slices"

	"oauth-agent/agent/internal/httperr"
)

// Bounds of what a request may bring, in bytes.
const (
	maxAuthorizeQuery = 8 << 10
	maxCallbackQuery  = 32 << 10 // a state of its full size, and the AS's code
	maxForm           = 64 << 10
)

// parseQuery reads the query of a request.
func parseQuery(r *http.Request, limit int) (url.Values, error) {
	if len(r.URL.RawQuery) > limit {
		return nil, httperr.BadRequest("the request is too long", nil)
	}
	q, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		// A pair that cannot be read may be a second redirect_uri.
		return nil, httperr.BadRequest("the query is not well formed", nil)
	}
	return q, nil
}

// parseForm reads the body of a request to the token or revocation endpoint
// (RFC 6749 3.2). Parameters in the URL do not count: URLs are logged.
func parseForm(w http.ResponseWriter, r *http.Request) (url.Values, error) {
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || media != "application/x-www-form-urlencoded" {
		return nil, httperr.BadRequest("the body must be application/x-www-form-urlencoded", nil)
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxForm))
	if err != nil {
		e := httperr.As(err)
		if e.Status != http.StatusRequestEntityTooLarge {
			return nil, httperr.BadRequest("the body could not be read", err)
		}
		return nil, httperr.New(e.Status, httperr.InvalidRequest, e.Message, err)
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, httperr.BadRequest("the body is not well formed", nil)
	}
	if name := repeated(form); name != "" {
		return nil, httperr.BadRequest("a parameter is given twice: "+name, nil)
	}
	if name := misspelled(form, formNames()); name != "" {
		return nil, httperr.BadRequest("a parameter is misspelled: "+name, nil)
	}
	return form, nil
}

// repeated names a parameter that is given more than once, which RFC 6749 3.1
// and 3.2 forbid. A resource may be (RFC 8707 2). A name of odd characters is
// not told.
func repeated(v url.Values) string {
	for _, name := range slices.Sorted(maps.Keys(v)) {
		if len(v[name]) > 1 && name != "resource" {
			if len(name) > 64 || !only(name, "-._") {
				return "one of odd characters"
			}
			return name
		}
	}
	return ""
}

// forUpstream returns the parameters of a client's form that have nothing to do with
// what is granted and to whom, such as scope. The caller adds the grant.
func forUpstream(form url.Values) url.Values { return without(form, formNames()...) }

// without copies v but for the parameters named and those without a value,
// which count as omitted (RFC 6749 3.1).
func without(v url.Values, names ...string) url.Values {
	rest := make(url.Values, len(v))
	for name, values := range v {
		values = slices.DeleteFunc(slices.Clone(values), func(value string) bool { return value == "" })
		if len(values) > 0 && !slices.Contains(names, name) {
			rest[name] = values
		}
	}
	return rest
}
