package authserver

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/oauth2"

	"oauth-agent/agent/internal/authserver/authservertest"
	"oauth-agent/agent/internal/secret"
)

func goodRequest(extra ...Param) AuthRequest {
	return AuthRequest{State: "s-1", Nonce: "n-1", Verifier: secret.New("c4nary-verifier"), Extra: extra}
}

func TestAuthorizationURL(t *testing.T) {
	as := newAS(t)
	as.Metadata["authorization_endpoint"] = as.URL + "/authorize?tenant=a%26b"
	got, err := as.client().AuthorizationURL(t.Context(), goodRequest(
		Param{"ui_locales", "fr de"}, Param{"odd&key", "ä=&#+%"}, Param{"max_age", "60"}, Param{"claims", `{"a":null}`}))
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(got.URL)
	if err != nil {
		t.Fatal(err)
	}
	if base := u.Scheme + "://" + u.Host + u.Path; base != as.URL+"/authorize" {
		t.Errorf("endpoint %q", base)
	}
	want := url.Values{
		"tenant": {"a&b"}, "response_type": {"code"}, "client_id": {clientID}, "redirect_uri": {redirectURI},
		"scope": {"openid profile"}, "state": {"s-1"}, "nonce": {"n-1"}, "code_challenge_method": {"S256"},
		"code_challenge": {oauth2.S256ChallengeFromVerifier("c4nary-verifier")},
		"ui_locales":     {"fr de"}, "odd&key": {"ä=&#+%"}, "max_age": {"60"}, "claims": {`{"a":null}`},
	}
	if u.Query().Encode() != want.Encode() {
		t.Errorf("query %v\nwant  %v", u.Query(), want)
	}
	if strings.Contains(got.URL, "c4nary") {
		t.Error("the verifier is in the URL")
	}
	if !got.OpenID || got.MaxAge == nil || *got.MaxAge != 60 {
		t.Errorf("OpenID %v, MaxAge %v", got.OpenID, got.MaxAge)
	}
}

func TestAuthorizationURLWithoutOpenID(t *testing.T) {
	as := newAS(t)
	for name, tt := range map[string]struct {
		change func(*Config)
		extra  []Param
		scope  string
	}{
		"configured": {func(c *Config) { c.Scope = []string{"read"} }, nil, "read"},
		"narrowed":   {func(*Config) {}, []Param{{"scope", "profile"}}, "profile"},
		"no scope":   {func(c *Config) { c.Scope = nil }, nil, ""},
	} {
		got, err := as.client(tt.change).AuthorizationURL(t.Context(), goodRequest(tt.extra...))
		if err != nil {
			t.Fatal(err)
		}
		u, _ := url.Parse(got.URL)
		if got.OpenID || u.Query().Has("nonce") || u.Query().Get("scope") != tt.scope {
			t.Errorf("%s: OpenID %v, %s", name, got.OpenID, got.URL)
		}
	}
}

func TestExtraParamsRefused(t *testing.T) {
	as := newAS(t)
	as.Metadata["authorization_endpoint"] = as.URL + "/authorize?tenant=1"
	c := as.client()
	tests := map[string][]Param{
		"empty key":            {{"", "x"}},
		"blank key":            {{" ", "x"}},
		"twice":                {{"a", "1"}, {"a", "1"}},
		"twice, folded":        {{"acr.values", "1"}, {"ACR_values", "1"}},
		"in the endpoint":      {{"tenant", "2"}},
		"scope widened":        {{"scope", "openid admin"}},
		"scope empty":          {{"scope", ""}},
		"scope blank":          {{"scope", "  "}},
		"scope tab":            {{"scope", "openid\tadmin"}},
		"scope in capitals":    {{"Scope", "openid admin"}},
		"scope twice":          {{"scope", "openid"}, {"scope", "profile"}},
		"max_age negative":     {{"max_age", "-1"}},
		"max_age signed":       {{"max_age", "+1"}},
		"max_age no number":    {{"max_age", "1e3"}},
		"max_age empty":        {{"max_age", ""}},
		"max_age blank":        {{"max_age", " 1"}},
		"max_age huge":         {{"max_age", "99999999999999999999"}},
		"max_age in capitals":  {{"MAX_AGE", "1"}},
		"PHP bracket":          {{"client_id[]", "x"}},
		"PHP dot":              {{"redirect.uri", "x"}},
		"NUL":                  {{"state\x00x", "x"}},
		"space before the key": {{" state", "x"}},
	}
	for _, key := range []string{
		"client_id", "redirect_uri", "response_type", "response_mode", "state", "nonce", "code_challenge",
		"code_challenge_method", "request", "request_uri", "client_assertion", "client_assertion_type",
		"client_secret", "code_verifier", "code", "grant_type", "STATE", "Redirect_Uri",
	} {
		tests["reserved "+key] = []Param{{key, "x"}}
	}
	for name, extra := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := c.AuthorizationURL(t.Context(), goodRequest(extra...))
			typed, ok := errors.AsType[*ExtraParamsError](err)
			if !ok || !errors.Is(err, ErrExtraParams) || typed.Reason == "" {
				t.Errorf("error is %v, want ErrExtraParams", err)
			}
		})
	}
}

