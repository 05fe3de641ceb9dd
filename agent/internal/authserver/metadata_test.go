package authserver

import (
	"bytes"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"oauth-agent/agent/internal/authserver/authservertest"
)

const asIssuer = "https://as.example.com"

// document is a good one, with changes; nil removes a member.
func document(changes m) m {
	return with(m{
		"issuer": asIssuer, "authorization_endpoint": asIssuer + "/a", "token_endpoint": asIssuer + "/t",
		"userinfo_endpoint": asIssuer + "/u", "jwks_uri": asIssuer + "/k", "end_session_endpoint": asIssuer + "/e",
		"revocation_endpoint": asIssuer + "/r",
	}, changes)
}

// TestOddMetadata: what is not needed is ignored, as far as it makes no sense, and
// named; what is needed is an error that names it.
func TestOddMetadata(t *testing.T) {
	null := m{}["none"]
	for _, member := range []string{"userinfo_endpoint", "end_session_endpoint", "revocation_endpoint", "token_endpoint", "authorization_endpoint", "jwks_uri"} {
		needed := strings.HasPrefix(member, "token") || strings.HasPrefix(member, "auth") || member == "jwks_uri"
		for _, value := range []any{
			5, true, []string{asIssuer + "/c4nary"}, m{"c4nary": 1}, "c4nary", "/c4nary", "https:///c4nary", asIssuer + "/#c4nary", "ftp://as.example.com/c4nary",
			"http://as.example.com/c4nary", "http://127.0.0.1/c4nary", "https://localhost/c4nary", "https://169.254.169.254/c4nary", "https://[fe80::1]/c4nary",
		} {
			doc := authservertest.Marshal(t, document(m{member: value}))
			got, err := parseMetadata(doc, Config{Issuer: asIssuer, Scope: []string{"openid"}})
			told := ""
			switch {
			case needed && err != nil:
				told = err.Error()
			case !needed && err == nil:
				told = strings.Join(got.warnings, "; ")
				if *got.endpointOf(member) != "" {
					t.Errorf("%s of %v is used", member, value)
				}
			}
			if !strings.Contains(told, member+" must ") || strings.Contains(told, "c4nary") {
				t.Errorf("%s of %v: it says %q", member, value, told)
			}
			// What the settings say is not read at all.
			set := Config{Issuer: asIssuer, Scope: []string{"openid"}, Authorize: asIssuer + "/1", Token: asIssuer + "/2", Userinfo: asIssuer + "/3",
				EndSession: asIssuer + "/4", JWKS: asIssuer + "/5", Revocation: asIssuer + "/6"}
			if got, err := parseMetadata(doc, set); err != nil || len(got.warnings) > 0 {
				t.Errorf("%s of %v, though it is set: %v", member, value, err)
			}
		}
		got, err := parseMetadata(authservertest.Marshal(t, document(m{member: null})), Config{Issuer: asIssuer, Scope: []string{"openid"}})
		if (err != nil) != needed || err == nil && len(got.warnings) > 0 {
			t.Errorf("%s is missing: %v", member, err)
		}
	}
	// Keys are not needed by everybody.
	got, err := parseMetadata(authservertest.Marshal(t, document(m{"jwks_uri": 5})), Config{Issuer: asIssuer, Scope: []string{"read"}})
	if err != nil || len(got.warnings) != 1 {
		t.Errorf("odd keys without openid: %v", err)
	}
}

// endpointOf returns where the endpoint of a member is kept.
func (m *metadata) endpointOf(member string) *string {
	for _, e := range m.endpoints(Config{}) {
		if e.member == member {
			return e.value
		}
	}
	return nil
}

