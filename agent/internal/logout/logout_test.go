package logout_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"oauth-agent/agent/internal/authserver"
	"oauth-agent/agent/internal/cookie"
	"oauth-agent/agent/internal/httperr"
	"oauth-agent/agent/internal/logout"
	"oauth-agent/agent/internal/roomtest"
	"oauth-agent/agent/internal/seal"
	"oauth-agent/agent/internal/secret"
	"oauth-agent/agent/internal/session"
	"oauth-agent/agent/internal/store"
)

// fake is the authorization server, what ends tokens at it, and the observer. An ID
// token is id-SUBJECT, and whatever follows a space.
type fake struct {
	endpoint string
	hint     string // claim login_hint of every ID token
	endErr   error
	ended    []string
	events   []string
}

func (f *fake) EndSession(context.Context) string { return f.endpoint }

func (f *fake) ReadIDToken(id secret.String) (json.RawMessage, authserver.Identity, error) {
	subject, ok := strings.CutPrefix(id.Reveal(), "id-")
	if !ok {
		return nil, authserver.Identity{}, errors.New("not an ID token")
	}
	subject, _, _ = strings.Cut(subject, " ")
	return json.RawMessage(`{"login_hint":"` + f.hint + `"}`), authserver.Identity{Issuer: "https://as", Subject: subject}, nil
}

func (f *fake) End(_ context.Context, refresh, access secret.String) error {
	f.ended = append(f.ended, refresh.Reveal()+" "+access.Reveal())
	return f.endErr
}

func (f *fake) LoggedOut(_ context.Context, issuer, subject string) {
	f.events = append(f.events, issuer+" "+subject)
}

const home = "https://www.example.com/"

// serve mounts the room; change may alter its options.
func serve(t *testing.T, change ...func(*logout.Options)) (*roomtest.Site, *fake) {
	t.Helper()
	site, f := roomtest.New(t), &fake{endpoint: "https://as/logout?tenant=1"}
	opt := logout.Options{
		Server: f, Tokens: f, Jar: site.Jar, Sessions: site.Sessions, Store: store.NewMemory(site.Clock.Now),
		Clock: site.Clock.Now, Log: site.Logger, Observer: f,
		ClientID: "spa", Home: home, BasePath: roomtest.BasePath,
	}
	for _, c := range change {
		c(&opt)
	}
	site.Mount(logout.New(opt).Routes())
	return site, f
}

func alice() session.Tokens {
	return session.Tokens{Access: secret.New("access-1"), Refresh: secret.New("refresh-1"), ID: secret.New("id-alice")}
}

// narrowJar returns a jar whose cookies have hardly any room beside their names.
func narrowJar(t *testing.T) *cookie.Jar {
	t.Helper()
	ring, err := seal.NewRing([]secret.String{secret.New(strings.Repeat("cd", 32))})
	if err != nil {
		t.Fatal(err)
	}
	return cookie.NewJar(cookie.Policy{NamePrefix: strings.Repeat("x", 3800), BasePath: roomtest.BasePath, Secure: true}, ring, 0)
}

// logOut ends a session of those tokens and returns the answer with its URL.
func logOut(t *testing.T, b *roomtest.Browser, tokens session.Tokens, header ...string) (roomtest.Answer, string) {
	t.Helper()
	got := b.Do("POST", "/logout", "", append(header, roomtest.CSRFHeader, b.LogIn(tokens))...)
	var answer struct{ URL string }
	if err := json.Unmarshal([]byte(got.Body), &answer); err != nil {
		t.Fatalf("%d %s", got.Status, got.Body)
	}
	return got, answer.URL
}

func TestALogoutFromStartToEnd(t *testing.T) {
	site, f := serve(t, func(opt *logout.Options) { opt.PostLogoutRedirectURI = "https://www.example.com/bye" })
	b := site.Browser()
	got, next := logOut(t, b, alice())
	if got.Status != 200 || next != site.Origin+"/oauth-agent/logout/continue" {
		t.Fatalf("%d %s", got.Status, got.Body)
	}
	if !slices.Equal(f.ended, []string{"refresh-1 access-1"}) || !slices.Equal(f.events, []string{"https://as alice"}) {
		t.Errorf("ended %q, events %q", f.ended, f.events)
	}
	if len(b.Cookies()) != 1 || !b.Has(cookie.Logout) {
		t.Errorf("left are %v", b.Cookies())
	}
	pending := b.Cookies()[site.Jar.Name(cookie.Logout, "")]

	got = b.Do("GET", "/logout/continue", "", "Sec-Fetch-Mode", "navigate")
	target, err := url.Parse(got.Header.Get("Location"))
	if err != nil || got.Status != http.StatusFound || got.Body != "" || len(b.Cookies()) != 0 {
		t.Fatalf("%d %v %q, left are %v", got.Status, got.Header, got.Body, b.Cookies())
	}
	want := url.Values{"tenant": {"1"}, "client_id": {"spa"}, "id_token_hint": {"id-alice"}, "post_logout_redirect_uri": {"https://www.example.com/bye"}}
	if target.Host != "as" || target.Path != "/logout" || target.Query().Encode() != want.Encode() {
		t.Errorf("to %s", target)
	}

	b.SetCookie(cookie.Logout, "", pending) // a neighbour, or the browser itself, has kept it
	if got := b.Do("GET", "/logout/continue", ""); !got.Is(400, "invalid_request") {
		t.Errorf("the same cookie again: %d %s", got.Status, got.Body)
	}
}

