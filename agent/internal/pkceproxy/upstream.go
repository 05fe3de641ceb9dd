package pkceproxy

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strings"

	"oauth-agent/agent/internal/authserver"
	"oauth-agent/agent/internal/httperr"
	"oauth-agent/agent/internal/oauthsyntax"
	"oauth-agent/agent/internal/store"
	"oauth-agent/agent/internal/strictjson"
)

// upstream is the AS, as the confidential client that the proxy is.
type upstream struct {
	http                    *authserver.HTTP
	tokenURL, revocationURL string
	credentials             authserver.Credentials
	configured              authserver.AuthMethod
	store                   store.Store // of the method that has worked
	log                     *slog.Logger
}

func newUpstream(cfg Config, opt Options) *upstream {
	return &upstream{
		http:          opt.HTTP,
		tokenURL:      cfg.TokenURL,
		revocationURL: cfg.RevocationURL,
		credentials:   authserver.Credentials{ID: cfg.ClientID, Secret: cfg.ClientSecret},
		configured:    cfg.AuthMethod,
		store:         opt.Store,
		log:           opt.Log,
	}
}

// answer is what a client is told.
type answer struct {
	status       int
	body         []byte
	retryAfter   string
	refreshToken string // the one that the body grants, if any
}

// write sends a. A body is JSON, byte for byte as the AS sent it.
func (a answer) write(w http.ResponseWriter) {
	h := w.Header()
	noStore(h)
	if a.retryAfter != "" {
		h.Set("Retry-After", a.retryAfter)
	}
	if a.status == http.StatusUnauthorized {
		// The AS's own challenge was for the proxy (RFC 9110 15.5.2 wants one).
		h.Set("WWW-Authenticate", challenge)
	}
	if len(a.body) > 0 {
		h.Set("Content-Type", "application/json")
	}
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body)
}

// reply is the AS's answer with the part of its body that decides how it is
// passed on.
type reply struct {
	*authserver.Answer
	accessToken, refreshToken string
	failed                    bool   // some client may read an error in it
	code                      string // of that error
	form                      bool   // of RFC 6749 5.2, to be passed as it is
}

// token asks the token endpoint.
func (u *upstream) token(ctx context.Context, form url.Values) (answer, error) {
	a, err := u.post(ctx, authserver.EndpointToken, u.tokenURL, form)
	switch {
	case err != nil:
		return answer{}, err
	case a.Status >= 400:
		return u.refusal(ctx, a, invalidGrant), nil
	case a.accessToken != "":
		return answer{status: a.Status, body: a.Body, refreshToken: a.refreshToken}, nil
	case a.code != "":
		// Some say 200 to everything. A client that believes the status would
		// look for a token in the error.
		return u.refusal(ctx, a, invalidGrant), nil
	}
	return answer{}, unavailable(errors.New("the token endpoint answered without an access token"))
}

// revoke asks the revocation endpoint. The body of a success says nothing
// (RFC 7009 2.2), unless it is an error after all: the token still works then.
func (u *upstream) revoke(ctx context.Context, form url.Values) (answer, error) {
	a, err := u.post(ctx, authserver.EndpointRevocation, u.revocationURL, form)
	switch {
	case err != nil:
		return answer{}, err
	case a.Status >= 400 || a.failed:
		return u.refusal(ctx, a, httperr.InvalidRequest), nil
	}
	return answer{status: http.StatusOK}, nil
}

// refusal turns a 4xx of the AS, or an error that came as a success, into an
// answer of RFC 6749 5.2: its own, if it is one. bare is what an empty 400, 401
// or 403 means.
func (u *upstream) refusal(ctx context.Context, a reply, bare string) answer {
	if a.code == invalidClient {
		u.log.LogAttrs(ctx, slog.LevelError, "the authorization server refuses the proxy's client id and secret")
	}
	own := answer{status: a.Status, body: a.Body, retryAfter: a.Header.Get("Retry-After")}
	switch {
	case !a.form:
		own.status, own.body = formOf(a.Status, bare)
	case a.Status < 400:
		own.status = http.StatusBadRequest
	}
	return own
}

