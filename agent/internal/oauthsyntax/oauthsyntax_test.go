package oauthsyntax_test

import (
	"net/url"
	"strings"
	"testing"

	"oauth-agent/agent/internal/oauthsyntax"
)

func TestRedirectURIFault(t *testing.T) {
	for uri, want := range map[string]string{
		"https://app.example.com":               "",
		"https://app.example.com/cb?tenant=1":   "",
		"http://127.0.0.1/cb":                   "",
		"http://[::1]:8080/cb":                  "",
		"com.example.app:/cb":                   "",
		"com.example.app://cb":                  "",
		"https://app.example.com/?encode=1":     "",
		"":                                      "absolute URI",
		"/cb":                                   "absolute URI",
		"https://münchen.example/":              "absolute URI",
		"https://app.example.com/\r\n":          "absolute URI",
		`https://app.example.com\@evil.example`: "absolute URI",
		"https://app.example.com/{id}":          "absolute URI",
		"https://app.example.com/#":             "no fragment",
		"https://*.example.com/":                "no wildcard",
		"https://a@app.example.com/":            "no user name",
		"HTTPS://app.example.com/":              "lower case",
		"https:///cb":                           "have a host",
		"https://:443/cb":                       "have a host",
		"https:app.example.com":                 "have a host",
		"javascript:alert(1)":                   "with a dot",
		"data:text/html,x":                      "with a dot",
		"myapp:/cb":                             "with a dot",
		"https://app.example.com/?code=1":       "have code in its query",
		"https://app.example.com/?a=b&%73tate":  "have state in its query",
		"https://app.example.com/?iss=":         "have iss in its query",
		"https://app.example.com/?error=x":      "have error in its query",
		"com.example.app:/cb?error_uri=x":       "have error_uri in its query",
	} {
		expect(t, uri, oauthsyntax.RedirectURIFault(uri), want)
	}
}

func TestClientIDFault(t *testing.T) {
	for id, want := range map[string]string{
		"app": "", "an app ~": "", strings.Repeat("a", 256): "",
		"": "printable", "é": "printable", "a\n": "printable", "a\x7f": "printable", strings.Repeat("a", 257): "256 bytes",
	} {
		expect(t, id, oauthsyntax.ClientIDFault(id), want)
	}
}

func TestAuthorizationEndpointFault(t *testing.T) {
	for raw, want := range map[string]string{
		"https://as.example.com/a": "", "https://as.example.com/a?audience=x&State=y": "",
		"https://as.example.com/a?state=": "have state", "https://as.example.com/a?a=b&%63lient_id": "have client_id",
		"https://as.example.com/a?redirect_uri=x": "have redirect_uri", "https://as.example.com/a?response_type=x": "have response_type",
	} {
		u, err := url.Parse(raw)
		if err != nil {
			t.Fatal(err)
		}
		expect(t, raw, oauthsyntax.AuthorizationEndpointFault(u), want)
	}
	u, _ := url.Parse("https://as.example.com/a?audience=x&nonce=y")
	expect(t, "a nonce", oauthsyntax.AuthorizationEndpointFault(u), "")
	expect(t, "a nonce, of the agent", oauthsyntax.AuthorizationEndpointFault(u, oauthsyntax.AgentParameters()...), "have nonce")
}

func expect(t *testing.T, value, got, want string) {
	t.Helper()
	if (got == "") != (want == "") || !strings.Contains(got, want) || got != "" && !strings.HasPrefix(got, "must ") {
		t.Errorf("%q: got %q, want %q", value, got, want)
	}
}
