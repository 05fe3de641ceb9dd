package pkceproxy_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"oauth-agent/agent/internal/authserver"
	"oauth-agent/agent/internal/pkceproxy"
)

func TestLogin(t *testing.T) {
	w := newWorld(t)

	// What the AS is asked.
	to, q := w.location(w.get(w.proxy.URL, "/oauth/authorization", with(goodRequest(),
		"nonce=n", "prompt=login", "login_hint=ada@example.com", "ui_locales=fr en", "response_mode=query",
		"+resource=https://a.example", "+resource=https://b.example", "unknown=ü &=", "code_verifier=stray", "client_secret=stray")))
	if to != w.as.URL+"/authorize" {
		t.Fatalf("to %s", to)
	}
	state := q.Get("state")
	q.Del("state")
	want := url.Values{
		"client_id": {"proxy client"}, "redirect_uri": {"https://pkce.example.com/callback"}, "response_type": {"code"},
		"scope": {"openid a"}, "nonce": {"n"}, "prompt": {"login"}, "login_hint": {"ada@example.com"},
		"ui_locales": {"fr en"}, "response_mode": {"query"}, "unknown": {"ü &="},
		"resource": {"https://a.example", "https://b.example"},
	}
	if diff := cmp.Diff(want, q); diff != "" {
		t.Error("authorization request", diff)
	}

	// What the client is answered.
	r := w.get(w.proxy.URL, "/callback", url.Values{"state": {state}, "code": {asCode}, "session_state": {"x"}})
	to, q = w.location(r)
	code := q.Get("code")
	q.Del("code")
	if diff := cmp.Diff(url.Values{"state": {clientState}, "iss": {"https://pkce.example.com"}}, q); diff != "" || to != redirectURI {
		t.Error("authorization response", to, diff)
	}
	if r.Header.Get("Cache-Control") != "no-store" || r.Header.Get("Referrer-Policy") != "no-referrer" || r.body != "" {
		t.Error("redirect", r.Header, r.body)
	}
	if strings.Contains(r.Header.Get("Location"), "+") {
		t.Error("a space became a plus, which not every client reads as a space")
	}

	// The tokens.
	r = w.token(tokenForm(code, "+resource=https://a.example", "+resource=https://b.example", "unknown=x"))
	if r.StatusCode != http.StatusOK || r.body != answerBody {
		t.Fatalf("%d %s", r.StatusCode, r.body)
	}
	for name, want := range map[string]string{"Content-Type": "application/json", "Cache-Control": "no-store", "Pragma": "no-cache"} {
		if got := r.Header.Get(name); got != want {
			t.Errorf("%s: %q", name, got)
		}
	}
	r = w.token(refreshForm("scope=a", "resource=https://a.example", "code_verifier="+verifier))
	if r.StatusCode != http.StatusOK || r.body != answerBody {
		t.Fatalf("refresh: %d %s", r.StatusCode, r.body)
	}
	wantRequests := []asRequest{{
		Path: "/token", Basic: true, User: "proxy+client", Secret: asSecret,
		Form: url.Values{
			"grant_type": {"authorization_code"}, "code": {asCode}, "redirect_uri": {"https://pkce.example.com/callback"},
			"resource": {"https://a.example", "https://b.example"}, "unknown": {"x"},
		},
	}, {
		Path: "/token", Basic: true, User: "proxy+client", Secret: asSecret,
		Form: url.Values{
			"grant_type": {"refresh_token"}, "refresh_token": {"rt-c4nary"}, "scope": {"a"}, "resource": {"https://a.example"},
		},
	}}
	if diff := cmp.Diff(wantRequests, w.as.got()); diff != "" {
		t.Error("the AS was asked", diff)
	}
}

// Nothing is stored: each step runs on another replica.
func TestEachStepOnAnotherReplica(t *testing.T) {
	w := newWorld(t)
	second, third := w.replica(), w.replica()
	state := w.authorize()
	_, q := w.location(w.get(second.URL, "/callback", url.Values{"state": {state}, "code": {asCode}}))
	if r := w.post(third.URL, "/oauth/token", tokenForm(q.Get("code"))); r.body != answerBody {
		t.Fatalf("%d %s", r.StatusCode, r.body)
	}
	if r := w.post(second.URL, "/oauth/token", refreshForm()); r.body != answerBody {
		t.Fatalf("refresh: %d %s", r.StatusCode, r.body)
	}
}

// A client that listens on a free port of the loopback address.
func TestLoginOnLoopback(t *testing.T) {
	w := newWorld(t)
	uri := "http://127.0.0.1:49152/native"
	code := w.code("redirect_uri=" + uri)
	wantError(t, w.token(tokenForm(code, "redirect_uri=http://127.0.0.1:49153/native")), 400, "invalid_grant")
	if r := w.token(tokenForm(code, "redirect_uri="+uri)); r.body != answerBody {
		t.Fatalf("%d %s", r.StatusCode, r.body)
	}
}

