package main

import (
	"net/http"
	"testing"

	"oauth-agent/test/idp"
)

// logIn is a session of ada's, with its CSRF token.
func (r *running) logIn() (csrf string) {
	r.t.Helper()
	begun := r.call("POST", "/oauth-agent/login/start", struct{}{})
	location, err := idp.Login(r.t.Context(), r.client, begun["authorizationRequestUrl"].(string), "ada", "ada")
	if err != nil {
		r.t.Fatal(err)
	}
	return r.call("POST", "/oauth-agent/login/end", map[string]string{"pageUrl": location})["csrf"].(string)
}

// status sends what the page would send, but for the headers given.
func (r *running) status(method, path string, header map[string]string) int {
	r.t.Helper()
	req, err := http.NewRequestWithContext(r.t.Context(), method, r.origin+path, nil)
	if err != nil {
		r.t.Fatal(err)
	}
	req.Header.Set("Origin", r.origin)
	for name, value := range header {
		req.Header.Set(name, value)
	}
	res, err := r.client.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	_ = res.Body.Close()
	return res.StatusCode
}

func TestControls(t *testing.T) {
	t.Parallel()
	r := start(t, "-port", "0", "-outage", "1m")
	csrf := map[string]string{"x-agent-csrf": r.logIn()}
	if got := r.status("GET", "/api/orders", nil); got != http.StatusOK {
		t.Errorf("orders: %d", got)
	}
	r.call("POST", "/oauth-agent/demo/kill-access-tokens", nil)
	if got := r.status("GET", "/api/orders", nil); got != http.StatusUnauthorized {
		t.Errorf("orders with a dead token: %d", got)
	}
	if got := r.status("POST", "/oauth-agent/refresh", csrf); got != http.StatusNoContent {
		t.Errorf("refresh: %d", got)
	}
	r.call("POST", "/oauth-agent/demo/outage", nil)
	if got := r.status("GET", "/oauth-agent/userInfo", nil); got != http.StatusBadGateway {
		t.Errorf("user info in an outage: %d", got)
	}
	if got := r.status("GET", "/api/orders", nil); got != http.StatusOK {
		t.Errorf("orders in an outage: %d", got)
	}
}

func TestEndedSession(t *testing.T) {
	t.Parallel()
	r := start(t, "-port", "0")
	csrf := map[string]string{"x-agent-csrf": r.logIn()}
	r.call("POST", "/oauth-agent/demo/end-sessions", nil)
	if got := r.status("POST", "/oauth-agent/refresh", csrf); got != http.StatusUnauthorized {
		t.Errorf("refresh: %d", got)
	}
	if r.call("GET", "/oauth-agent/session", nil)["isLoggedIn"] != false {
		t.Error("still logged in")
	}
}

func TestControlsAreForOurPage(t *testing.T) {
	t.Parallel()
	r := start(t, "-port", "0")
	for _, path := range []string{"kill-access-tokens", "end-sessions", "outage"} {
		path = "/oauth-agent/demo/" + path
		for _, header := range []map[string]string{
			{"Origin": ""}, {"Origin": "http://evil.example"}, {"Origin": "null"},
			{"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"},
		} {
			if got := r.status("POST", path, header); got != http.StatusForbidden {
				t.Errorf("%s with %v: %d", path, header, got)
			}
		}
		// What is no control is the agent's to answer.
		if got := r.status("GET", path, nil); got == http.StatusOK {
			t.Errorf("GET %s: %d", path, got)
		}
	}
}