func TestOddCapabilities(t *testing.T) {
	const methods, algs, iss = "token_endpoint_auth_methods_supported", "id_token_signing_alg_values_supported", "authorization_response_iss_parameter_supported"
	for _, tt := range []struct {
		member string
		value  any
		method AuthMethod
		algs   string
		iss    bool
		warns  bool
	}{
		{methods, "client_secret_basic", AuthBasic, "RS256", false, true},
		{methods, "client_secret_post", AuthPost, "RS256", false, true},
		{methods, "client_secret_post client_secret_jwt", AuthPost, "RS256", false, true},
		{methods, "client_secret_post, client_secret_basic", AuthBasic, "RS256", false, true},
		{methods, []any{"client_secret_post", nil, 5, []string{"client_secret_basic"}}, AuthPost, "RS256", false, true},
		{methods, []any{nil}, AuthBasic, "RS256", false, true},
		{methods, "", AuthBasic, "RS256", false, true},
		{methods, 5, AuthBasic, "RS256", false, true},
		{methods, m{"client_secret_post": true}, AuthBasic, "RS256", false, true},
		{methods, []string{"client_secret_post"}, AuthPost, "RS256", false, false},
		{algs, "ES256", AuthBasic, "ES256", false, true},
		{algs, []any{"ES256", nil, "none", "HS256"}, AuthBasic, "ES256", false, true},
		{algs, 7, AuthBasic, "RS256", false, true},
		{algs, m{}, AuthBasic, "RS256", false, true},
		{algs, []any{m{"a": 1}}, AuthBasic, "RS256", false, true},
		{iss, true, AuthBasic, "RS256", true, false},
		{iss, false, AuthBasic, "RS256", false, false},
		{iss, "true", AuthBasic, "RS256", true, true},
		{iss, "false", AuthBasic, "RS256", false, true},
		{iss, 1, AuthBasic, "RS256", false, true},
		{iss, []bool{true}, AuthBasic, "RS256", false, true},
		{"scopes_supported", "c4nary", AuthBasic, "RS256", false, false}, // nothing is done by it
		{"code_challenge_methods_supported", 5, AuthBasic, "RS256", false, false},
	} {
		got, err := parseMetadata(authservertest.Marshal(t, document(m{tt.member: tt.value})), Config{Issuer: asIssuer, Scope: []string{"openid"}})
		if err != nil {
			t.Errorf("%s %v: %v", tt.member, tt.value, err)
			continue
		}
		if got.authMethod(AuthAuto) != tt.method || strings.Join(got.algorithms, " ") != tt.algs || got.issInResponse != tt.iss {
			t.Errorf("%s %v: %s, %v, %v", tt.member, tt.value, got.authMethod(AuthAuto), got.algorithms, got.issInResponse)
		}
		told := strings.Join(got.warnings, "; ")
		if tt.warns != strings.Contains(told, tt.member+" must be") || strings.Contains(told, "c4nary") {
			t.Errorf("%s %v: warnings %q", tt.member, tt.value, told)
		}
	}
}

// TestMetadataWarnings are in the log once, and again when they are others.
func TestMetadataWarnings(t *testing.T) {
	as := newAS(t)
	as.Metadata["token_endpoint_auth_methods_supported"] = "client_secret_post"
	var out bytes.Buffer
	c := New(as.config(), Options{Clock: as.Clock.Now, Log: slog.New(slog.NewTextHandler(&out, nil))})
	ctx := TrialContext(t.Context())
	renew := func() {
		t.Helper()
		if err := c.Ready(ctx); err != nil {
			t.Fatal(err)
		}
		settled(c)
		as.Clock.Add(metadataLife)
	}
	lines := func(when string, want int) {
		t.Helper()
		if n := strings.Count(out.String(), "metadata makes no sense in part"); n != want {
			t.Errorf("%s: %d lines, want %d:\n%s", when, n, want, &out)
		}
	}
	renew()
	lines("only tried", 0)
	ctx = t.Context()
	c.LogState(ctx)
	lines("no longer", 1)
	renew()
	renew()
	lines("again", 1)
	as.Set(func() { as.Metadata["userinfo_endpoint"] = 5 })
	renew()
	renew()
	lines("another one", 2)
	if got := strings.Join(c.Warnings(), ";"); !strings.Contains(got, "userinfo_endpoint must be a text") {
		t.Errorf("warnings: %s", got)
	}
	if form := as.Forms; len(form) != 0 {
		t.Error("a form was sent")
	}
	as.Login = m{"userinfo": nil}
	as.enter(c)
	if as.Auth[0] != "" {
		t.Error("the method that is announced in one text is not used")
	}
}

// TestDiscoveryTellsOfEveryPlace that was tried, the first one too.
func TestDiscoveryTellsOfEveryPlace(t *testing.T) {
	const first, second = "/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"
	status := func(code int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "https://c4nary.example/")
			authservertest.Reply(w, code, "c4nary")
		}
	}
	for _, tt := range []struct {
		name          string
		first, second http.HandlerFunc
		want          []string
	}{
		{"nothing anywhere", http.NotFound, http.NotFound, []string{"at URL" + second + ": status 404", "tried before: discovery at URL" + first + ": status 404"}},
		{"then a fault", http.NotFound, status(503), []string{second + ": status 503", "tried before: discovery at URL" + first + ": status 404"}},
		{"then no document", http.NotFound, status(200), []string{"document at URL" + second + ": not a JSON object", "URL" + first + ": status 404"}},
		{"then no connection", http.NotFound, reset, []string{second + ": ", "URL" + first + ": status 404"}},
		{"redirect", status(302), status(404), []string{
			"at URL" + second + ": status 404", "tried before: GET URL" + first + ": status 302: a redirect, not followed; discovery at URL" + first + "/: status 404",
		}},
		{"the first alone", status(403), nil, []string{"at URL" + first + ": status 403"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			as := newAS(t)
			as.Handle(first, tt.first)
			as.Handle(second, tt.second)
			var out bytes.Buffer
			c := New(as.config(), Options{Clock: as.Clock.Now, Log: slog.New(slog.NewTextHandler(&out, nil))})
			err := c.Ready(t.Context())
			if !errors.Is(err, ErrUnavailable) {
				t.Fatal(err)
			}
			for _, want := range tt.want {
				want = strings.ReplaceAll(want, "URL", as.URL)
				if !strings.Contains(err.Error(), want) || !strings.Contains(out.String(), want) {
					t.Errorf("error %v\nlog %s\nwant %q", err, &out, want)
				}
			}
			if strings.Contains(err.Error(), "c4nary") || strings.Count(err.Error(), ErrUnavailable.Error()) != 1 {
				t.Errorf("error %v", err)
			}
		})
	}
}

