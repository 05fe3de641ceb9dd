package pkceproxy_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"oauth-agent/agent/internal/pkceproxy"
)

// oauth-pkce-proxy allocated the nonce of AES-GCM and never filled it: equal
// plaintexts gave equal ciphertexts, and the tags could be forged.
func TestNonceIsFreshUnlikeOAuthPKCEProxy(t *testing.T) {
	w := newWorld(t)
	nonces := map[string]bool{}
	for range 200 {
		for _, text := range []string{w.authorize(), w.code()} {
			nonces[strings.Split(text, ".")[2]] = true
		}
	}
	if len(nonces) != 400 || nonces["AAAAAAAAAAAAAAAA"] {
		t.Errorf("%d nonces in 400 envelopes", len(nonces))
	}
}

// In oauth-pkce-proxy state and code were interchangeable, and a state that was
// presented as a code sliced an empty buffer: a panic.
func TestStateIsNoCodeUnlikeOAuthPKCEProxy(t *testing.T) {
	w := newWorld(t)
	wantError(t, w.token(tokenForm(w.authorize())), http.StatusBadRequest, "invalid_grant")
	wantPage(t, w.get(w.proxy.URL, "/callback", url.Values{"state": {w.code()}, "code": {"c"}}))
}

// oauth-pkce-proxy, danpalmer/pkce-proxy and bwilczynski's took any
// redirect_uri, and so handed codes to whoever asked.
func TestNoOpenRedirectorUnlikePKCEProxies(t *testing.T) {
	w := newWorld(t)
	for _, path := range []string{"/oauth/authorization", "/oauth/authorize"} {
		wantPage(t, w.get(w.proxy.URL, path, with(goodRequest(), "redirect_uri=https://evil.example/")))
	}
	cfg := config(w.as.URL, "https://pkce.example.com")
	cfg.AllowedRedirectURIs = nil
	if _, err := pkceproxy.New(cfg, pkceproxy.Options{}); err == nil {
		t.Error("it starts without a list")
	}
}

// oauth-pkce-proxy documented one path and served the other.
func TestBothPathsUnlikeOAuthPKCEProxy(t *testing.T) {
	w := newWorld(t)
	for _, path := range []string{"/oauth/authorization", "/oauth/authorize"} {
		if to, _ := w.location(w.get(w.proxy.URL, path, goodRequest())); to != w.as.URL+"/authorize" {
			t.Errorf("%s: to %s", path, to)
		}
	}
}

// danpalmer/pkce-proxy echoed code and verifier in its error pages. No error,
// page, redirect or log line here holds a secret, a code, a token or a
// verifier.
func TestNothingLeaksUnlikePKCEProxy(t *testing.T) {
	w := newWorld(t)
	var seen []string
	note := func(r response) { seen = append(seen, r.body, r.Header.Get("Location")) }

	state, code := w.authorize(), w.code()
	wrong := strings.Repeat("wrong", 9)
	note(w.get(w.proxy.URL, "/callback", url.Values{"state": {state + "A"}, "code": {asCode}}))
	note(w.get(w.proxy.URL, "/callback", url.Values{"state": {state, state}, "code": {asCode}}))
	note(w.get(w.proxy.URL, "/oauth/authorization", with(goodRequest(), "redirect_uri="+code)))
	note(w.token(tokenForm(code, "code_verifier="+wrong)))
	note(w.token(tokenForm(code + "A")))
	note(w.token(tokenForm(code, "client_secret="+asSecret)))
	note(w.postRaw(w.proxy.URL, "/oauth/token", "application/x-www-form-urlencoded", "code="+asCode+"%zz"))
	note(w.postRaw(w.proxy.URL, "/oauth/token", "application/json", asCode))
	w.as.does(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	note(w.token(tokenForm(code)))
	note(w.token(tokenForm(code)))
	note(w.token(refreshForm()))
	for _, answer := range []http.HandlerFunc{says(500, answerBody), says(302, answerBody), says(401, `{"error":"invalid_client"}`)} {
		w.as.does(answer)
		note(w.token(refreshForm()))
	}
	w.clock.Add(time.Hour)
	note(w.get(w.proxy.URL, "/callback", url.Values{"state": {state}, "code": {asCode}}))
	note(w.token(tokenForm(code)))

	seen = append(seen, w.log.String())
	if !strings.Contains(w.log.String(), "invalid_grant") {
		t.Fatal("the log is empty")
	}
	for _, secret := range []string{"c4nary", verifier, wrong, state, code, "AAAA", strings.Repeat("s", 32), strings.Repeat("e", 32)} {
		for _, text := range seen {
			if strings.Contains(text, secret) {
				t.Errorf("%q in %q", secret, text)
			}
		}
	}
}
