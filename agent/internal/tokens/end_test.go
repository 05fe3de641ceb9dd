package tokens

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"oauth-agent/agent/internal/authserver"
	"oauth-agent/agent/internal/authserver/authservertest"
	"oauth-agent/agent/internal/secret"
)

// revoked lists what was sent to the revocation endpoint, with its hint.
func (as *fakeAS) revoked() (list []string) {
	as.Mu.Lock()
	defer as.Mu.Unlock()
	for _, f := range as.Forms {
		if f.Has("token") {
			list = append(list, f.Get("token_type_hint")+" "+f.Get("token"))
		}
	}
	return list
}

func (as *fakeAS) wantRevoked(want ...string) {
	as.t.Helper()
	if got := strings.Join(as.revoked(), ", "); got != strings.Join(want, ", ") {
		as.t.Errorf("revoked %q, want %q", got, want)
	}
}

// TestEnd: the newest refresh token is revoked, and no old cookie brings the
// session back (Curity's Node agent left a usable refresh token behind).
func TestEnd(t *testing.T) {
	as := newAS(t)
	c := as.source()
	first := as.enter(c)
	second := mustRefresh(t, c, grantOf(first))
	third := mustRefresh(t, c, grantOf(second))
	if err := c.End(t.Context(), first.Refresh, first.Access); err != nil {
		t.Fatal(err)
	}
	as.wantRevoked("refresh_token refresh-3")
	before := as.Refreshes()
	for _, session := range []authserver.Tokens{first, second, third} {
		if _, err := c.Refresh(t.Context(), grantOf(session)); !errors.Is(err, authserver.ErrSessionOver) {
			t.Errorf("after the end: %v", err)
		}
	}
	if n := as.Refreshes(); n != before {
		t.Error("a dead token was sent to the server")
	}
	if err := c.End(t.Context(), first.Refresh, first.Access); err != nil {
		t.Errorf("a second logout: %v", err)
	}
}

func TestEndWithoutRefreshToken(t *testing.T) {
	as := newAS(t)
	c := as.source()
	if err := c.End(t.Context(), secret.String{}, secret.New("a")); err != nil {
		t.Error(err)
	}
	as.wantRevoked("access_token a")
	if err := c.End(t.Context(), secret.String{}, secret.String{}); err != nil {
		t.Error(err)
	}
	as.wantRevoked("access_token a")
}

// TestEndWithoutRotation: the one token is dead, until a login brings it anew.
func TestEndWithoutRotation(t *testing.T) {
	as := newAS(t)
	as.Set(func() {
		as.Answer = func(url.Values) (int, any) {
			as.Issued++
			body := as.Tokens()
			body["refresh_token"] = "always"
			return 200, body
		}
	})
	c := as.source()
	session := as.enter(c)
	mustRefresh(t, c, grantOf(session))
	if err := c.End(t.Context(), session.Refresh, session.Access); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Refresh(t.Context(), grantOf(session)); !errors.Is(err, authserver.ErrSessionOver) {
		t.Errorf("after the end: %v", err)
	}
	mustRefresh(t, c, grantOf(as.enter(c)))
}

// TestEndDuringRefresh: a refresh that is in the air does not revive the
// session, whichever the server sees first. What the refresh brought is revoked,
// even out of an answer that is unusable.
func TestEndDuringRefresh(t *testing.T) {
	for name, login := range map[string]m{"good answer": nil, "unusable answer": {"sub": "mally"}} {
		t.Run(name+", revoked first", func(t *testing.T) {
			as := newAS(t)
			c := as.source()
			session := as.enter(c)
			as.Set(func() { as.Login = login })
			as.Handle("/token", func(w http.ResponseWriter, r *http.Request) {
				if err := c.End(t.Context(), session.Refresh, session.Access); err != nil {
					t.Error(err)
				}
				as.ServeForm(w, r)
			})
			if _, err := c.Refresh(t.Context(), grantOf(session)); !errors.Is(err, authserver.ErrSessionOver) {
				t.Errorf("error is %v", err)
			}
			as.wantRevoked("refresh_token refresh-1")
		})
		t.Run(name+", rotated first", func(t *testing.T) {
			as := newAS(t)
			c := as.source()
			session := as.enter(c)
			as.Set(func() { as.Login = login })
			as.Handle("/token", func(w http.ResponseWriter, r *http.Request) {
				as.ServeForm(w, r)
				c.end(t.Context(), session.Refresh)
			})
			if _, err := c.Refresh(t.Context(), grantOf(session)); !errors.Is(err, authserver.ErrSessionOver) {
				t.Errorf("error is %v", err)
			}
			as.wantRevoked("refresh_token refresh-2")
		})
	}
}

func TestEndWhenTheServerFails(t *testing.T) {
	for name, tt := range map[string]struct {
		fault http.HandlerFunc
		want  string
	}{
		"500": {func(w http.ResponseWriter, _ *http.Request) { authservertest.Reply(w, 500, "c4nary") }, "500"},
		"refused": {func(w http.ResponseWriter, _ *http.Request) {
			authservertest.Reply(w, 400, m{"error": "unsupported_token_type", "error_description": "c4nary"})
		}, "(unsupported_token_type)"},
		"refused with 200": {func(w http.ResponseWriter, _ *http.Request) { authservertest.Reply(w, 200, "error=invalid_client") }, "(invalid_client)"},
		"redirect": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/c4nary", http.StatusTemporaryRedirect)
		}, "307"},
		"empty is ok": {func(http.ResponseWriter, *http.Request) {}, ""},
	} {
		as := newAS(t)
		c := as.source()
		session := as.enter(c)
		as.Handle("/revoke", tt.fault)
		err := c.End(t.Context(), session.Refresh, session.Access)
		if (err == nil) != (tt.want == "") || (err != nil && (!strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "c4nary"))) {
			t.Errorf("%s: error is %v", name, err)
		}
		if _, err := c.Refresh(t.Context(), grantOf(session)); !errors.Is(err, authserver.ErrSessionOver) {
			t.Errorf("%s: after the end: %v", name, err)
		}
	}
}

func TestEndWithoutEndpoints(t *testing.T) {
	as := newAS(t)
	delete(as.Metadata, "revocation_endpoint")
	c := as.source()
	session := as.enter(c)
	if err := c.End(t.Context(), session.Refresh, session.Access); err != nil {
		t.Error(err)
	}
	down := newAS(t)
	down.Close()
	c = down.source()
	if err := c.End(t.Context(), session.Refresh, session.Access); !errors.Is(err, authserver.ErrUnavailable) {
		t.Errorf("error is %v", err)
	}
}

// TestEndOutlivesTheCaller: a browser that navigates away does not stop it.
func TestEndOutlivesTheCaller(t *testing.T) {
	as := newAS(t)
	c := as.source()
	session := as.enter(c)
	ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
	cancel()
	if err := c.End(ctx, session.Refresh, session.Access); err != nil {
		t.Error(err)
	}
	as.wantRevoked("refresh_token refresh-1")
}