// formOf gives the error for a status that came without one.
func formOf(status int, bare string) (int, []byte) {
	code := httperr.InvalidRequest
	switch status {
	case http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden:
		code = bare
	case http.StatusRequestTimeout, http.StatusTooManyRequests:
		return http.StatusServiceUnavailable,
			errorBody(httperr.TemporarilyUnavailable, "the authorization server asks to try again later")
	}
	return http.StatusBadRequest, errorBody(code, "the authorization server refused the request")
}

// post sends form with the proxy's credentials. While it is not known which
// method the AS wants, Basic comes first and form parameters second. Asking
// twice is safe: a client that is not authenticated uses up no code. A method
// is settled by a success alone, because some servers also answer a dead token
// with 401.
func (u *upstream) post(ctx context.Context, endpoint, where string, form url.Values) (reply, error) {
	method, settled := u.method(ctx)
	first, err := u.try(ctx, endpoint, where, form, method)
	if err != nil || settled || !first.unauthenticated() {
		return first, err
	}
	second, err := u.try(ctx, endpoint, where, form, authserver.AuthPost)
	if err != nil || !second.unauthenticated() {
		return second, err
	}
	return first, nil
}

func (u *upstream) try(ctx context.Context, endpoint, where string, form url.Values, method authserver.AuthMethod) (reply, error) {
	a, err := u.http.At(endpoint).PostForm(ctx, where, form, u.credentials, method)
	if err != nil {
		return reply{}, unavailable(err)
	}
	said := replyOf(a)
	if a.Status < 300 && !said.failed {
		u.remember(ctx, method)
	}
	return said, nil
}

// methodKey names the method that has worked for this client at this server.
func (u *upstream) methodKey() store.Key {
	return store.NewKey(workingMethod, u.tokenURL, u.credentials.ID)
}

// remember keeps the method that has worked. That it cannot be kept costs a second
// attempt the next time, and nothing else.
func (u *upstream) remember(ctx context.Context, method authserver.AuthMethod) {
	if known, settled := u.method(ctx); !settled || known != method {
		_ = u.store.Put(ctx, u.methodKey(), []byte(method), workingMethodLife)
	}
}

// method returns the method to begin with, and reports whether it is the only one.
func (u *upstream) method(ctx context.Context) (authserver.AuthMethod, bool) {
	if u.configured == authserver.AuthBasic || u.configured == authserver.AuthPost {
		return u.configured, true
	}
	if known, found, err := u.store.Get(ctx, u.methodKey()); err == nil && found {
		return authserver.AuthMethod(known), true
	}
	return authserver.AuthBasic, false
}

// unauthenticated tells whether the AS does not know the client.
func (a reply) unauthenticated() bool {
	return a.Status == http.StatusUnauthorized || a.code == invalidClient
}

// replyOf reads the body; what is no JSON object says nothing. An error counts in
// any spelling that a client may understand, so that nothing passes for a success;
// it is passed as it is in the very form of RFC 6749 5.2 alone.
func replyOf(a *authserver.Answer) reply {
	said := reply{Answer: a}
	var members map[string]json.RawMessage // by their exact names, unlike a struct's
	if json.Unmarshal(a.Body, &members) != nil {
		return said
	}
	said.accessToken, said.refreshToken = text(members["access_token"]), text(members["refresh_token"])
	for name, value := range members {
		if strings.EqualFold(name, "error") && string(value) != "null" {
			said.failed, said.code = true, cmp.Or(text(members["error"]), text(value))
		}
	}
	if !said.failed {
		return said
	}
	strict, err := strictjson.Parse(a.Body)
	code, _ := strict.Text("error")
	said.form = err == nil && code != "" && oauthsyntax.Printable(code) && !strings.ContainsAny(code, `"\`)
	return said
}

// text is a string member; empty for an absent one, and for one of another type.
func text(member json.RawMessage) (s string) {
	if json.Unmarshal(member, &s) != nil {
		return ""
	}
	return s
}

func unavailable(cause error) error {
	return httperr.New(http.StatusBadGateway, httperr.ServerError,
		"the authorization server cannot be reached or makes no sense", cause)
}
