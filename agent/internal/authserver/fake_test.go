package authserver

import (
	"crypto/rand"
	"testing"
	"time"

	"oauth-agent/agent/internal/authserver/authservertest"
	"oauth-agent/agent/internal/secret"
)

const (
	clientID     = authservertest.ClientID
	clientSecret = authservertest.ClientSecret
	redirectURI  = authservertest.RedirectURI
)

// m is a JSON object.
type m = authservertest.M

// fakeAS is a small authorization server with clients of it.
type fakeAS struct {
	*authservertest.Server
	t testing.TB
}

func newAS(t testing.TB) *fakeAS { return &fakeAS{authservertest.New(t), t} }

func (as *fakeAS) config() Config {
	return Config{
		Issuer: as.URL, Client: Credentials{clientID, secret.New(clientSecret)},
		RedirectURI: redirectURI, Scope: []string{"openid", "profile"},
	}
}

// client is one of the server, with its clock.
func (as *fakeAS) client(change ...func(*Config)) *Client {
	cfg := as.config()
	for _, c := range change {
		c(&cfg)
	}
	return New(cfg, Options{HTTP: NewHTTP(nil, 5*time.Second), Clock: as.Clock.Now})
}

// enter makes a session.
func (as *fakeAS) enter(c *Client) Tokens {
	as.t.Helper()
	tokens, err := c.RedeemCode(as.t.Context(), goodGrant())
	if err != nil {
		as.t.Fatal(err)
	}
	return tokens
}

func goodGrant() CodeGrant {
	return CodeGrant{Code: secret.New("c4nary-code-" + rand.Text()), // both good once
		Verifier: secret.New("c4nary-verifier-" + rand.Text()), Nonce: "n-1", OpenID: true}
}

// mustRefresh spends the refresh token of t.
func mustRefresh(tb testing.TB, c *Client, t Tokens) Tokens {
	tb.Helper()
	got, err := c.ExchangeRefreshToken(tb.Context(), t.Refresh, t.ID)
	if err != nil {
		tb.Fatal(err)
	}
	return got
}
