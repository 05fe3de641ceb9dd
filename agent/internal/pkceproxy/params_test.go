package pkceproxy_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"oauth-agent/agent/internal/httperr"
	"oauth-agent/agent/internal/pkceproxy"
)

// Some servers read names without case (ASP.NET), or "a.b", " a_b", "a_b[]" and
// "a[b" as a_b (PHP): there, a parameter of the proxy's would be there twice.
func TestNamesInAnotherSpelling(t *testing.T) {
	w := newWorld(t, func(c *pkceproxy.Config) { c.AuthURL += "?audience=x" })
	for _, name := range []string{
		"Redirect_Uri", "REDIRECT_URI", "redirect.uri", "redirect uri", "redirect_uri[]", "redirect_uri[0]", "redirect[uri",
		" redirect_uri", "redirect_uri ", "\tredirect_uri", "redirect_uri\x00x", "re\u017fponse_type", "Client_Id", "Client_Secret",
		" state", "State", "Response_Type", "Response_Mode", "Request", "request[]", "Request_Uri", "request.uri",
		"Code_Challenge", "code.challenge.method", "Audience", "audience[]",
	} {
		request := goodRequest()
		request.Set(name, "x")
		to, q := w.location(w.get(w.proxy.URL, "/oauth/authorization", request))
		if to != redirectURI || q.Get("error") != "invalid_request" || q.Get("state") != clientState {
			t.Errorf("%q: to %s %v", name, to, q)
		}
	}
	for _, name := range []string{"Redirect-Uri", "x_state", "states", "requests", "Resource[]", "xState", "id[state]"} {
		request := goodRequest()
		request.Set(name, "x")
		if to, q := w.location(w.get(w.proxy.URL, "/oauth/authorization", request)); to != w.as.URL+"/authorize" || q.Get(name) != "x" {
			t.Errorf("%q: to %s %v", name, to, q)
		}
	}
	request := goodRequest()
	request["Redirect_Uri"] = []string{""}
	if to, q := w.location(w.get(w.proxy.URL, "/oauth/authorization", request)); to != w.as.URL+"/authorize" || q.Has("Redirect_Uri") {
		t.Errorf("without a value: to %s %v", to, q)
	}
}

// At the token endpoint such a name would be sent with the proxy's secret:
// another grant, or the token of another client.
func TestFormNamesInAnotherSpelling(t *testing.T) {
	w := newWorld(t)
	code := w.code()
	for _, name := range []string{
		"Grant_Type", "grant.type", "grant_type[]", "Code", "code[]", "Redirect_Uri", "Code_Verifier", "Client_Id", "client.id",
		"Client_Secret", "Client_Assertion", "client.assertion.type", "Refresh_Token", "refresh token", "Token",
	} {
		for _, form := range []url.Values{tokenForm(code), refreshForm()} {
			form.Set(name, "x")
			wantError(t, w.token(form), 400, "invalid_request")
		}
		form := url.Values{"token": {"t"}, "client_id": {clientID}, name: {"x"}}
		wantError(t, w.post(w.proxy.URL, "/oauth/revoke", form), 400, "invalid_request")
	}
	if got := w.as.got(); len(got) != 0 {
		t.Errorf("the AS was asked: %v", got)
	}
	if r := w.token(tokenForm(code)); r.body != answerBody {
		t.Errorf("the code was used up: %d %s", r.StatusCode, r.body)
	}
}

// RFC 6749 3.1: without a value, a parameter is omitted; the others of a
// repeated one are not (RFC 8707 2).
func TestEmptyResources(t *testing.T) {
	w := newWorld(t)
	for _, tt := range []struct{ sent, want []string }{
		{[]string{"", "https://b"}, []string{"https://b"}},
		{[]string{"https://a", "", "https://b"}, []string{"https://a", "https://b"}},
		{[]string{"", ""}, nil},
	} {
		request := goodRequest()
		request["resource"] = tt.sent
		_, q := w.location(w.get(w.proxy.URL, "/oauth/authorization", request))
		if !slices.Equal(q["resource"], tt.want) || q.Has("resource") != (tt.want != nil) {
			t.Errorf("authorization, %q: %q", tt.sent, q["resource"])
		}
		form := refreshForm()
		form["resource"] = tt.sent
		w.token(form)
		if got := w.as.got()[0].Form["resource"]; !slices.Equal(got, tt.want) {
			t.Errorf("token, %q: %q", tt.sent, got)
		}
	}
}

