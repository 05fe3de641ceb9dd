package authserver

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"oauth-agent/agent/internal/secret"

	"oauth-agent/agent/internal/authserver/authservertest"
)

func TestTryClient(t *testing.T) {
	for _, tt := range []struct {
		name, body string
		status     int
		want       TrialVerdict
	}{
		{"the code is refused", `{"error":"invalid_grant"}`, 400, ClientAccepted},
		{"the code is refused by 403", `{"error":"invalid_grant"}`, 403, ClientAccepted},
		{"the code is refused by 200", `error=bad_verification_code`, 200, ClientAccepted},
		{"the client is refused", `{"error":"invalid_client"}`, 401, ClientRefused},
		{"the client is refused by 400", `{"error":"invalid_client"}`, 400, ClientRefused},
		{"the client is refused by 200", `error=incorrect_client_credentials`, 200, ClientRefused},
		{"the client is refused in other words", `{"error":"access_denied"}`, 401, ClientRefused},
		{"the client may not use codes", `{"error":"unauthorized_client"}`, 400, ClientRefused},
		{"the request is refused", `{"error":"invalid_request"}`, 400, ClientUnclear},
		{"without a reason", ``, 400, ClientUnclear},
		{"by a firewall", `<html>`, 403, ClientUnclear},
		{"by a limit", `{"error":"invalid_client"}`, 429, ClientUnclear},
		{"tokens, for nothing", `{"access_token":"x","token_type":"Bearer"}`, 200, ClientUnclear},
	} {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_ = r.ParseForm()
			if code := r.Form.Get("code"); !strings.HasPrefix(code, "oauth-agent-check-") || r.Form.Get("redirect_uri") != "https://www.example.com/" ||
				(r.Form.Get("code_verifier") != "") != (r.Form.Get("grant_type") == "authorization_code" && r.URL.Path == "/pkce") {
				t.Errorf("%s: form %v", tt.name, r.Form)
			}
			w.WriteHeader(tt.status)
			_, _ = io.WriteString(w, tt.body)
		}))
		h := NewHTTP(nil, 10*time.Second)
		for _, pkce := range []bool{true, false} {
			path := map[bool]string{true: "/pkce", false: "/plain"}[pkce]
			got, err := h.TryClient(t.Context(), srv.URL+path, "https://www.example.com/", Credentials{ID: "spa", Secret: secret.New("c4nary")}, AuthBasic, pkce)
			if err != nil || got.Verdict != tt.want || got.Reason == "" || strings.Contains(got.Reason, "c4nary") {
				t.Errorf("%s: %+v, %v", tt.name, got, err)
			}
		}
		srv.Close()
	}
}

// Where nobody says how the client authenticates, either way will do.
func TestTryClientFindsTheMethod(t *testing.T) {
	for _, right := range []AuthMethod{AuthBasic, AuthPost, "neither"} {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _, basic := r.BasicAuth()
			if right == AuthBasic && basic || right == AuthPost && r.FormValue("client_secret") != "" {
				authservertest.Reply(w, 400, map[string]string{"error": "invalid_grant"})
				return
			}
			authservertest.Reply(w, 401, map[string]string{"error": "invalid_client"})
		}))
		got, err := NewHTTP(nil, 10*time.Second).TryClient(t.Context(), srv.URL, "https://www.example.com/", Credentials{ID: "spa", Secret: secret.New("c4nary")}, AuthAuto, false)
		if want := map[bool]TrialVerdict{true: ClientRefused, false: ClientAccepted}[right == "neither"]; err != nil || got.Verdict != want {
			t.Errorf("%s: %+v, %v", right, got, err)
		}
		srv.Close()
	}
	_, err := NewHTTP(nil, 10*time.Second).TryClient(t.Context(), "http://127.0.0.1:1/token", "https://www.example.com/", Credentials{}, AuthAuto, false)
	if err == nil {
		t.Error("nobody there, and no error")
	}
}