func TestScopeWidening(t *testing.T) {
	as := newAS(t)
	wide := as.client(func(c *Config) { c.AllowScopeWidening, c.Scope = true, []string{"read"} })
	got, err := wide.AuthorizationURL(t.Context(), goodRequest(Param{"scope", "openid  admin"}))
	if err != nil || !got.OpenID || !strings.Contains(got.URL, "scope=openid+admin&") {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := wide.AuthorizationURL(t.Context(), goodRequest(Param{"scope", `a"b`})); !errors.Is(err, ErrExtraParams) {
		t.Errorf("a scope with a quote: %v", err)
	}
	// openid without keys could not be verified.
	as2 := newAS(t)
	delete(as2.Metadata, "jwks_uri")
	wide = as2.client(func(c *Config) { c.AllowScopeWidening, c.Scope = true, []string{"read"} })
	if _, err := wide.AuthorizationURL(t.Context(), goodRequest(Param{"scope", "openid"})); !errors.Is(err, ErrUnavailable) {
		t.Errorf("openid without keys: %v", err)
	}
}

func TestAuthorizationURLNeedsSecrets(t *testing.T) {
	c := newAS(t).client()
	for name, r := range map[string]AuthRequest{
		"state":    {Nonce: "n", Verifier: secret.New("v")},
		"nonce":    {State: "s", Verifier: secret.New("v")},
		"verifier": {State: "s", Nonce: "n"},
	} {
		if _, err := c.AuthorizationURL(t.Context(), r); err == nil {
			t.Errorf("without %s: no error", name)
		}
	}
	if a, b := NewVerifier(), NewVerifier(); a.Equal(b) || len(a.Reveal()) != 43 {
		t.Error("verifiers are not fresh, or not of 256 bits")
	}
}

// TestCheckIssuer: RFC 9207 2.4.
func TestCheckIssuer(t *testing.T) {
	as := newAS(t)
	announcing := newAS(t)
	announcing.Metadata["authorization_response_iss_parameter_supported"] = true
	down := newAS(t)
	down.Handle(wellKnownPath, func(w http.ResponseWriter, _ *http.Request) { authservertest.Reply(w, 500, "") })
	unknown := as.client(func(c *Config) {
		c.Issuer, c.Authorize, c.Token, c.JWKS = "", "https://x/a", "https://x/t", "https://x/k"
	})

	for _, tt := range []struct {
		name string
		c    *Client
		iss  string
		want error
	}{
		{"equal", as.client(), as.URL, nil},
		{"missing, not announced", as.client(), "", nil},
		{"another", as.client(), "https://evil.example.com", ErrIssuer},
		{"slash", as.client(), as.URL + "/", ErrIssuer},
		{"case", as.client(), strings.ToUpper(as.URL), ErrIssuer},
		{"missing, announced", announcing.client(), "", ErrIssuer},
		{"equal, announced", announcing.client(), announcing.URL, nil},
		{"missing, nobody knows", down.client(), "", ErrUnavailable},
		{"equal, server down", down.client(), down.URL, nil},
		{"issuer unknown", unknown, "https://any.example.com", nil},
	} {
		if err := tt.c.CheckIssuer(context.Background(), tt.iss); !errors.Is(err, tt.want) || (err == nil) != (tt.want == nil) {
			t.Errorf("%s: error is %v, want %v", tt.name, err, tt.want)
		}
	}
}