// RFC 6749 5.2 has no code for a wrong method.
func TestCodeOfAWrongMethod(t *testing.T) {
	refuse := func(http.ResponseWriter, *http.Request) error {
		return httperr.New(http.StatusMethodNotAllowed, httperr.MethodNotAllowed, "the method is not allowed here", nil)
	}
	w := newWorld(t)
	w.proxy.Config.Handler = (&httperr.Renderer{Render: pkceproxy.Render}).Handle(refuse)
	r := w.post(w.proxy.URL, "/oauth/token", url.Values{})
	wantError(t, r, http.StatusMethodNotAllowed, "invalid_request")
	if !strings.Contains(r.body, "method") {
		t.Error(r.body)
	}
}

// grants are the parameters that only a token or revocation request has.
var grants = []string{"grant_type", "code", "code_verifier", "refresh_token", "token",
	"client_secret", "client_assertion", "client_assertion_type", "username", "password", "assertion", "device_code",
	"subject_token", "subject_token_type", "actor_token", "actor_token_type", "requested_token_type"}

// A parameter of the token endpoint in an authorization request is a mistake at best:
// it does not reach the authorization server. Doubled or in another spelling, it is
// refused.
func TestGrantsStayOutOfAuthorizationRequests(t *testing.T) {
	w := newWorld(t)
	for _, name := range grants {
		request := goodRequest()
		request.Set(name, "x")
		if to, q := w.location(w.get(w.proxy.URL, "/oauth/authorization", request)); to != w.as.URL+"/authorize" || q.Has(name) {
			t.Errorf("%s: to %s %v", name, to, q)
		}
		for _, other := range []string{strings.ToUpper(name), name + "[]", strings.ReplaceAll(name, "_", ".") + " "} {
			request := goodRequest()
			request.Set(other, "x")
			if to, q := w.location(w.get(w.proxy.URL, "/oauth/authorization", request)); to != redirectURI || q.Get("error") != "invalid_request" {
				t.Errorf("%q: to %s %v", other, to, q)
			}
		}
		request[name] = []string{"x", "x"}
		if to, q := w.location(w.get(w.proxy.URL, "/oauth/authorization", request)); to != redirectURI || q.Get("error") != "invalid_request" {
			t.Errorf("%s twice: to %s %v", name, to, q)
		}
	}
}

// A form brings one grant. What belongs to another one does not go along with it under
// the proxy's secret.
func TestOneGrantAForm(t *testing.T) {
	w := newWorld(t)
	for _, tt := range []struct {
		path  string
		form  func() url.Values
		wants string // of the parameters in grants
	}{
		{"/oauth/token", func() url.Values { return tokenForm(w.code()) }, "grant_type code"},
		{"/oauth/token", func() url.Values { return refreshForm() }, "grant_type refresh_token"},
		{"/oauth/revoke", func() url.Values { return url.Values{"token": {"t"}, "client_id": {clientID}} }, "token"},
	} {
		form := tt.form()
		for _, name := range grants {
			if !strings.HasPrefix(name, "client_") && !form.Has(name) {
				form.Set(name, verifier)
			}
		}
		w.as.got()
		w.post(w.proxy.URL, tt.path, form)
		got := w.as.got()
		if len(got) != 1 {
			t.Fatalf("%s: the AS was asked %d times", tt.wants, len(got))
		}
		var sent []string
		for _, name := range grants {
			if got[0].Form.Has(name) {
				sent = append(sent, name)
			}
		}
		if strings.Join(sent, " ") != tt.wants {
			t.Errorf("%q was sent, want %q", sent, tt.wants)
		}
	}
}
