package pkceproxy_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"oauth-agent/agent/internal/pkceproxy"
)

// What the AS answers, and what the client is told. Both grants and the
// revocation go the same way.
func TestAnswersOfTheAS(t *testing.T) {
	hang := func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	for _, tt := range []struct {
		name   string
		does   http.HandlerFunc
		status int
		code   string
		body   string // "" : an error of the proxy's making
	}{
		{"success", says(200, answerBody), 200, "", answerBody},
		{"a refusal", says(400, `{"error":"invalid_grant","x":1}`), 400, "invalid_grant", `{"error":"invalid_grant","x":1}`},
		{"the status stays", says(403, `{"error":"access_denied"}`), 403, "access_denied", `{"error":"access_denied"}`},
		{"the proxy's secret is wrong", says(401, `{"error":"invalid_client"}`), 401, "invalid_client", `{"error":"invalid_client"}`},
		{"a refusal as 200", says(200, `{"error":"bad_verification_code"}`), 400, "bad_verification_code", `{"error":"bad_verification_code"}`},
		{"400 empty", says(400, ""), 400, "invalid_grant", ""},
		{"401 empty", says(401, ""), 400, "invalid_grant", ""},
		{"403 HTML", says(403, "<html>"), 400, "invalid_grant", ""},
		{"404 HTML", says(404, "<html>"), 400, "invalid_request", ""},
		{"400 JSON of another form", says(400, `{"error":{"code":1}}`), 400, "invalid_grant", ""},
		{"400 in capitals", says(400, `{"ERROR":"invalid_grant"}`), 400, "invalid_grant", ""},
		{"400 of two minds", says(400, `{"error":"slow_down","error":"access_denied"}`), 400, "invalid_grant", ""},
		{"400 with characters that no code has", says(400, `{"error":"a\"b é"}`), 400, "invalid_grant", ""},
		{"400 JSON array", says(400, `["error"]`), 400, "invalid_grant", ""},
		{"408", says(408, ""), 503, "temporarily_unavailable", ""},
		{"429", says(429, "slow down"), 503, "temporarily_unavailable", ""},
		{"429 with JSON", says(429, `{"error":"slow_down"}`), 429, "slow_down", `{"error":"slow_down"}`},
		{"500", says(500, `{"error":"server_error"}`), 502, "server_error", ""},
		{"503 HTML", says(503, "<html>"), 502, "server_error", ""},
		{"200 HTML", says(200, "<html>"), 502, "server_error", ""},
		{"200 empty", says(200, ""), 502, "server_error", ""},
		{"200 array", says(200, `[{"access_token":"x"}]`), 502, "server_error", ""},
		{"200 without access token", says(200, `{"token_type":"Bearer"}`), 502, "server_error", ""},
		{"200 with a number for a token", says(200, `{"access_token":1}`), 502, "server_error", ""},
		{"200 in capitals", says(200, `{"Access_Token":"x"}`), 502, "server_error", ""},
		{"200 in Latin-1", says(200, "{\"access_token\":\"x\",\"name\":\"caf\xe9\"}"), 200, "", "{\"access_token\":\"x\",\"name\":\"caf\xe9\"}"},
		{"an error of odd characters as 200", says(200, `{"error":"a\"b"}`), 400, "invalid_request", ""},
		{"an error of another form as 200", says(200, `{"error":{"code":1}}`), 502, "server_error", ""},
		{"200 with an odd member", says(200, `{"access_token":"x","refresh_token":false}`), 200, "", `{"access_token":"x","refresh_token":false}`},
		{"redirect", says(302, ""), 502, "server_error", ""},
		{"too large", says(200, strings.Repeat(" ", 1<<20+1)), 502, "server_error", ""},
		{"too slow", hang, 502, "server_error", ""},
		{"resets", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, 502, "server_error", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			w.as.does(tt.does)
			for _, form := range []url.Values{tokenForm(w.code()), refreshForm()} {
				r := w.token(form)
				if tt.code != "" {
					wantError(t, r, tt.status, tt.code)
				}
				if r.StatusCode != tt.status || (tt.body != "" && r.body != tt.body) {
					t.Errorf("%s: %d %s", form.Get("grant_type"), r.StatusCode, r.body)
				}
			}
		})
	}
}

