package authserver

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"oauth-agent/agent/internal/authserver/authservertest"
	"oauth-agent/agent/internal/sharedcall"
	"oauth-agent/agent/internal/strictjson"
)

const wellKnownPath = "/.well-known/openid-configuration"

// settled waits until no discovery is in the air.
func settled(c *Client) {
	_, _ = sharedcall.Do(context.Background(), &c.discovery.calls, "", time.Minute, func(context.Context) (*metadata, error) { return nil, nil })
}

func TestDiscoveryIsLazySharedAndCached(t *testing.T) {
	as := newAS(t)
	c := as.client()
	if n := as.Count(wellKnownPath); n != 0 {
		t.Fatalf("New asked %d times", n)
	}
	var wg sync.WaitGroup
	for range 32 {
		wg.Go(func() {
			if err := c.Ready(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	as.Clock.Add(metadataLife - time.Second)
	if err := c.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := as.Count(wellKnownPath); n != 1 {
		t.Errorf("asked %d times, want 1", n)
	}
	// One who saw nothing and comes when the others have landed.
	if found, err := c.discovery.renew(t.Context()); found == nil || err != nil || as.Count(wellKnownPath) != 1 {
		t.Errorf("a late flight: %v, asked %d times", err, as.Count(wellKnownPath))
	}
}

func TestDiscoveryIsRenewedAndKeepsTheOldOnFailure(t *testing.T) {
	as := newAS(t)
	c := as.client()
	end := func() string { return c.EndSession(t.Context()) }
	if got := end(); got != as.URL+"/logout" {
		t.Fatalf("end session endpoint %q", got)
	}

	as.Handle(wellKnownPath, func(w http.ResponseWriter, _ *http.Request) { authservertest.Reply(w, 500, "") })
	as.Clock.Add(metadataLife)
	for range 3 {
		if got := end(); got != as.URL+"/logout" {
			t.Fatalf("end session endpoint %q while the server is down", got)
		}
		settled(c)
		as.Clock.Add(retryMissing)
	}
	if n := as.Count(wellKnownPath); n != 2 {
		t.Errorf("asked %d times, want 2: a failure is remembered", n)
	}

	as.Handle(wellKnownPath, nil)
	as.Set(func() { as.Metadata["end_session_endpoint"] = as.URL + "/logout2" })
	as.Clock.Add(retryStale)
	end() // the old, without waiting
	settled(c)
	if got := end(); got != as.URL+"/logout2" {
		t.Errorf("end session endpoint %q after the server changed it", got)
	}
}

func TestDiscoveryFailureIsRememberedShortly(t *testing.T) {
	as := newAS(t)
	as.Handle(wellKnownPath, func(w http.ResponseWriter, _ *http.Request) { authservertest.Reply(w, 503, "") })
	var out bytes.Buffer
	c := New(as.config(), Options{Clock: as.Clock.Now, Log: slog.New(slog.NewTextHandler(&out, nil))})
	for range 5 {
		if err := c.Ready(t.Context()); !errors.Is(err, ErrUnavailable) || !strings.Contains(err.Error(), "503") {
			t.Fatalf("Ready: %v", err)
		}
	}
	if n := as.Count(wellKnownPath); n != 1 {
		t.Errorf("asked %d times at once, want 1", n)
	}
	as.Clock.Add(retryMissing)
	if err := c.Ready(t.Context()); err == nil || as.Count(wellKnownPath) != 2 {
		t.Errorf("a second later: %v, asked %d times", err, as.Count(wellKnownPath))
	}
	as.Handle(wellKnownPath, nil)
	as.Clock.Add(retryMissing)
	if err := c.Ready(t.Context()); err != nil {
		t.Errorf("Ready once the server is: %v", err)
	}
	if n := strings.Count(out.String(), "discovery"); n != 2 {
		t.Errorf("logged %d times, want a failure and its end:\n%s", n, &out)
	}
}

// A server that is only tried is not logged of, until its state is asked for; then what
// there is to say is said once, for all clients of the server.
func TestTrialIsNotLogged(t *testing.T) {
	as := newAS(t)
	as.Handle(wellKnownPath, func(w http.ResponseWriter, _ *http.Request) { authservertest.Reply(w, 503, "") })
	var out bytes.Buffer
	log := slog.New(slog.NewTextHandler(&out, nil))
	servers := NewServers(NewHTTP(nil, 5*time.Second), as.Clock.Now, log)
	logged := func(when string, failed, works int) {
		t.Helper()
		if strings.Count(out.String(), "discovery failed") != failed || strings.Count(out.String(), "discovery works again") != works {
			t.Errorf("%s:\n%s", when, &out)
		}
	}
	first := New(as.config(), Options{Clock: as.Clock.Now, Servers: servers, Log: log})
	if first.Ready(TrialContext(t.Context())) == nil {
		t.Fatal("it is ready")
	}
	logged("while it is tried", 0, 0)
	first.LogState(t.Context())
	logged("afterwards", 1, 0)
	second := New(as.config(), Options{Clock: as.Clock.Now, Servers: servers, Log: log})
	second.LogState(t.Context())
	logged("another client", 1, 0)
	as.Handle(wellKnownPath, nil)
	as.Clock.Add(retryMissing)
	if err := second.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	logged("when it works", 1, 1)
}

func TestCancelledCallerDoesNotFailTheOthers(t *testing.T) {
	as := newAS(t)
	asked, release := make(chan struct{}), make(chan struct{})
	as.Handle(wellKnownPath, func(w http.ResponseWriter, _ *http.Request) {
		close(asked)
		<-release
		authservertest.Reply(w, 200, as.Metadata)
	})
	c := as.client()
	ctx, cancel := context.WithCancel(t.Context())
	first, second := make(chan error, 1), make(chan error, 1)
	go func() { first <- c.Ready(ctx) }()
	<-asked
	go func() { second <- c.Ready(t.Context()) }()
	cancel()
	if err := <-first; !errors.Is(err, context.Canceled) || !errors.Is(err, ErrUnavailable) {
		t.Errorf("the cancelled one: %v", err)
	}
	close(release)
	if err := <-second; err != nil {
		t.Errorf("the other one: %v", err)
	}
}

func TestDiscoveryPlaces(t *testing.T) {
	const oidcPath, oauthPath = "/o/.well-known/openid-configuration", "/.well-known/oauth-authorization-server/o"
	notFound := http.HandlerFunc(http.NotFound)
	for _, tt := range []struct {
		name, slash string
		oidc        http.HandlerFunc // nil: the document
		wantOAuth   int
		wantErr     bool
	}{
		{name: "at the issuer's path"},
		{name: "trailing slash", slash: "/"},
		{name: "404 goes on to RFC 8414", oidc: notFound, wantOAuth: 1},
		{name: "404 with trailing slash", slash: "/", oidc: notFound, wantOAuth: 1},
		{name: "500 does not go on", oidc: func(w http.ResponseWriter, _ *http.Request) { authservertest.Reply(w, 500, "") }, wantErr: true},
		{name: "403 does not go on", oidc: func(w http.ResponseWriter, _ *http.Request) { authservertest.Reply(w, 403, "") }, wantErr: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			as := newAS(t)
			issuer := as.URL + "/o" + tt.slash
			as.Metadata["issuer"] = issuer
			document := func(w http.ResponseWriter, _ *http.Request) { authservertest.Reply(w, 200, as.Metadata) }
			as.Handle(oauthPath, document)
			as.Handle(oidcPath, document)
			if tt.oidc != nil {
				as.Handle(oidcPath, tt.oidc)
			}
			err := as.client(func(c *Config) { c.Issuer = issuer }).Ready(t.Context())
			if (err != nil) != tt.wantErr || (err != nil && !errors.Is(err, ErrUnavailable)) {
				t.Errorf("Ready: %v", err)
			}
			if n := as.Count(oauthPath); n != tt.wantOAuth {
				t.Errorf("RFC 8414 place asked %d times, want %d", n, tt.wantOAuth)
			}
		})
	}
}

// TestExplicitEndpoints: with those that a login needs, discovery may fail; it is
// tried all the same, since only the server tells the rest.
func TestExplicitEndpoints(t *testing.T) {
	all := func(c *Config, u string) {
		c.Authorize, c.Token, c.Userinfo, c.JWKS = u+"/authorize", u+"/token", u+"/userinfo", u+"/keys"
	}
	for _, tt := range []struct {
		name    string
		change  func(c *Config, u string)
		asked   int
		wantErr bool
	}{
		{"all: tolerated", all, 2, false},
		{"no userinfo: tolerated", func(c *Config, u string) { all(c, u); c.Userinfo = "" }, 2, false},
		{"no openid, no jwks: tolerated", func(c *Config, u string) { all(c, u); c.JWKS, c.Scope = "", []string{"read"} }, 2, false},
		{"no jwks: needed", func(c *Config, u string) { all(c, u); c.JWKS = "" }, 2, true},
		{"no token endpoint: needed", func(c *Config, u string) { all(c, u); c.Token = "" }, 2, true},
		{"no issuer: not asked", func(c *Config, u string) { all(c, u); c.Issuer, c.Userinfo = "", "" }, 0, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			as := newAS(t)
			as.Handle(wellKnownPath, http.NotFound)
			c := as.client(func(c *Config) { tt.change(c, as.URL) })
			for range 2 {
				if err := c.Ready(t.Context()); (err != nil) != tt.wantErr {
					t.Errorf("Ready: %v", err)
				}
			}
			if found, err := c.Discovered(); found || (err != nil) != (tt.asked > 0) {
				t.Errorf("Discovered: %v, %v", found, err)
			}
			if n := as.Count(wellKnownPath) + as.Count("/.well-known/oauth-authorization-server"); n != tt.asked {
				t.Errorf("asked %d times, want %d", n, tt.asked)
			}
		})
	}
}

// What the settings do not say must not be lost for what they do say.
func TestExplicitEndpointsDoNotHideTheRest(t *testing.T) {
	as := newAS(t)
	as.Metadata["token_endpoint_auth_methods_supported"] = []string{"client_secret_post"}
	as.Metadata["authorization_response_iss_parameter_supported"] = true
	c := as.client(func(c *Config) {
		c.Authorize, c.Token, c.Userinfo, c.JWKS = as.URL+"/authorize", as.URL+"/token", as.URL+"/userinfo", as.URL+"/keys"
	})
	if err := c.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	if found, err := c.Discovered(); !found || err != nil {
		t.Errorf("Discovered: %v, %v", found, err)
	}
	got, err := c.discovery.get(t.Context())
	if err != nil || got.authMethod(AuthAuto) != AuthPost || !got.issInResponse || got.endSession != as.URL+"/logout" ||
		got.revocation != as.URL+"/revoke" || strings.Join(got.algorithms, " ") != "RS256 ES256" {
		t.Errorf("%+v, %v", got, err)
	}
}

// One who looked before a flight landed and flies after it.
func TestLateFlightIsServedByWhatThereIs(t *testing.T) {
	as := newAS(t)
	as.Handle(wellKnownPath, http.NotFound)
	c := as.client(func(c *Config) { c.Authorize, c.Token, c.JWKS = as.URL+"/authorize", as.URL+"/token", as.URL+"/keys" })
	for range 2 {
		if found, err := c.discovery.renew(t.Context()); found == nil || err != nil {
			t.Errorf("renew: %v, %v", found, err)
		}
	}
	if n := as.Count(wellKnownPath); n != 1 {
		t.Errorf("asked %d times, want 1", n)
	}
}

func TestExplicitEndpointOverridesDiscovery(t *testing.T) {
	as := newAS(t)
	as.Metadata["end_session_endpoint"] = "not a URL" // overridden, so not looked at
	c := as.client(func(c *Config) {
		c.EndSession, c.Authorize = "https://as.example.com/bye", "https://as.example.com/auth?p=1"
	})
	u, err := c.AuthorizationURL(t.Context(), goodRequest())
	if err != nil || !strings.HasPrefix(u.URL, "https://as.example.com/auth?p=1&") {
		t.Errorf("authorization URL %q, %v", u.URL, err)
	}
	if got := c.EndSession(t.Context()); got != "https://as.example.com/bye" {
		t.Errorf("end session endpoint %q", got)
	}
}

func TestMetadataIsChecked(t *testing.T) {
	const issuer = "https://as.example.com"
	for _, tt := range []struct {
		name   string
		member string
		value  any // nil: removed
		want   string
	}{
		{"good", "scopes_supported", []string{"x"}, ""},
		{"http on this machine", "token_endpoint", "http://127.0.0.1:8080/token", "token_endpoint must be https"},
		{"loopback", "token_endpoint", "https://foo.localhost/token", "token_endpoint must not be on the loopback network"},
		{"loopback, mapped", "jwks_uri", "https://[::ffff:127.0.0.1]/k", "jwks_uri must not be on the loopback network"},
		{"link-local", "authorization_endpoint", "https://169.254.169.254/a", "authorization_endpoint must not be on the link-local network"},
		{"a number as host", "token_endpoint", "https://2130706433/token", "token_endpoint must have a plain name"},
		{"optional one missing", "userinfo_endpoint", nil, ""},
		{"optional one null", "userinfo_endpoint", m{}["no"], ""},
		{"another issuer", "issuer", "https://evil.example.com", "another issuer: https://evil.example.com"},
		{"slash too many", "issuer", issuer + "/", "another issuer"},
		{"no issuer", "issuer", nil, "another issuer"},
		{"issuer is free text", "issuer", "c4nary text", "another issuer"},
		{"issuer is no string", "issuer", 5, "another issuer"},
		{"no authorization endpoint", "authorization_endpoint", nil, "authorization_endpoint"},
		{"no token endpoint", "token_endpoint", nil, "token_endpoint"},
		{"no keys", "jwks_uri", nil, "jwks_uri"},
		{"relative", "token_endpoint", "/token", "token_endpoint"},
		{"no host", "token_endpoint", "https:///token", "token_endpoint"},
		{"scheme", "authorization_endpoint", "javascript:alert(1)//c4nary", "authorization_endpoint"},
		{"fragment", "authorization_endpoint", "https://as.example.com/a#c4nary", "authorization_endpoint"},
		{"empty fragment", "authorization_endpoint", "https://as.example.com/a#", "authorization_endpoint"},
		{"parameter of ours", "authorization_endpoint", "https://as.example.com/a?client_id=c4nary", "must not have client_id"},
		{"parameter of PKCE", "authorization_endpoint", "https://as.example.com/a?code_challenge=c4nary", "must not have code_challenge"},
		{"plain http", "token_endpoint", "http://as.example.com/token", "token_endpoint"},
		{"http to a look-alike", "token_endpoint", "http://127.0.0.1.example.com/token", "token_endpoint"},
		{"wrong type", "token_endpoint", []string{"https://as.example.com/t"}, "token_endpoint"},
		{"symmetric algorithms alone", "id_token_signing_alg_values_supported", []string{"HS256", "none"}, "asymmetric"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			doc := m{
				"issuer": issuer, "authorization_endpoint": issuer + "/a", "token_endpoint": issuer + "/t",
				"userinfo_endpoint": issuer + "/u", "jwks_uri": issuer + "/k",
			}
			if doc[tt.member] = tt.value; tt.value == nil {
				delete(doc, tt.member)
			}
			_, err := parseMetadata(authservertest.Marshal(t, doc), Config{Issuer: issuer, Scope: []string{"openid"}})
			switch {
			case tt.want == "" && err != nil:
				t.Errorf("error: %v", err)
			case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
				t.Errorf("error is %v, want %q", err, tt.want)
			case err != nil && strings.Contains(err.Error(), "c4nary"):
				t.Errorf("error quotes the document: %v", err)
			}
		})
	}
}

// Plain http is for this machine, or for those who say so.
func TestPlainHTTPEndpoints(t *testing.T) {
	for _, tt := range []struct {
		issuer, token string
		insecure, ok  bool
	}{
		{"http://127.0.0.1:1", "http://127.0.0.1:1/t", false, true},
		{"http://127.0.0.1:1", "http://[::1]:1/t", false, true},
		{"http://localhost:1", "https://as.example.com/t", false, true},
		{"http://localhost:1", "http://as.internal.example/t", false, false},
		{"http://127.0.0.1:1", "http://as.internal.example/t", false, false},
		{"http://127.0.0.1:1", "http://as.internal.example/t", true, true},
		{"http://as.internal.example", "http://as.internal.example/t", true, true},
		{"https://as.example.com", "http://as.example.com/t", true, false}, // never less than the issuer
	} {
		doc := m{"issuer": tt.issuer, "authorization_endpoint": tt.issuer + "/a", "token_endpoint": tt.token}
		_, err := parseMetadata(authservertest.Marshal(t, doc), Config{Issuer: tt.issuer, InsecureHTTP: tt.insecure})
		if (err == nil) != tt.ok {
			t.Errorf("%s of %s, insecure %v: %v", tt.token, tt.issuer, tt.insecure, err)
		}
	}
}

func TestAlgorithmsAndMethods(t *testing.T) {
	for _, tt := range []struct {
		doc    string
		algs   string
		method AuthMethod
	}{
		{`{}`, "RS256", AuthBasic},
		{`{"id_token_signing_alg_values_supported":["none","HS256","ES256","PS512","ES256K"]}`, "ES256 PS512", AuthBasic},
		{`{"token_endpoint_auth_methods_supported":["client_secret_post","client_secret_basic"]}`, "RS256", AuthBasic},
		{`{"token_endpoint_auth_methods_supported":["client_secret_post"]}`, "RS256", AuthPost},
		{`{"token_endpoint_auth_methods_supported":["private_key_jwt"]}`, "RS256", AuthPost},
		{`{"token_endpoint_auth_methods_supported":[]}`, "RS256", AuthPost},
	} {
		doc, err := strictjson.Parse([]byte(tt.doc))
		if err != nil {
			t.Fatal(err)
		}
		var got metadata
		got.readCapabilities(doc)
		if algs := strings.Join(got.algorithms, " "); algs != tt.algs {
			t.Errorf("%s: algorithms %q, want %q", tt.doc, algs, tt.algs)
		}
		if method := got.authMethod(AuthAuto); method != tt.method {
			t.Errorf("%s: method %s, want %s", tt.doc, method, tt.method)
		}
		if method := got.authMethod(AuthPost); method != AuthPost {
			t.Errorf("%s: method %s, though post is set", tt.doc, method)
		}
	}
	if algs := configured(Config{}).algorithms; len(algs) != 10 || strings.Contains(strings.Join(algs, " "), "HS") {
		t.Errorf("algorithms without discovery: %v", algs)
	}
}
