package authserver

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"oauth-agent/agent/internal/authserver/authservertest"
	"oauth-agent/agent/internal/secret"
)

func TestUserinfo(t *testing.T) {
	challenge := func(value string, status int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("WWW-Authenticate", value)
			authservertest.Reply(w, status, "")
		}
	}
	answer := func(status int, body any) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { authservertest.Reply(w, status, body) }
	}
	for _, tt := range []struct {
		name, sub string
		h         http.HandlerFunc
		want      error
	}{
		{"good", "alice", nil, nil},
		{"not compared", "", nil, nil},
		{"wrong content type", "alice", answer(200, ` {"sub":"alice"}`), nil},
		{"no sub, not compared", "", answer(200, m{"login": "alice"}), nil},
		{"another sub", "bob", nil, ErrUnavailable},
		{"sub in another case", "alice", answer(200, m{"Sub": "alice"}), ErrUnavailable},
		{"no sub", "alice", answer(200, m{}), ErrUnavailable},
		{"sub a number", "5", answer(200, m{"sub": 5}), ErrUnavailable},
		{"JWT", "alice", answer(200, "eyJhbGciOiJub25lIn0.e30."), ErrUnavailable},
		{"401", "alice", answer(401, ""), ErrTokenExpired},
		{"401, HTML", "alice", answer(401, "<p>c4nary</p>"), ErrTokenExpired},
		{"403", "alice", answer(403, m{"error": "insufficient_scope"}), ErrForbidden},
		{"403, empty", "alice", answer(403, ""), ErrForbidden},
		{"403, words", "alice", answer(403, m{"error": "Forbidden"}), ErrForbidden},
		{"403, HTML", "alice", answer(403, "<p>c4nary</p>"), ErrUnavailable},
		{"403 temporarily_unavailable", "alice", answer(403, m{"error": "temporarily_unavailable"}), ErrUnavailable},
		{"403 invalid_token in the header", "alice", challenge(`Bearer error="invalid_token"`, 403), ErrTokenExpired},
		{"403 invalid_token in the body", "alice", answer(403, m{"error": "invalid_token"}), ErrTokenExpired},
		{"500 invalid_token in the header", "alice", challenge(`DPoP realm="x", Bearer error=invalid_token, realm="x"`, 500), ErrTokenExpired},
		{"200 invalid_token", "", answer(200, m{"error": "invalid_token"}), ErrTokenExpired},
		{"200 invalid_token, form", "", answer(200, "error=invalid_token"), ErrTokenExpired},
		{"200, another error", "", answer(200, m{"error": "c4nary text"}), ErrUnavailable},
		{"400 invalid_token in the header", "alice", challenge(`Bearer realm="x", error="invalid_token"`, 400), ErrTokenExpired},
		{"400 with blanks", "alice", challenge(`Bearer error = "invalid_token", error_description="c4nary"`, 400), ErrTokenExpired},
		{"400 unquoted", "alice", challenge(`Bearer error=invalid_token`, 400), ErrTokenExpired},
		{"400 invalid_token in the body", "alice", answer(400, m{"error": "invalid_token"}), ErrTokenExpired},
		{"400 other", "alice", answer(400, m{"error": "invalid_request", "error_description": "c4nary invalid_token"}), ErrUnavailable},
		{"400 other in the header", "alice", challenge(`Bearer error="invalid_request", error_description="no invalid_token"`, 400), ErrUnavailable},
		{"404", "alice", answer(404, "c4nary"), ErrUnavailable},
	} {
		t.Run(tt.name, func(t *testing.T) {
			as := newAS(t)
			c := as.client()
			as.Handle("/userinfo", tt.h)
			got, err := c.Userinfo(t.Context(), secret.New("access-1"), tt.sub)
			if !errors.Is(err, tt.want) || (err == nil) != (tt.want == nil) {
				t.Errorf("error is %v, want %v", err, tt.want)
			}
			if err == nil && len(got) == 0 {
				t.Error("no answer")
			}
			if err != nil && strings.Contains(err.Error(), "c4nary") {
				t.Errorf("error quotes the server: %v", err)
			}
		})
	}
}

func TestUserinfoPassesTheBytes(t *testing.T) {
	const body = "{ \"sub\" : \"alice\",\n \"n\": 12345678901234567890, \"name\":\"Älice\" }"
	as := newAS(t)
	var bearer string
	as.Handle("/userinfo", func(w http.ResponseWriter, r *http.Request) {
		bearer = r.Header.Get("Authorization")
		authservertest.Reply(w, 200, body)
	})
	got, err := as.client().Userinfo(t.Context(), secret.New("access-1"), "alice")
	if err != nil || string(got) != body {
		t.Errorf("%s, %v", got, err)
	}
	if bearer != "Bearer access-1" {
		t.Errorf("Authorization %q", bearer)
	}
}

func TestNoUserinfo(t *testing.T) {
	as := newAS(t)
	delete(as.Metadata, "userinfo_endpoint")
	if _, err := as.client().Userinfo(t.Context(), secret.New("a"), ""); !errors.Is(err, ErrNoUserinfo) {
		t.Errorf("error is %v", err)
	}
}