func says(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", "https://elsewhere.example/")
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}
}

func TestASIsDown(t *testing.T) {
	w := newWorld(t)
	form := tokenForm(w.code())
	w.as.Close()
	wantError(t, w.token(form), http.StatusBadGateway, "server_error")
	wantError(t, w.token(refreshForm()), http.StatusBadGateway, "server_error")
}

func TestRetryAfterIsPassedOn(t *testing.T) {
	w := newWorld(t)
	w.as.does(func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Retry-After", "7")
		rw.WriteHeader(http.StatusTooManyRequests)
	})
	r := w.token(refreshForm())
	wantError(t, r, http.StatusServiceUnavailable, "temporarily_unavailable")
	if r.Header.Get("Retry-After") != "7" {
		t.Error(r.Header)
	}
}

// A 401 names a scheme (RFC 9110 15.5.2), whoever says it.
func TestUnauthorizedHasAChallenge(t *testing.T) {
	w := newWorld(t)
	w.as.replies(401, `{"error":"invalid_client"}`)
	for _, r := range []response{
		w.token(refreshForm()),
		w.post(w.proxy.URL, "/oauth/revoke", url.Values{"token": {"t"}, "client_id": {clientID}}),
	} {
		wantError(t, r, http.StatusUnauthorized, "invalid_client")
		if !strings.HasPrefix(r.Header.Get("WWW-Authenticate"), "Basic ") {
			t.Errorf("no challenge: %v", r.Header)
		}
	}
	w.as.replies(400, `{"error":"invalid_grant"}`)
	if r := w.token(refreshForm()); r.Header.Get("WWW-Authenticate") != "" {
		t.Error("a challenge without 401")
	}
}

func TestRevoke(t *testing.T) {
	w := newWorld(t)
	revoke := func(changes ...string) response {
		return w.post(w.proxy.URL, "/oauth/revoke", with(url.Values{
			"token": {"t"}, "token_type_hint": {"refresh_token"}, "client_id": {clientID}}, changes...))
	}
	for _, body := range []string{"", "<html>", answerBody} {
		w.as.replies(200, body)
		if r := revoke(); r.StatusCode != 200 || r.body != "" || r.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%d %s", r.StatusCode, r.body)
		}
		got := w.as.got()[0]
		if got.Path != "/revoke" || got.Secret != asSecret || got.Form.Encode() != "token=t&token_type_hint=refresh_token" {
			t.Errorf("the AS was asked %+v", got)
		}
	}
	w.as.replies(200, `{"error":"unsupported_token_type"}`)
	wantError(t, revoke(), 400, "unsupported_token_type")
	// The token still works, in whatever words the server says so.
	for _, body := range []string{`{"error":"a \"b\""}`, `{"error":"x","error":"x"}`, `{"Error":"x"}`, `{"error":1}`, "{\"error\":\"x\",\"error_description\":\"caf\xe9\"}"} {
		w.as.replies(200, body)
		wantError(t, revoke(), 400, "invalid_request")
	}
	w.as.replies(400, `{"error":"unsupported_token_type"}`)
	wantError(t, revoke(), 400, "unsupported_token_type")
	w.as.replies(400, "")
	wantError(t, revoke(), 400, "invalid_request")
	w.as.replies(503, "")
	wantError(t, revoke(), 502, "server_error")
	wantError(t, revoke("token="), 400, "invalid_request")
	wantError(t, revoke("client_id="), 400, "invalid_request")
	wantError(t, revoke("client_secret=x"), 400, "invalid_client")
	wantError(t, w.postRaw(w.proxy.URL, "/oauth/revoke", "application/json", "{}"), 400, "invalid_request")
}

func TestWithoutRevocation(t *testing.T) {
	w := newWorld(t, func(c *pkceproxy.Config) { c.RevocationURL = "" })
	if r := w.post(w.proxy.URL, "/oauth/revoke", url.Values{"token": {"t"}, "client_id": {clientID}}); r.StatusCode != 404 {
		t.Errorf("%d", r.StatusCode)
	}
}
