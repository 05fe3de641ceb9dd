package login

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"

	"oauth-agent/agent/internal/authserver"
	"oauth-agent/agent/internal/httperr"
	"oauth-agent/agent/internal/strictjson"
)

// startRequest is the optional body of /login/start:
// {"extraParams":[{"key":…,"value":…}],"returnTo":"/path?query#fragment"}.
type startRequest struct {
	extraParams []authserver.Param
	returnTo    string
}

func readStartRequest(r *http.Request) (startRequest, error) {
	body, err := readBody(r)
	if err != nil || len(bytes.TrimSpace(body)) == 0 {
		return startRequest{}, err
	}
	object, err := readJSON(body)
	if err != nil {
		return startRequest{}, err
	}
	extraParams, err := readExtraParams(object)
	if err != nil {
		return startRequest{}, err
	}
	returnTo, ok := object.OptionalText("returnTo")
	if !ok || returnTo != "" && !isLocalPath(returnTo) {
		return startRequest{}, httperr.BadRequest("returnTo must be a path of the application, such as /orders?page=2", nil)
	}
	return startRequest{extraParams: extraParams, returnTo: returnTo}, nil
}

// maxReturnTo is the longest path to return to, in bytes: it travels in the cookie of
// the login.
const maxReturnTo = 1024

// isLocalPath reports whether a browser at the page takes path for one of the page's
// own origin. It does not where the path names another host: //host, /\\host, either
// with control characters in between, which browsers drop (URL standard), and what
// becomes one of these when dot segments are removed.
func isLocalPath(path string) bool {
	if len(path) > maxReturnTo || !strings.HasPrefix(path, "/") {
		return false
	}
	if strings.ContainsFunc(path, func(r rune) bool { return r < 0x20 || r == 0x7f || r == '\\' }) {
		return false
	}
	path, _, _ = strings.Cut(path, "#")
	path, _, _ = strings.Cut(path, "?")
	for segment := range strings.SplitSeq(strings.ReplaceAll(strings.ToLower(path), "%2e", "."), "/") {
		if segment == "." || segment == ".." {
			return false
		}
	}
	return !strings.Contains(path, "//")
}

func readExtraParams(object strictjson.Object) ([]authserver.Param, error) {
	if !object.Has("extraParams") {
		return nil, nil
	}
	var list []json.RawMessage
	if err := json.Unmarshal(object["extraParams"], &list); err != nil {
		return nil, httperr.BadRequest("extraParams must be a list", nil)
	}
	params := make([]authserver.Param, 0, len(list))
	for _, item := range list {
		p, err := readParam(item)
		if err != nil {
			return nil, err
		}
		params = append(params, p)
	}
	return params, nil
}

func readParam(item json.RawMessage) (authserver.Param, error) {
	object, err := strictjson.Parse(item)
	key, keyIsText := object.Text("key")
	value, valueIsText := object.Text("value")
	if err != nil || !keyIsText || !valueIsText {
		return authserver.Param{}, httperr.BadRequest("each of extraParams must have a key and a value, both strings", err)
	}
	return authserver.Param{Key: key, Value: value}, nil
}
