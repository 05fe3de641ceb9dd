package login

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"

	"oauth-agent/agent/internal/authserver"
	"oauth-agent/agent/internal/cookie"
	"oauth-agent/agent/internal/httperr"
	"oauth-agent/agent/internal/session"
	"oauth-agent/agent/internal/strictjson"
)

// Start answers POST /login/start with the URL of an authorization request
// (RFC 6749 4.1.1, RFC 7636 4.3, OpenID Connect Core 3.1.2.1).
//
// State, nonce and PKCE verifier are made here and kept in a cookie that only
// this browser has: the response is good for nobody else. Over https it is bound to
// a second cookie, which no other host of the site can plant.
//
// Steps: read what the SPA asks for; build the request; make room among the logins under
// way; set the cookies of this one.
func (a *Agent) Start(w http.ResponseWriter, r *http.Request) error {
	wish, err := readWish(r)
	if err != nil {
		return err
	}
	t := transaction{
		State: random(), Nonce: random(), Verifier: authserver.NewVerifier(),
		Created: a.clock(), ReturnTo: wish.returnTo, Seed: session.NewSeed(),
	}
	request, err := a.as.AuthorizationURL(r.Context(), authserver.AuthRequest{
		State: t.State, Nonce: t.Nonce, Verifier: t.Verifier, Extra: wish.extra,
	})
	if err != nil {
		return httperr.Failed(httperr.EventLoginFailed, told(err))
	}
	t.OpenID, t.MaxAge = request.OpenID, request.MaxAge

	got := cookie.Read(r)
	a.makeRoom(w, got)
	t.Browser = a.jar.Bind(w, tag(t.State), cookie.LoginLifetime)
	if err := a.jar.Set(w, got, cookie.Login, tag(t.State), t.record(), cookie.LoginLifetime); err != nil {
		return err
	}
	a.events.LoginStarted(r.Context())
	httperr.WriteJSON(w, http.StatusOK, struct {
		URL string `json:"authorizationRequestUrl"`
	}{request.URL})
	return nil
}

// random is 256 bits in URL-safe characters: one short opaque string, since
// some servers rewrite anything that has structure.
func random() string {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // never fails, see its documentation
	return base64.RawURLEncoding.EncodeToString(b)
}

// wish is the optional body of /login/start:
// {"extraParams":[{"key":…,"value":…}],"returnTo":"/path?query#fragment"}.
type wish struct {
	extra    []authserver.Param
	returnTo string
}

func readWish(r *http.Request) (wish, error) {
	body, err := readBody(r)
	if err != nil || len(bytes.TrimSpace(body)) == 0 {
		return wish{}, err
	}
	object, err := readJSON(body)
	if err != nil {
		return wish{}, err
	}
	extra, err := readExtraParams(object)
	if err != nil {
		return wish{}, err
	}
	returnTo, ok := object.OptionalText("returnTo")
	if !ok || returnTo != "" && !localPath(returnTo) {
		return wish{}, httperr.BadRequest("returnTo must be a path of the application, such as /orders?page=2", nil)
	}
	return wish{extra: extra, returnTo: returnTo}, nil
}

// maxReturnTo is the longest path to return to, in bytes: it travels in the
// cookie of the login.
const maxReturnTo = 1024

// localPath tells a path of the page's own origin from what a browser takes for
// another host: //host, /\\host, either with the control characters between that
// the URL standard has browsers drop, and what becomes one of these when dot
// segments are taken out.
func localPath(path string) bool {
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