func TestPlainWhenAllowed(t *testing.T) {
	w := newWorld(t, func(c *pkceproxy.Config) { c.AllowPlain = true })
	for _, method := range []string{"code_challenge_method=plain", "code_challenge_method="} {
		code := w.codeFor("code"+method, "code_challenge="+verifier, method)
		wantError(t, w.token(tokenForm(code, "code_verifier="+strings.Repeat("x", 45))), 400, "invalid_grant")
		if r := w.token(tokenForm(code)); r.body != answerBody {
			t.Fatalf("%s: %d %s", method, r.StatusCode, r.body)
		}
	}
	// The challenge of S256 is no verifier.
	code := w.codeFor("s256", "code_challenge_method=S256")
	wantError(t, w.token(tokenForm(code, "code_verifier="+challenge)), 400, "invalid_grant")
}

// The AS's authorization URL may have a query of its own (RFC 6749 3.1); what
// the operator fixed there stands.
func TestAuthorizationURLWithQuery(t *testing.T) {
	w := newWorld(t, func(c *pkceproxy.Config) { c.AuthURL += "?p=login%20policy&audience=api" })
	r := w.get(w.proxy.URL, "/oauth/authorize", with(goodRequest(), "audience=evil"))
	if !strings.HasPrefix(r.Header.Get("Location"), w.as.URL+"/authorize?p=login%20policy&audience=api&") {
		t.Fatal(r.Header.Get("Location"))
	}
	if _, q := w.location(r); len(q["audience"]) != 1 || q.Get("scope") != "openid a" {
		t.Error(q)
	}
}

func TestClientAuthenticationAtTheAS(t *testing.T) {
	onlyPost := func(w http.ResponseWriter, r *http.Request) {
		if _, _, basic := r.BasicAuth(); basic {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		_, _ = w.Write([]byte(answerBody))
	}
	onlyPost400 := func(w http.ResponseWriter, r *http.Request) {
		if _, _, basic := r.BasicAuth(); basic {
			w.WriteHeader(http.StatusBadRequest)
			_, _ = w.Write([]byte("{\"error\":\"invalid_client\",\"error_description\":\"caf\xe9\"}"))
			return
		}
		_, _ = w.Write([]byte(answerBody))
	}
	for _, tt := range []struct {
		name   string
		method authserver.AuthMethod
		does   http.HandlerFunc
		basic  []bool // of each request, over two refreshes
	}{
		{"auto, Basic works", "", nil, []bool{true, true}},
		{"auto, form by 401", authserver.AuthAuto, onlyPost, []bool{true, false, false}},
		{"auto, form by 400", authserver.AuthAuto, onlyPost400, []bool{true, false, false}},
		{"basic", authserver.AuthBasic, nil, []bool{true, true}},
		{"post", authserver.AuthPost, nil, []bool{false, false}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, func(c *pkceproxy.Config) { c.AuthMethod = tt.method })
			w.as.does(tt.does)
			for range 2 {
				if r := w.token(refreshForm()); r.body != answerBody {
					t.Fatalf("%d %s", r.StatusCode, r.body)
				}
			}
			var basic []bool
			for _, r := range w.as.got() {
				basic = append(basic, r.Basic)
				if !r.Basic && (r.Form.Get("client_id") != "proxy client" || r.Form.Get("client_secret") != asSecret) {
					t.Error("credentials", r.Form)
				}
			}
			if diff := cmp.Diff(tt.basic, basic); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// The code reaches an AS that wants form parameters, too: the first try did not
// use it up.
func TestCodeWhileTheMethodIsUnknown(t *testing.T) {
	w := newWorld(t)
	w.as.does(func(rw http.ResponseWriter, r *http.Request) {
		if _, _, basic := r.BasicAuth(); basic {
			rw.WriteHeader(http.StatusUnauthorized)
			return
		}
		_, _ = rw.Write([]byte(answerBody))
	})
	if r := w.token(tokenForm(w.code())); r.body != answerBody {
		t.Fatalf("%d %s", r.StatusCode, r.body)
	}
}

// A dead refresh token that is answered 401 must not settle the wrong method.
func TestDeadTokenSettlesNoMethod(t *testing.T) {
	w := newWorld(t)
	w.as.does(func(rw http.ResponseWriter, r *http.Request) {
		if _, _, basic := r.BasicAuth(); basic {
			rw.WriteHeader(http.StatusUnauthorized)
			return
		}
		rw.WriteHeader(http.StatusBadRequest)
		_, _ = rw.Write([]byte(`{"error":"invalid_request"}`))
	})
	w.token(refreshForm())
	w.as.got()
	w.as.does(nil)
	w.token(refreshForm())
	if got := w.as.got(); len(got) != 1 || !got[0].Basic {
		t.Errorf("asked %+v, want one request by Basic", got)
	}
}