func TestLogoutNeedsASessionAndItsCSRFToken(t *testing.T) {
	site, f := serve(t)
	b := site.Browser()
	if got := b.Do("POST", "/logout", ""); !got.Is(401, "unauthorized_request") || got.Err.Reason != httperr.ReasonNoSession {
		t.Errorf("without a session: %d %s", got.Status, got.Body)
	}
	b.LogIn(alice())
	for _, header := range [][]string{nil, {roomtest.CSRFHeader, "wrong"}} {
		if got := b.Do("POST", "/logout", "", header...); !got.Is(401, "unauthorized_request") || got.Err.Reason != httperr.ReasonCSRF {
			t.Errorf("%v: %d %s", header, got.Status, got.Body)
		}
	}
	b.SetCookie(cookie.Access, "", "changed")
	b.SetCookie(cookie.Refresh, "", "changed")
	if got := b.Do("POST", "/logout", ""); !got.Is(401, "unauthorized_request") || got.Err.Reason != httperr.ReasonBrokenSession {
		t.Errorf("with cookies that do not open: %d %s", got.Status, got.Body)
	}
	if len(f.ended)+len(f.events) != 0 {
		t.Errorf("ended %q, events %q", f.ended, f.events)
	}
}

func TestWhereALogoutGoes(t *testing.T) {
	withoutID, large := alice(), alice()
	withoutID.ID = secret.String{}
	large.ID = secret.New("id-alice " + strings.Repeat("x", 2000))
	narrow := func(opt *logout.Options) { opt.Jar = narrowJar(t) }
	none := func(*logout.Options) {}
	direct := func(opt *logout.Options) { opt.DirectURL = true }
	registered := func(opt *logout.Options) { opt.PostLogoutRedirectURI = "https://www.example.com/bye" }
	public := func(opt *logout.Options) { opt.PublicURL = "https://public.example" }
	const endpoint = "https://as/logout"
	for name, tt := range map[string]struct {
		change         func(*logout.Options)
		endpoint, hint string
		tokens         session.Tokens
		header         []string
		want           string
	}{
		"no endpoint":                  {none, "", "", alice(), nil, home},
		"no endpoint, registered":      {registered, "", "", alice(), nil, "https://www.example.com/bye"},
		"direct":                       {direct, endpoint, "", alice(), nil, endpoint + "?client_id=spa"},
		"no ID token":                  {none, endpoint, "", withoutID, nil, endpoint + "?client_id=spa"},
		"ID token too large":           {narrow, endpoint, "", large, nil, endpoint + "?client_id=spa&logout_hint=alice"},
		"ID token too large, own hint": {narrow, endpoint, "alice@example.com", large, nil, endpoint + "?client_id=spa&logout_hint=alice%40example.com"},
		"a hint in the endpoint":       {narrow, endpoint + "?logout_hint=x", "", large, nil, endpoint + "?client_id=spa&logout_hint=x"},
		"public URL":                   {public, endpoint, "", alice(), nil, "https://public.example/oauth-agent/logout/continue"},
		"same-origin": {public, endpoint, "", alice(), []string{"Origin", "https://www.example.com", "Sec-Fetch-Site", "same-origin"},
			"https://www.example.com/oauth-agent/logout/continue"},
		"same-site": {public, endpoint, "", alice(), []string{"Origin", "https://www.example.com", "Sec-Fetch-Site", "same-site"},
			"https://public.example/oauth-agent/logout/continue"},
	} {
		t.Run(name, func(t *testing.T) {
			site, f := serve(t, tt.change)
			f.endpoint, f.hint = tt.endpoint, tt.hint
			b := site.Browser()
			got, next := logOut(t, b, tt.tokens, tt.header...)
			if got.Status != 200 || next != tt.want || len(f.events) != 1 {
				t.Errorf("%d %s", got.Status, got.Body)
			}
			if pending := strings.HasSuffix(next, "/continue"); b.Has(cookie.Logout) != pending || len(b.Cookies()) > 1 {
				t.Errorf("left are %v", b.Cookies())
			}
		})
	}
}