// TestMetadataURL: the document is asked for where the settings say, and nowhere else,
// and it is held to the issuer all the same.
func TestMetadataURL(t *testing.T) {
	as := newAS(t)
	as.Metadata["issuer"] = "http://login.localhost/realms/shop"
	inside := func(c *Config) {
		c.Issuer, c.MetadataURL = "http://login.localhost/realms/shop", as.URL+"/inside?tenant=c4nary"
	}
	as.Handle("/inside", func(w http.ResponseWriter, _ *http.Request) { authservertest.Reply(w, 200, as.Metadata) })
	as.Login = m{"iss": "http://login.localhost/realms/shop"}
	servers := NewServers(NewHTTP(nil, 5*time.Second), as.Clock.Now, slog.New(slog.DiscardHandler))
	clientOf := func(change ...func(*Config)) *Client {
		cfg := as.config()
		for _, c := range change {
			c(&cfg)
		}
		return New(cfg, Options{Clock: as.Clock.Now, Servers: servers})
	}
	c := clientOf(inside)
	if got := as.enter(c); got.Identity.Issuer != "http://login.localhost/realms/shop" {
		t.Errorf("issuer %q", got.Identity.Issuer)
	}
	if n := as.Count(wellKnownPath); n != 0 {
		t.Errorf("asked %d times elsewhere", n)
	}
	other := clientOf(inside, func(c *Config) { c.MetadataURL = as.URL + "/other" })
	for name, h := range map[string]http.HandlerFunc{
		"status 404": http.NotFound,
		"a redirect, not followed": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "/inside")
			w.WriteHeader(http.StatusFound)
		},
		"of another issuer": func(w http.ResponseWriter, _ *http.Request) { authservertest.Reply(w, 200, m{"issuer": as.URL}) },
	} {
		as.Handle("/other", h)
		as.Clock.Add(retryMissing)
		if err := other.Ready(t.Context()); !errors.Is(err, ErrUnavailable) || !strings.Contains(err.Error(), name) || strings.Contains(err.Error(), "c4nary") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n := as.Count("/other/") + as.Count("/.well-known/oauth-authorization-server") + as.Count("/inside") - 1; n != 0 {
		t.Errorf("asked %d times elsewhere", n)
	}
}

// TestByteOrderMark: it is taken off every answer.
func TestByteOrderMark(t *testing.T) {
	as := newAS(t)
	marked := func(v func() any) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			authservertest.Reply(w, 200, "\xef\xbb\xbf"+string(authservertest.Marshal(t, v())))
		}
	}
	as.Handle(wellKnownPath, marked(func() any { return as.Metadata }))
	as.Handle("/keys", marked(func() any { return m{"keys": []any{jwk(as.Signer)}} }))
	as.Handle("/token", marked(func() any { return as.Tokens() }))
	as.Handle("/userinfo", marked(func() any { return m{"sub": "alice"} }))
	c := as.client()
	session := as.enter(c)
	got, err := c.Userinfo(t.Context(), session.Access, "alice")
	if err != nil || string(got) != `{"sub":"alice"}` {
		t.Errorf("userinfo %q, %v", got, err)
	}
	mustRefresh(t, c, session)
	as.Handle("/token", func(w http.ResponseWriter, _ *http.Request) {
		authservertest.Reply(w, 400, "\xef\xbb\xbf"+`{"error":"invalid_grant"}`)
	})
	if _, err := c.RedeemCode(t.Context(), goodGrant()); !errors.Is(err, ErrCodeRefused) || !strings.Contains(err.Error(), "invalid_grant") {
		t.Errorf("a refusal: %v", err)
	}
}
