package tokens

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"oauth-agent/agent/internal/authserver"
	"oauth-agent/agent/internal/authserver/authservertest"
	"oauth-agent/agent/internal/secret"
	"oauth-agent/agent/internal/sharedcall"
	"oauth-agent/agent/internal/store"
)

func TestRefresh(t *testing.T) {
	as := newAS(t)
	c := as.source()
	session := as.enter(c)
	got := mustRefresh(t, c, grantOf(session))
	if got.Access.Reveal() != "access-2" || got.Refresh.Reveal() != "refresh-2" || got.ID.Equal(session.ID) {
		t.Errorf("tokens %q %q", got.Access.Reveal(), got.Refresh.Reveal())
	}
	if got.Identity != session.Identity || !got.Expiry.Equal(as.Clock.Now().Add(300*time.Second)) {
		t.Errorf("identity %v, expiry %v", got.Identity, got.Expiry)
	}
	want := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {"refresh-1"}}
	if f := as.Forms[1]; f.Encode() != want.Encode() {
		t.Errorf("form %v, want %v", f, want)
	}
}

// TestConcurrentRefreshes: 64 callers with one refresh token against rotation
// with reuse detection are one exchange, and none of them loses (oauth2-proxy's
// losers deleted the session).
func TestConcurrentRefreshes(t *testing.T) {
	as := newAS(t)
	c := as.source()
	session := as.enter(c)
	var wg sync.WaitGroup
	for range 64 {
		wg.Go(func() {
			got, err := c.Refresh(t.Context(), grantOf(session))
			if err != nil || got.Access.Reveal() != "access-2" || got.Refresh.Reveal() != "refresh-2" || got.ID.Empty() {
				t.Errorf("%q %q, %v", got.Access.Reveal(), got.Refresh.Reveal(), err)
			}
		})
	}
	wg.Wait()
	if n, reused := as.Refreshes(), as.Reused(); n != 1 || reused != 0 {
		t.Errorf("%d exchanges, %d reuses; want 1 and 0", n, reused)
	}
}