// What goes wrong at the authorization server costs the user no logout here.
func TestLogoutWithFaults(t *testing.T) {
	site, f := serve(t)
	f.endErr = errors.New("revocation: status 500")
	b := site.Browser()
	if got, _ := logOut(t, b, alice()); got.Status != 200 || !strings.Contains(site.Log.String(), "could not be revoked") {
		t.Errorf("%d %s, log %s", got.Status, got.Body, site.Log)
	}

	f.endpoint = "https://as/%zz"
	b = site.Browser()
	withoutID := alice()
	withoutID.ID = secret.String{}
	got, _ := logOut(t, b, withoutID)
	if !got.Is(502, "authorization_server_error") || got.Err.Event != httperr.EventLogoutFailed || len(b.Cookies()) != 0 {
		t.Errorf("%d %s, left are %v", got.Status, got.Body, b.Cookies())
	}
	if len(f.events) != 1 {
		t.Errorf("events %q", f.events)
	}
}

func TestLogoutWithARefreshTokenThatDoesNotOpen(t *testing.T) {
	site, f := serve(t)
	b := site.Browser()
	csrf := b.LogIn(alice())
	b.SetCookie(cookie.Refresh, "", "changed")
	got := b.Do("POST", "/logout", "", roomtest.CSRFHeader, csrf)
	if got.Status != 200 || !slices.Equal(f.ended, []string{" access-1"}) || b.Has(cookie.Refresh) || !strings.Contains(site.Log.String(), "the refresh token could not be read at logout") {
		t.Errorf("%d %s, ended %q, log %s", got.Status, got.Body, f.ended, site.Log)
	}
}

func TestContinue(t *testing.T) {
	for name, tt := range map[string]struct {
		header []string
		wait   time.Duration
		status int
		code   string
		reason string
	}{
		"without the header": {nil, 0, 302, "", ""},
		"by a navigation":    {[]string{"Sec-Fetch-Mode", "navigate"}, 0, 302, "", ""},
		"by a script":        {[]string{"Sec-Fetch-Mode", "cors"}, 0, 401, "unauthorized_request", httperr.ReasonNavigation},
		"with two modes":     {[]string{"Sec-Fetch-Mode", "navigate", "Sec-Fetch-Mode", "navigate"}, 0, 401, "unauthorized_request", httperr.ReasonNavigation},
		"at the last moment": {nil, time.Minute, 302, "", ""},
		"after a minute":     {nil, time.Minute + time.Second, 400, "invalid_request", ""},
	} {
		site, _ := serve(t)
		b := site.Browser()
		logOut(t, b, alice())
		site.Clock.Add(tt.wait)
		got := b.Do("GET", "/logout/continue", "", tt.header...)
		if got.Status != tt.status || tt.code != "" && (!got.Is(tt.status, tt.code) || got.Err.Reason != tt.reason) {
			t.Errorf("%s: %d %s", name, got.Status, got.Body)
		}
		if b.Has(cookie.Logout) != (tt.status == 401) {
			t.Errorf("%s: the cookie is there: %v", name, b.Has(cookie.Logout))
		}
	}
	site, _ := serve(t)
	b := site.Browser()
	if got := b.Do("GET", "/logout/continue", ""); !got.Is(400, "invalid_request") {
		t.Errorf("without a logout: %d %s", got.Status, got.Body)
	}
	b.SetCookie(cookie.Logout, "", "changed")
	if got := b.Do("GET", "/logout/continue", ""); !got.Is(400, "invalid_request") || b.Has(cookie.Logout) {
		t.Errorf("with a cookie that does not open: %d %s", got.Status, got.Body)
	}
}

// Where a logout is continued when the settings or the server changed meanwhile.
func TestContinueElsewhere(t *testing.T) {
	long := alice()
	long.ID = secret.New("id-alice " + strings.Repeat("x", 4200))
	for name, tt := range map[string]struct {
		tokens   session.Tokens
		endpoint string
		status   int
		want     string
	}{
		"the endpoint is gone": {alice(), "", 302, home},
		"it is no URL":         {alice(), "https://as/%zz", 502, ""},
		"the URL is too long":  {long, "https://as/logout", 302, "https://as/logout?client_id=spa&logout_hint=alice"},
	} {
		site, f := serve(t)
		b := site.Browser()
		logOut(t, b, tt.tokens)
		f.endpoint = tt.endpoint
		got := b.Do("GET", "/logout/continue", "")
		if got.Status != tt.status || got.Header.Get("Location") != tt.want || tt.status == 502 && !got.Is(502, "authorization_server_error") {
			t.Errorf("%s: %d %v %s", name, got.Status, got.Header, got.Body)
		}
	}
}

// A URL that the page's browser cannot reach with its cookies is worth a warning.
func TestTheHostOfTheRequestMayBeAnothers(t *testing.T) {
	for origin, warned := range map[string]bool{"https://www.example.com": true, "https://127.0.0.1:1": false} {
		site, _ := serve(t)
		_, next := logOut(t, site.Browser(), alice(), "Origin", origin, "Sec-Fetch-Site", "cross-site")
		if next != site.Origin+"/oauth-agent/logout/continue" || strings.Contains(site.Log.String(), "set public_url") != warned {
			t.Errorf("%s: %s, log %s", origin, next, site.Log)
		}
	}
}
