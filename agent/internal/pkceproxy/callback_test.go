package pkceproxy_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"oauth-agent/agent/internal/pkceproxy"
	"oauth-agent/agent/internal/secret"
)

func TestCallbackRefusesStates(t *testing.T) {
	w := newWorld(t)
	foreign := newWorld(t, func(c *pkceproxy.Config) { c.EncryptionKey = secret.New(strings.Repeat("x", 32)) })
	otherSigner := newWorld(t, func(c *pkceproxy.Config) { c.SigningKey = secret.New(strings.Repeat("x", 32)) })
	otherIssuer := newWorld(t, func(c *pkceproxy.Config) { c.RedirectURL = "https://other.example.com/callback" })
	state := w.authorize()
	for name, q := range map[string]url.Values{
		"none":           {"code": {"c"}},
		"empty":          {"code": {"c"}, "state": {""}},
		"plain":          {"code": {"c"}, "state": {"abc"}},
		"client's own":   {"code": {"c"}, "state": {clientState}},
		"foreign":        {"code": {"c"}, "state": {foreign.authorize()}},
		"other signer":   {"code": {"c"}, "state": {otherSigner.authorize()}},
		"other issuer":   {"code": {"c"}, "state": {otherIssuer.authorize()}},
		"a code":         {"code": {"c"}, "state": {w.code()}},
		"cut":            {"code": {"c"}, "state": {state[:len(state)-1]}},
		"longer":         {"code": {"c"}, "state": {state + "A"}},
		"newline":        {"code": {"c"}, "state": {state + "\n"}},
		"twice":          {"code": {"c"}, "state": {state, state}},
		"code twice":     {"code": {"c", "c"}, "state": {state}},
		"error twice":    {"error": {"c", "c"}, "state": {state}},
		"huge":           {"code": {"c"}, "state": {strings.Repeat("A", 13<<10)}},
		"too long query": {"code": {strings.Repeat("c", 33<<10)}, "state": {state}},
	} {
		t.Run(name, func(t *testing.T) { wantPage(t, w.get(w.proxy.URL, "/callback", q)) })
	}
}

func TestStateExpires(t *testing.T) {
	w := newWorld(t)
	q := url.Values{"state": {w.authorize()}, "code": {"c"}}
	w.clock.Add(10*time.Minute - time.Second)
	w.location(w.get(w.proxy.URL, "/callback", q))
	w.clock.Add(time.Second)
	wantPage(t, w.get(w.proxy.URL, "/callback", q))
}

// A replica whose clock is behind takes what another has just made, within
// reason.
func TestClockSkewBetweenReplicas(t *testing.T) {
	w := newWorld(t)
	q := url.Values{"state": {w.authorize()}, "code": {"c"}}
	w.clock.Add(-time.Minute)
	w.location(w.get(w.proxy.URL, "/callback", q))
	w.clock.Add(-time.Second)
	wantPage(t, w.get(w.proxy.URL, "/callback", q))
}

// The settings may have changed since the state was made.
func TestCallbackChecksTheListsAgain(t *testing.T) {
	w := newWorld(t)
	q := url.Values{"state": {w.authorize()}, "code": {"c"}}
	w.cfg.AllowedRedirectURIs = []string{webURI}
	wantPage(t, w.get(w.replica().URL, "/callback", q))
	w.cfg.AllowedRedirectURIs = []string{redirectURI}
	w.cfg.AllowedClientIDs = []string{"another"}
	wantPage(t, w.get(w.replica().URL, "/callback", q))
}

func TestErrorsOfTheASArePassedOn(t *testing.T) {
	w := newWorld(t)
	for _, tt := range []struct {
		name string
		sent url.Values
		want url.Values
	}{
		{"refused by the user",
			url.Values{"error": {"access_denied"}, "error_description": {"The user said no."}, "error_uri": {"https://as/e?x=y"}},
			url.Values{"error": {"access_denied"}, "error_description": {"The user said no."}, "error_uri": {"https://as/e?x=y"}}},
		{"login required", url.Values{"error": {"login_required"}}, url.Values{"error": {"login_required"}}},
		{"error and code", url.Values{"error": {"access_denied"}, "code": {"c"}}, url.Values{"error": {"access_denied"}}},
		{"the AS's iss is not ours", url.Values{"error": {"access_denied"}, "iss": {"https://as"}}, url.Values{"error": {"access_denied"}}},
		{"odd characters",
			url.Values{"error": {`a"b`}, "error_description": {"\xff"}, "error_uri": {"a\nb"}},
			url.Values{"error": {"server_error"}}},
		{"too long",
			url.Values{"error": {strings.Repeat("e", 65)}, "error_description": {strings.Repeat("d", 513)}},
			url.Values{"error": {"server_error"}}},
		{"neither", url.Values{}, url.Values{"error": {"server_error"}}},
		{"empty code", url.Values{"code": {""}}, url.Values{"error": {"server_error"}}},
		{"code too long", url.Values{"code": {strings.Repeat("c", 4097)}}, url.Values{"error": {"server_error"}}},
		{"code not printable", url.Values{"code": {"c\x00"}}, url.Values{"error": {"server_error"}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.sent.Set("state", w.authorize())
			to, q := w.location(w.get(w.proxy.URL, "/callback", tt.sent))
			tt.want.Set("state", clientState)
			tt.want.Set("iss", "https://pkce.example.com")
			if diff := cmp.Diff(tt.want, q); diff != "" || to != redirectURI {
				t.Error(to, diff)
			}
		})
	}
}

// Large codes, as some servers make them, go through.
func TestLargestCode(t *testing.T) {
	w := newWorld(t)
	large := strings.Repeat("c", 4096)
	code := w.codeFor(large, "redirect_uri="+webURI)
	if r := w.token(tokenForm(code, "redirect_uri="+webURI)); r.body != answerBody {
		t.Fatalf("%d %s", r.StatusCode, r.body)
	}
	if got := w.as.got(); got[0].Form.Get("code") != large {
		t.Error("another code arrived")
	}
}
