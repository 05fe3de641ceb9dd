package idp

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/url"
)

// maxSteps bounds the redirects that Login follows.
const maxSteps = 10

// Login logs in at authorizationURL as a browser does: through redirects to the login
// page, and through its form. It gives the URL that the browser is sent back to, with
// code and state, and does not go there.
//
// A session at the provider lasts as long as hc's cookie jar; without a jar every
// login is a new one. hc may be nil.
func Login(ctx context.Context, hc *http.Client, authorizationURL, username, password string) (string, error) {
	return logIn(ctx, hc, authorizationURL, url.Values{"username": {username}, "password": {password}})
}

// LoginDenied is Login for a user who cancels.
func LoginDenied(ctx context.Context, hc *http.Client, authorizationURL string) (string, error) {
	return logIn(ctx, hc, authorizationURL, url.Values{"cancel": {"1"}})
}

func logIn(ctx context.Context, hc *http.Client, authorizationURL string, fields url.Values) (string, error) {
	location, err := newBrowser(hc).walk(ctx, authorizationURL, fields)
	if err == nil && location == "" {
		return "", errors.New("idp: the login led nowhere")
	}
	return location, err
}

// Logout goes to an end-session URL and confirms when asked. It gives the post-logout
// redirect URI, empty when the provider shows a page of its own at the end.
func Logout(ctx context.Context, hc *http.Client, endSessionURL string) (string, error) {
	return newBrowser(hc).walk(ctx, endSessionURL, url.Values{})
}

// browser is an HTTP client that stops at every redirect and keeps cookies.
type browser struct{ client http.Client }

func newBrowser(hc *http.Client) *browser {
	b := &browser{}
	if hc != nil {
		b.client = *hc
	}
	if b.client.Jar == nil {
		b.client.Jar, _ = cookiejar.New(nil) // without options it never fails
	}
	b.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return b
}

// walk goes on from start until a redirect leads back to the application. The first
// form on the way is answered with fields.
func (b *browser) walk(ctx context.Context, start string, fields url.Values) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, start, nil)
	submitted := false
	var back []*url.URL
	for range maxSteps {
		if err != nil {
			return "", err
		}
		back = append(back, returnURIs(req.URL)...)
		answer, failure := b.do(req)
		switch {
		case failure != nil:
			return "", failure
		case answer.location != nil && leadsBack(answer.location, back):
			return answer.location.String(), nil
		case answer.location != nil:
			req, err = http.NewRequestWithContext(ctx, http.MethodGet, answer.location.String(), nil)
		case answer.form != nil && !submitted:
			submitted = true
			req, err = answer.form.request(ctx, answer.url, fields)
		case answer.form == nil && answer.status == http.StatusOK:
			return "", nil
		default:
			return "", fmt.Errorf("idp: %s answers %d: %s", answer.url.Path, answer.status, answer.text)
		}
	}
	return "", errors.New("idp: too many redirects")
}

// returnURIs are where a request to u asks to be sent back to.
func returnURIs(u *url.URL) []*url.URL {
	var uris []*url.URL
	for _, name := range []string{"redirect_uri", "post_logout_redirect_uri"} {
		if back, err := url.Parse(u.Query().Get(name)); err == nil && back.Scheme != "" {
			uris = append(uris, back)
		}
	}
	return uris
}

// leadsBack tells whether u is an answer to the application: it goes where one of
// the requests asked to be sent back to, or looks like an authorization response.
func leadsBack(u *url.URL, back []*url.URL) bool {
	for _, b := range back {
		if u.Scheme == b.Scheme && u.Host == b.Host && u.Path == b.Path && u.Opaque == b.Opaque {
			return true
		}
	}
	q := u.Query()
	return q.Has("state") && (q.Has("code") || q.Has("error"))
}
