package tokens

import (
	"bytes"
	"context"
	"crypto/rand"
	"log/slog"
	"net/http"
	"sync"
	"testing"
	"time"

	"oauth-agent/agent/internal/authserver"
	"oauth-agent/agent/internal/authserver/authservertest"
	"oauth-agent/agent/internal/secret"
	"oauth-agent/agent/internal/store"
)

// m is a JSON object.
type m = authservertest.M

// fakeAS is a small authorization server, with sources of its tokens.
type fakeAS struct {
	*authservertest.Server
	t testing.TB
}

func newAS(t testing.TB) *fakeAS { return &fakeAS{authservertest.New(t), t} }

// setup is what a source of a test is made of.
type setup struct {
	Options
	server authserver.Config
	store  store.Store
	log    *bytes.Buffer
}

// observer counts.
type observer struct {
	mu       sync.Mutex
	outcomes []string
	served   []int
}

func (o *observer) Refreshed(_ context.Context, outcome string, _ authserver.Identity) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.outcomes = append(o.outcomes, outcome)
}

func (o *observer) CallersServed(callers int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.served = append(o.served, callers)
}

// source is one with the server's clock and a store of its own.
func (as *fakeAS) source(change ...func(*setup)) *Source {
	s := setup{
		server: authserver.Config{
			Issuer: as.URL, Client: authserver.Credentials{ID: authservertest.ClientID, Secret: secret.New(authservertest.ClientSecret)},
			RedirectURI: authservertest.RedirectURI, Scope: []string{"openid", "profile"},
		},
		Options: Options{
			App: "default", Life: time.Minute, Clock: as.Clock.Now, Log: slog.New(slog.DiscardHandler), Observer: &observer{},
		},
	}
	for _, c := range change {
		c(&s)
	}
	if s.Shared == nil {
		if s.store == nil {
			s.store = store.NewMemory(as.Clock.Now)
		}
		s.Shared = NewShared(s.store, as.Clock.Now)
	}
	if s.log != nil {
		s.Log = slog.New(slog.NewTextHandler(s.log, nil))
	}
	s.Server = authserver.New(s.server, authserver.Options{
		HTTP: authserver.NewHTTP(nil, 5*time.Second), Clock: as.Clock.Now, Log: s.Log,
	})
	return New(s.Options)
}

// sharing has a source share what another has.
func sharing(with *Source) func(*setup) { return func(s *setup) { s.Shared = with.Shared } }

func life(d time.Duration) func(*setup) { return func(s *setup) { s.Life = d } }

// enter makes a session.
func (as *fakeAS) enter(s *Source) authserver.Tokens {
	as.t.Helper()
	t, err := s.Redeem(as.t.Context(), goodGrant())
	if err != nil {
		as.t.Fatal(err)
	}
	return t
}

func goodGrant() authserver.CodeGrant {
	return authserver.CodeGrant{Code: secret.New("c4nary-code-" + rand.Text()), // both good once
		Verifier: secret.New("c4nary-verifier-" + rand.Text()), Nonce: "n-1", OpenID: true}
}

func grantOf(t authserver.Tokens) Grant {
	return Grant{Refresh: t.Refresh, Access: t.Access, ID: t.ID}
}

func mustRefresh(t testing.TB, s *Source, g Grant) authserver.Tokens {
	t.Helper()
	got, err := s.Refresh(t.Context(), g)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// hold has the token endpoint wait after it was asked.
func (as *fakeAS) hold() (asked <-chan struct{}, release func()) {
	a, r := make(chan struct{}), make(chan struct{})
	as.Handle("/token", func(w http.ResponseWriter, req *http.Request) {
		close(a)
		<-r
		as.ServeForm(w, req)
	})
	return a, func() { close(r); as.Handle("/token", nil) }
}