// TestChainUnderFire: callers of every age of one chain at once, while it grows.
func TestChainUnderFire(t *testing.T) {
	as := newAS(t)
	c := as.source()
	grants := []Grant{grantOf(as.enter(c))}
	for range 5 {
		grants = append(grants, grantOf(mustRefresh(t, c, grants[len(grants)-1])))
		var wg sync.WaitGroup
		for _, g := range append(grants, grants...) {
			wg.Go(func() {
				if _, err := c.Refresh(t.Context(), g); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		grants = append(grants, grantOf(mustRefresh(t, c, grants[0])))
	}
	if n := as.Reused(); n != 0 {
		t.Errorf("%d reuses", n)
	}
}

// TestLateRefresh: a call that comes after the rotation with the old cookie.
func TestLateRefresh(t *testing.T) {
	as := newAS(t)
	c := as.source()
	first := grantOf(as.enter(c))
	second := mustRefresh(t, c, first)

	given := as.Clock.Now()
	as.Clock.Add(59 * time.Second)
	if got := mustRefresh(t, c, first); !got.Issued.Equal(given) || !got.Access.Equal(second.Access) || !got.Refresh.Equal(second.Refresh) || !got.ID.Equal(second.ID) {
		t.Errorf("late call got %q", got.Access.Reveal())
	}
	if n := as.Refreshes(); n != 1 {
		t.Errorf("%d exchanges, want 1", n)
	}

	third := mustRefresh(t, c, grantOf(second)) // who holds the newest wants another
	if third.Access.Equal(second.Access) {
		t.Error("a caller with the newest tokens got them again")
	}
	as.Clock.Add(500 * time.Millisecond)
	if got := mustRefresh(t, c, first); !got.Refresh.Equal(third.Refresh) {
		t.Errorf("late call got %q, not the newest of the chain", got.Refresh.Reveal())
	}

	as.Clock.Add(time.Second) // 60.5 s after the first rotation
	if _, err := c.Refresh(t.Context(), first); !errors.Is(err, authserver.ErrSessionOver) {
		t.Errorf("after the memory: %v", err)
	}
}

// TestLateRefreshWithExpiredTokens: the chain goes on with its newest refresh
// token when the access token at its end is of no use any more.
func TestLateRefreshWithExpiredTokens(t *testing.T) {
	as := newAS(t)
	c := as.source(life(time.Hour))
	first := grantOf(as.enter(c))
	second := mustRefresh(t, c, first)
	as.Clock.Add(300*time.Second - soonExpired)
	third := mustRefresh(t, c, first)
	if third.Access.Equal(second.Access) || as.Reused() != 0 {
		t.Errorf("late call got %q, %d reuses", third.Access.Reveal(), as.Reused())
	}
	if got := mustRefresh(t, c, grantOf(second)); !got.Access.Equal(third.Access) {
		t.Errorf("the second got %q", got.Access.Reveal())
	}
}

func TestLateRefreshWithUnknownExpiry(t *testing.T) {
	as := newAS(t)
	c := as.source()
	session := as.enter(c)
	as.Set(func() {
		as.Answer = func(url.Values) (int, any) {
			as.Issued++
			return 200, m{"access_token": fmt.Sprint("a", as.Issued), "refresh_token": fmt.Sprint("r", as.Issued)}
		}
	})
	second := mustRefresh(t, c, grantOf(session))
	if !second.Expiry.IsZero() {
		t.Errorf("expiry %v, want unknown", second.Expiry)
	}
	if got := mustRefresh(t, c, grantOf(session)); !got.Access.Equal(second.Access) {
		t.Errorf("late call got %q", got.Access.Reveal())
	}
}

// TestRefreshWithoutRotation: what the server does not send again is kept
// (Envoy's filter lost it), and the memory serves those alone who do not hold
// the newest.
func TestRefreshWithoutRotation(t *testing.T) {
	as := newAS(t)
	as.NoRotate = true
	c := as.source()
	session := as.enter(c)
	second := mustRefresh(t, c, grantOf(session))
	if !second.Refresh.Equal(session.Refresh) || !second.ID.Equal(session.ID) || second.Identity != session.Identity {
		t.Errorf("refresh token, ID token or identity was not kept: %v", second.Identity)
	}
	if got := mustRefresh(t, c, grantOf(session)); !got.Access.Equal(second.Access) {
		t.Errorf("late call got %q", got.Access.Reveal())
	}
	third := mustRefresh(t, c, grantOf(second))
	if third.Access.Equal(second.Access) {
		t.Error("a caller with the newest tokens got them again")
	}
	for _, g := range []Grant{grantOf(session), grantOf(second), {Refresh: session.Refresh}} {
		if got := mustRefresh(t, c, g); !got.Access.Equal(third.Access) {
			t.Errorf("late call got %q", got.Access.Reveal())
		}
	}
	if n := as.Refreshes(); n != 2 {
		t.Errorf("%d exchanges, want 2", n)
	}
}

// TestRefreshTokenGivenTwice: a server that goes back to an older token must
// not send the chain round in a ring.
func TestRefreshTokenGivenTwice(t *testing.T) {
	as := newAS(t)
	c := as.source()
	session := as.enter(c)
	as.Set(func() {
		as.Answer = func(form url.Values) (int, any) {
			as.Issued++
			next := map[string]string{"refresh-1": "B", "B": "refresh-1"}[form.Get("refresh_token")]
			return 200, m{"access_token": fmt.Sprint("a", as.Issued), "refresh_token": next}
		}
	})
	b := mustRefresh(t, c, grantOf(session))
	a := mustRefresh(t, c, grantOf(b))
	if got := mustRefresh(t, c, grantOf(session)); !got.Access.Equal(a.Access) {
		t.Errorf("the first got %q, want the newest %q", got.Access.Reveal(), a.Access.Reveal())
	}
	if got := mustRefresh(t, c, grantOf(b)); !got.Access.Equal(a.Access) {
		t.Errorf("the second got %q, want the newest %q", got.Access.Reveal(), a.Access.Reveal())
	}
	if got := mustRefresh(t, c, grantOf(a)); got.Refresh.Reveal() != "B" {
		t.Errorf("the newest got %q", got.Refresh.Reveal())
	}
}

// TestRefreshErrors: real servers say in many ways that a token is dead, and what
// stands in front of them says other things.
func TestRefreshErrors(t *testing.T) {
	for _, tt := range []struct {
		status int
		body   any
		want   error
	}{
		{400, m{"error": "invalid_grant", "error_description": "c4nary"}, authserver.ErrSessionOver},
		{400, m{"error": "invalid_request"}, authserver.ErrSessionOver},
		{401, m{"error": "invalid_token"}, authserver.ErrSessionOver},
		{400, "", authserver.ErrSessionOver},
		{401, "", authserver.ErrSessionOver},
		{403, "", authserver.ErrSessionOver},
		{403, m{"error": "access_denied"}, authserver.ErrSessionOver},
		{400, m{"error": "c4nary text"}, authserver.ErrSessionOver},
		{400, "error=invalid_grant&error_description=c4nary", authserver.ErrSessionOver},
		{200, m{"error": "bad_refresh_token", "error_description": "c4nary"}, authserver.ErrSessionOver},
		{200, "error=bad_refresh_token&error_description=c4nary+text", authserver.ErrSessionOver},
		{200, "error=invalid_client", authserver.ErrClientRefused},
		{200, m{"error": "unauthorized_client"}, authserver.ErrClientRefused},
		{200, m{"error": "server_error"}, authserver.ErrUnavailable},
		{200, "error=slow_down", authserver.ErrUnavailable},
		{200, "error=a&error=b", authserver.ErrUnavailable},
		{200, m{"error": ""}, authserver.ErrUnavailable},
		{200, m{"error": m{"code": 7}}, authserver.ErrUnavailable},
		{200, "<p>c4nary</p>", authserver.ErrUnavailable},
		{200, `<a href="/?a&error=invalid_grant">`, authserver.ErrUnavailable},
		{400, m{"error": "temporarily_unavailable"}, authserver.ErrUnavailable},
		{401, m{"error": "server_error"}, authserver.ErrUnavailable},
		{403, m{"error": "slow_down"}, authserver.ErrUnavailable},
		{400, "<p>c4nary</p>", authserver.ErrUnavailable},
		{401, "<p>c4nary</p>", authserver.ErrUnavailable},
		{403, "\ufeff\r\n<!doctype html><p>c4nary</p>", authserver.ErrUnavailable},
		{403, "c4nary", authserver.ErrUnavailable},
		{403, m{"message": "c4nary"}, authserver.ErrUnavailable},
		{403, m{"status": 403, "error": "Forbidden", "path": "/token"}, authserver.ErrUnavailable},
		{401, m{"statusCode": 401, "error": "Unauthorized"}, authserver.ErrUnavailable},
		{401, "error=unauthorized", authserver.ErrUnavailable},
		{403, m{"error": "Access to this API has been disallowed"}, authserver.ErrUnavailable},
		{400, m{"status": 400, "error": "Bad Request", "message": "Invalid refresh token"}, authserver.ErrSessionOver},
		{400, m{"error": []string{"invalid_client"}}, authserver.ErrUnavailable},
		{400, `{"error":"invalid_client","error":"invalid_grant"}`, authserver.ErrUnavailable},
		{402, m{"error": "invalid_grant"}, authserver.ErrUnavailable},
		{404, "", authserver.ErrUnavailable},
		{404, m{"error": "invalid_grant"}, authserver.ErrUnavailable},
		{405, m{"error": "invalid_grant"}, authserver.ErrUnavailable},
		{407, m{"error": "invalid_grant"}, authserver.ErrUnavailable},
		{410, m{"error": "invalid_grant"}, authserver.ErrUnavailable},
		{421, m{"error": "invalid_grant"}, authserver.ErrUnavailable},
		{422, m{"error": "invalid_grant"}, authserver.ErrUnavailable},
		{425, m{"error": "invalid_grant"}, authserver.ErrUnavailable},
		{451, m{"error": "invalid_grant"}, authserver.ErrUnavailable},
		{404, m{"error": "invalid_client"}, authserver.ErrUnavailable},
		{401, m{"error": "invalid_client"}, authserver.ErrClientRefused},
		{400, m{"error": "unauthorized_client"}, authserver.ErrClientRefused},
		{400, m{"error": "unsupported_grant_type"}, authserver.ErrClientRefused},
		{400, m{"error": "invalid_scope"}, authserver.ErrClientRefused},
		{408, m{"error": "invalid_grant"}, authserver.ErrUnavailable},
		{429, m{"error": "invalid_grant"}, authserver.ErrUnavailable},
		{500, m{"error": "invalid_grant"}, authserver.ErrUnavailable},
		{200, m{"token_type": "bearer"}, authserver.ErrUnavailable},
		{200, m{"access_token": "c4nary", "token_type": "mac"}, authserver.ErrUnavailable},
	} {
		as := newAS(t)
		c := as.source()
		session := as.enter(c)
		as.Set(func() { as.Answer = func(url.Values) (int, any) { return tt.status, tt.body } })
		_, err := c.Refresh(t.Context(), grantOf(session))
		for _, e := range []error{authserver.ErrSessionOver, authserver.ErrClientRefused, authserver.ErrUnavailable, authserver.ErrIDToken, authserver.ErrCodeRefused} {
			if errors.Is(err, e) != (e == tt.want) {
				t.Errorf("%d %v: error is %v, want %v alone", tt.status, tt.body, err, tt.want)
			}
		}
		if err != nil && strings.Contains(err.Error(), "c4nary") {
			t.Errorf("%d: error quotes the server: %v", tt.status, err)
		}
		// Nothing of it is remembered.
		as.Set(func() { as.Answer = nil })
		mustRefresh(t, c, grantOf(session))
	}
	if _, err := newAS(t).source().Refresh(t.Context(), Grant{}); !errors.Is(err, authserver.ErrSessionOver) {
		t.Errorf("without a refresh token: %v", err)
	}
}

// TestRefreshedIDToken: it is checked like the first and must be of the same
// user. When it is not, the rotated refresh token is not lost with it.
func TestRefreshedIDToken(t *testing.T) {
	for _, tt := range []struct {
		name    string
		claims  m
		session func(*Grant)
		want    string
	}{
		{name: "same user"},
		{name: "no nonce", claims: m{"nonce": nil}},
		{name: "another sub", claims: m{"sub": "mally"}, want: "iss and sub"},
		{name: "another nonce", claims: m{"nonce": "n-2"}, want: "nonce"},
		{name: "another aud", claims: m{"aud": "x"}, want: "aud"},
		{name: "expired", claims: m{"exp": 1}, want: "expired"},
		{name: "at_hash of another", claims: m{"at_hash": authservertest.AtHash("x")}, want: "at_hash"},
		{name: "session without ID token", claims: m{"sub": "mally"}, session: func(g *Grant) { g.ID = secret.String{} }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			as := newAS(t)
			c := as.source()
			grant := grantOf(as.enter(c))
			if tt.session != nil {
				tt.session(&grant)
			}
			as.Set(func() { as.Login = tt.claims })
			got, err := c.Refresh(t.Context(), grant)
			if tt.want == "" {
				if err != nil {
					t.Error(err)
				}
				if got.ID.Empty() != grant.ID.Empty() {
					t.Error("a session without ID token got one, or lost it")
				}
				return
			}
			if !errors.Is(err, authserver.ErrUnavailable) || errors.Is(err, authserver.ErrIDToken) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error is %v, want authserver.ErrUnavailable that tells %q", err, tt.want)
			}
			// Minutes later the server is itself again.
			as.Clock.Add(5 * time.Minute)
			as.Set(func() { as.Login = nil })
			if _, err := c.Refresh(t.Context(), grant); err != nil || as.Reused() != 0 {
				t.Errorf("the session was lost: %v, %d reuses", err, as.Reused())
			}
		})
	}
}

// TestRefreshTokenIsSalvaged out of an answer that is unusable otherwise, any
// number of times.
func TestRefreshTokenIsSalvaged(t *testing.T) {
	as := newAS(t)
	c := as.source()
	grant := grantOf(as.enter(c))
	as.Set(func() {
		as.Answer = func(form url.Values) (int, any) {
			status, body := as.Grant(form)
			delete(body, "access_token")
			return status, body
		}
	})
	for range 3 {
		if _, err := c.Refresh(t.Context(), grant); !errors.Is(err, authserver.ErrUnavailable) {
			t.Fatalf("error is %v", err)
		}
	}
	as.Handle("/keys", func(w http.ResponseWriter, _ *http.Request) { authservertest.Reply(w, 500, "") })
	as.Set(func() { as.Answer, as.Signer = nil, authservertest.NewSigner(t, "k2") })
	if _, err := c.Refresh(t.Context(), grant); !errors.Is(err, authserver.ErrUnavailable) {
		t.Fatalf("error is %v", err)
	}
	as.Handle("/keys", nil)
	as.Clock.Add(time.Second)
	if got := mustRefresh(t, c, grant); got.Refresh.Reveal() != "refresh-6" || as.Reused() != 0 {
		t.Errorf("refresh token %q, %d reuses", got.Refresh.Reveal(), as.Reused())
	}
}

// TestRefreshSurvivesTheCaller: the browser that asked goes away, the rotated
// token is there for the next.
func TestRefreshSurvivesTheCaller(t *testing.T) {
	as := newAS(t)
	c := as.source()
	session := as.enter(c)
	asked, release := make(chan struct{}), make(chan struct{})
	as.Handle("/token", func(w http.ResponseWriter, r *http.Request) {
		close(asked)
		<-release
		as.ServeForm(w, r)
	})
	ctx, cancel := context.WithCancel(t.Context())
	gone := make(chan error, 1)
	go func() {
		_, err := c.Refresh(ctx, grantOf(session))
		gone <- err
	}()
	<-asked
	cancel()
	if err := <-gone; !errors.Is(err, context.Canceled) || !errors.Is(err, authserver.ErrUnavailable) {
		t.Errorf("error is %v", err)
	}
	close(release)
	if got := mustRefresh(t, c, grantOf(session)); got.Access.Reveal() != "access-2" {
		t.Errorf("the next got %q", got.Access.Reveal())
	}
	if n := as.Refreshes(); n != 1 {
		t.Errorf("%d exchanges, want 1", n)
	}
}

// TestLateFlightDoesNotSpendAgain: one who looked before the rotation and comes
// to the flight after it.
func TestLateFlightDoesNotSpendAgain(t *testing.T) {
	as := newAS(t)
	c := as.source()
	session := as.enter(c)
	seen := follow(t, c, session.Refresh.Reveal())
	mustRefresh(t, c, grantOf(session))
	if _, err := c.exchangeRefreshToken(t.Context(), seen); !errors.Is(err, errMoved) || as.Refreshes() != 1 {
		t.Errorf("error is %v, %d exchanges", err, as.Refreshes())
	}
}

// TestLateRefreshKeepsTheCallersIDToken, when who was first had none.
func TestLateRefreshKeepsTheCallersIDToken(t *testing.T) {
	as := newAS(t)
	c := as.source()
	session := as.enter(c)
	if got := mustRefresh(t, c, Grant{Refresh: session.Refresh}); !got.ID.Empty() || got.Identity != (authserver.Identity{}) {
		t.Errorf("a session without ID token got one of %v", got.Identity)
	}
	if got := mustRefresh(t, c, grantOf(session)); !got.ID.Equal(session.ID) || got.Identity != session.Identity {
		t.Errorf("the ID token was lost, identity %v", got.Identity)
	}
}

// TestRefreshWithoutMemory: switched off, late calls go to the server.
func TestRefreshWithoutMemory(t *testing.T) {
	as := newAS(t)
	c := as.source(life(-1))
	session := as.enter(c)
	mustRefresh(t, c, grantOf(session))
	if _, err := c.Refresh(t.Context(), grantOf(session)); !errors.Is(err, authserver.ErrSessionOver) {
		t.Errorf("error is %v", err)
	}
}

func TestPanicEndsOneCallNotTheProcess(t *testing.T) {
	as := newAS(t)
	c := as.source(func(s *setup) { s.store = panicStore{newStore(as)} })
	session := as.enter(c)
	if _, err := c.Refresh(t.Context(), grantOf(session)); !errors.Is(err, sharedcall.ErrPanic) || strings.Contains(err.Error(), "c4nary") {
		t.Errorf("error is %v", err)
	}
}

type panicStore struct{ store.Store }

func (panicStore) Put(context.Context, store.Key, []byte, time.Duration) error { panic("c4nary") }

// The observer is told what comes of each call, and how many callers an exchange served.
func TestObserver(t *testing.T) {
	as := newAS(t)
	seen := &observer{}
	c := as.source(func(s *setup) { s.Observer = seen })
	session := as.enter(c)
	asked, release := as.hold()
	var callers sync.WaitGroup
	refresh := func() { callers.Go(func() { mustRefresh(t, c, grantOf(session)) }) }
	refresh()
	<-asked
	key := refreshKey(session.Refresh).Hash
	for range 3 {
		refresh()
	}
	for c.Shared.waiters.number("default "+string(key[:])) < 4 {
		time.Sleep(time.Millisecond)
	}
	release()
	callers.Wait()
	mustRefresh(t, c, grantOf(session))
	slices.Sort(seen.outcomes)
	// One that is counted as waiting may come to the exchange when it is over.
	got := strings.Join(seen.outcomes, " ")
	if !strings.HasPrefix(got, "exchanged remembered ") || strings.Contains(got, "exchanged exchanged") || len(seen.outcomes) != 5 {
		t.Errorf("outcomes %s", got)
	}
	if len(seen.served) != 1 || seen.served[0] != 4 {
		t.Errorf("callers %v", seen.served)
	}
}
