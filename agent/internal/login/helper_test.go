package login_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"oauth-agent/agent/internal/authserver"
	"oauth-agent/agent/internal/cookie"
	"oauth-agent/agent/internal/login"
	"oauth-agent/agent/internal/roomtest"
	"oauth-agent/agent/internal/secret"
)

const redirectURI = "https://www.example.com/callback"

// fake is the authorization server, what redeems codes at it, and the observer. An ID
// token is id-SUBJECT.
type fake struct {
	mu        sync.Mutex
	startErr  error
	request   authserver.AuthRequest // the last one
	issuerErr error
	redeemErr error
	tokens    authserver.Tokens
	grants    []authserver.CodeGrant
	events    []string
}

func (f *fake) AuthorizationURL(_ context.Context, r authserver.AuthRequest) (authserver.AuthorizationURL, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.request = r
	return authserver.AuthorizationURL{URL: "https://as/authorize?a=b&state=" + r.State, OpenID: true}, f.startErr
}

func (f *fake) CheckIssuer(context.Context, string) error { return f.issuerErr }

func (f *fake) ReadIDToken(id secret.String) (json.RawMessage, authserver.Identity, error) {
	subject, ok := strings.CutPrefix(id.Reveal(), "id-")
	if !ok {
		return nil, authserver.Identity{}, errors.New("not an ID token")
	}
	return nil, authserver.Identity{Issuer: "https://as", Subject: subject}, nil
}

func (f *fake) Redeem(_ context.Context, g authserver.CodeGrant) (authserver.Tokens, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.grants = append(f.grants, g)
	return f.tokens, f.redeemErr
}

func (f *fake) LoginStarted(context.Context) { f.note("started") }

func (f *fake) LoginCompleted(_ context.Context, issuer, subject string) {
	f.note("completed " + issuer + " " + subject)
}

func (f *fake) note(event string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.events = append(f.events, event)
}

// tokensOf returns the tokens of a login of that subject; an empty one has no ID token.
func tokensOf(site *roomtest.Site, subject string) authserver.Tokens {
	t := authserver.Tokens{
		Access: secret.New("access-1"), Refresh: secret.New("refresh-1"),
		Issued: site.Clock.Now(), Expiry: site.Clock.Now().Add(5 * time.Minute),
	}
	if subject != "" {
		t.ID, t.Identity = secret.New("id-"+subject), authserver.Identity{Issuer: "https://as", Subject: subject}
	}
	return t
}

// serve mounts the room, at whose server alice logs in.
func serve(t *testing.T) (*roomtest.Site, *fake) {
	t.Helper()
	site, f := roomtest.New(t), &fake{}
	f.tokens = tokensOf(site, "alice")
	site.Mount(login.New(login.Options{
		Server: f, Tokens: f, Jar: site.Jar, Sessions: site.Sessions.Store,
		Clock: site.Clock.Now, Observer: f, RedirectURI: redirectURI,
	}).Routes())
	return site, f
}

// start begins a login and returns its state.
func start(t *testing.T, b *roomtest.Browser, body string) (state string) {
	t.Helper()
	got := b.Do("POST", "/login/start", body)
	var answer struct{ AuthorizationRequestURL string }
	if err := json.Unmarshal([]byte(got.Body), &answer); got.Status != 200 || err != nil {
		t.Fatalf("%d %s", got.Status, got.Body)
	}
	u, err := url.Parse(answer.AuthorizationRequestURL)
	if err != nil {
		t.Fatal(err)
	}
	return u.Query().Get("state")
}

// ended is the answer of /login/end.
type ended struct {
	roomtest.Answer
	Handled, IsLoggedIn bool
	CSRF, ReturnTo      string
}

// end hands a page's URL in.
func end(t *testing.T, b *roomtest.Browser, pageURL string) (answer ended) {
	t.Helper()
	body, err := json.Marshal(map[string]string{"pageUrl": pageURL})
	if err != nil {
		t.Fatal(err)
	}
	answer.Answer = b.Do("POST", "/login/end", string(body))
	if err := json.Unmarshal([]byte(answer.Body), &answer); err != nil {
		t.Fatalf("%d %s", answer.Status, answer.Body)
	}
	return answer
}

// hasSession reports whether a browser has anything of a session.
func hasSession(b *roomtest.Browser) bool {
	return b.Has(cookie.Access) || b.Has(cookie.Refresh) || b.Has(cookie.ID) || b.Has(cookie.CSRF)
}
