package authserver

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"oauth-agent/agent/internal/authserver/authservertest"
	"oauth-agent/agent/internal/secret"
)

func TestExchangeRefreshToken(t *testing.T) {
	as := newAS(t)
	c := as.client()
	session := as.enter(c)
	got := mustRefresh(t, c, session)
	if got.Access.Reveal() != "access-2" || got.Refresh.Reveal() != "refresh-2" || got.ID.Empty() || got.ID.Equal(session.ID) {
		t.Errorf("tokens %q %q", got.Access.Reveal(), got.Refresh.Reveal())
	}
	if now := as.Clock.Now(); !got.Issued.Equal(now) || !got.Expiry.Equal(now.Add(300*time.Second)) {
		t.Errorf("issued %v, expiry %v", got.Issued, got.Expiry)
	}
	want := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {"refresh-1"}}
	if f := as.Forms[1]; f.Encode() != want.Encode() {
		t.Errorf("form %v, want %v", f, want)
	}
	if as.Auth[1] == "" || as.Auth[1] != as.Auth[0] {
		t.Errorf("Authorization %q", as.Auth[1])
	}
}

// What the server does not send again is kept.
func TestExchangeRefreshTokenWithoutRotation(t *testing.T) {
	as := newAS(t)
	as.NoRotate = true
	c := as.client()
	session := as.enter(c)
	if got := mustRefresh(t, c, session); !got.Refresh.Equal(session.Refresh) || !got.ID.Equal(session.ID) || got.Access.Reveal() != "access-2" {
		t.Errorf("tokens %q %q", got.Access.Reveal(), got.Refresh.Reveal())
	}
}

// Whose fault a refusal is; the answers in all their variety are tested where a session
// depends on them.
func TestExchangeRefreshTokenRefused(t *testing.T) {
	for _, tt := range []struct {
		status int
		code   string
		want   error
	}{
		{400, "invalid_grant", ErrSessionOver},
		{200, "bad_refresh_token", ErrSessionOver},
		{401, "invalid_client", ErrClientRefused},
		{400, "invalid_scope", ErrClientRefused},
		{400, "temporarily_unavailable", ErrUnavailable},
		{503, "invalid_grant", ErrUnavailable},
	} {
		as := newAS(t)
		c := as.client()
		session := as.enter(c)
		as.Set(func() { as.Answer = func(url.Values) (int, any) { return tt.status, m{"error": tt.code} } })
		got, err := c.ExchangeRefreshToken(t.Context(), session.Refresh, session.ID)
		for _, e := range []error{ErrSessionOver, ErrClientRefused, ErrUnavailable} {
			if errors.Is(err, e) != (e == tt.want) {
				t.Errorf("%d %s: error is %v, want %v alone", tt.status, tt.code, err, tt.want)
			}
		}
		if !got.Access.Empty() || !got.Refresh.Empty() {
			t.Errorf("%d %s: tokens along with a refusal", tt.status, tt.code)
		}
	}
}

// A refresh token that the server rotated in an answer that cannot be used is returned
// along with the error: nobody else has it, and the one that was sent is spent.
func TestRotatedTokenOutOfAnUnusableAnswer(t *testing.T) {
	for name, breaks := range map[string]func(*fakeAS){
		"no access token":       func(as *fakeAS) { as.alter(func(body m) { delete(body, "access_token") }) },
		"another token type":    func(as *fakeAS) { as.alter(func(body m) { body["token_type"] = "mac" }) },
		"ID token is garbage":   func(as *fakeAS) { as.alter(func(body m) { body["id_token"] = "c4nary" }) },
		"ID token of another":   func(as *fakeAS) { as.Set(func() { as.Login = m{"sub": "mally"} }) },
		"keys cannot be had":    (*fakeAS).loseKeys,
		"ID token of no string": func(as *fakeAS) { as.alter(func(body m) { body["id_token"] = 5 }) },
	} {
		as := newAS(t)
		c := as.client()
		session := as.enter(c)
		breaks(as)
		got, err := c.ExchangeRefreshToken(t.Context(), session.Refresh, session.ID)
		if !errors.Is(err, ErrUnavailable) || errors.Is(err, ErrIDToken) || strings.Contains(err.Error(), "c4nary") {
			t.Errorf("%s: error is %v", name, err)
		}
		if got.Refresh.Reveal() != "refresh-2" || !got.ID.Equal(session.ID) || !got.Access.Empty() {
			t.Errorf("%s: refresh token %q, access token %q, ID token kept: %v", name, got.Refresh.Reveal(), got.Access.Reveal(), got.ID.Equal(session.ID))
		}
	}
}

// alter has the server change its answers at the last moment.
func (as *fakeAS) alter(change func(body m)) {
	as.Set(func() {
		as.Answer = func(form url.Values) (int, any) {
			status, body := as.Grant(form)
			change(body)
			return status, body
		}
	})
}

// loseKeys has the server sign with a key that nobody can fetch.
func (as *fakeAS) loseKeys() {
	as.Handle("/keys", func(w http.ResponseWriter, _ *http.Request) { authservertest.Reply(w, 500, "") })
	as.Set(func() { as.Signer = authservertest.NewSigner(as.t, "k2") })
}

func TestExchangeRefreshTokenWhenTheServerIsDown(t *testing.T) {
	as := newAS(t)
	c := as.client()
	session := as.enter(c)
	as.Close()
	if got, err := c.ExchangeRefreshToken(t.Context(), session.Refresh, session.ID); !errors.Is(err, ErrUnavailable) || !got.Refresh.Empty() {
		t.Errorf("%q, %v", got.Refresh.Reveal(), err)
	}
}

// A session without an ID token stays without: there is nobody to hold a new one against.
func TestExchangeRefreshTokenWithoutIDToken(t *testing.T) {
	as := newAS(t)
	c := as.client()
	session := as.enter(c)
	as.Set(func() { as.Login = m{"sub": "mally"} })
	if got, err := c.ExchangeRefreshToken(t.Context(), session.Refresh, secret.String{}); err != nil || !got.ID.Empty() {
		t.Errorf("%v, an ID token: %v", err, !got.ID.Empty())
	}
}
