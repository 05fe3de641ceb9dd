package authserver

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"oauth-agent/agent/internal/authserver/authservertest"
)

func TestProbe(t *testing.T) {
	status := func(code int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "/elsewhere?c4nary")
			authservertest.Reply(w, code, "c4nary")
		}
	}
	for _, tt := range []struct {
		name        string
		token, keys http.HandlerFunc
		scope       string
		wantToken   string // in its error; empty: none
		wantKeys    string
	}{
		{name: "all there"},
		{name: "not for GET", token: status(405)},
		{name: "nothing for GET", token: status(404)},
		{name: "a login page", token: status(302)},
		{name: "a fault", token: status(500)},
		{name: "a gateway before nobody", token: status(502), wantToken: "status 502"},
		{name: "a balancer before nobody", token: status(503), wantToken: "status 503"},
		{name: "silent", token: hang, wantToken: "deadline"},
		{name: "no keys", keys: status(404), wantKeys: "status 404"},
		{name: "no key set", keys: status(200), wantKeys: "key set"},
		{name: "no usable key", keys: func(w http.ResponseWriter, _ *http.Request) { authservertest.Reply(w, 200, jose.JSONWebKeySet{}) }, wantKeys: "key set"},
		{name: "no keys needed", keys: status(404), scope: "read"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			as := newAS(t)
			as.Handle("/token", tt.token)
			as.Handle("/keys", tt.keys)
			cfg := as.config()
			if tt.scope != "" {
				cfg.Scope = []string{tt.scope}
			}
			got := New(cfg, Options{HTTP: NewHTTP(nil, 500*time.Millisecond), Clock: as.Clock.Now}).Probe(t.Context())
			for _, part := range []struct {
				Part
				want string
			}{{got.Token, tt.wantToken}, {got.Keys, tt.wantKeys}} {
				err := part.Err
				if part.want == "" && err != nil || part.want != "" && (!errors.Is(err, ErrUnavailable) || !strings.Contains(err.Error(), part.want)) {
					t.Errorf("%s: %v, want %q", part.URL, err, part.want)
				}
				if err != nil && strings.Contains(err.Error(), "c4nary") {
					t.Errorf("error quotes the server: %v", err)
				}
			}
			if as.Count("/elsewhere") != 0 {
				t.Error("a redirect was followed")
			}
		})
	}
}

func TestProbeSendsNoSecret(t *testing.T) {
	as := newAS(t)
	as.Handle("/token", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" || r.ContentLength != 0 || r.Method != http.MethodGet {
			t.Errorf("%s with %v", r.Method, r.Header)
		}
	})
	if err := as.client().Probe(t.Context()).Err(); err != nil {
		t.Error(err)
	}
}

func TestProbeWithoutMetadata(t *testing.T) {
	as := newAS(t)
	as.Handle(wellKnownPath, http.NotFound)
	got := as.client().Probe(t.Context())
	if !errors.Is(got.Err(), ErrUnavailable) || got.Token.URL != as.URL {
		t.Errorf("%+v", got)
	}
}
