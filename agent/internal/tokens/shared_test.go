package tokens

import (
	"errors"
	"net/http"
	"sync"
	"testing"
	"time"

	"oauth-agent/agent/internal/authserver"
)

// TestSourcesShareOneExchange: callers come to a source and to those that follow it at
// a reload, at the same time and late. One token is one exchange, and one code is too.
func TestSourcesShareOneExchange(t *testing.T) {
	as := newAS(t)
	line := []*Source{as.source()}
	session := as.enter(line[0])
	asked, may := make(chan struct{}), make(chan struct{})
	as.Handle("/token", func(w http.ResponseWriter, r *http.Request) {
		close(asked)
		<-may
		as.ServeForm(w, r)
	})
	var callers sync.WaitGroup
	refresh := func(c *Source) {
		for range 8 {
			callers.Go(func() {
				got, err := c.Refresh(t.Context(), grantOf(session))
				if err != nil || got.Refresh.Reveal() != "refresh-2" {
					t.Errorf("%q, %v", got.Refresh.Reveal(), err)
				}
			})
		}
	}
	refresh(line[0])
	<-asked
	for i := range 4 {
		line = append(line, as.source(sharing(line[i]), life(time.Duration(i+1)*time.Minute)))
		refresh(line[i+1])
	}
	close(may)
	callers.Wait()
	as.Handle("/token", nil)
	for i, c := range line {
		if got := mustRefresh(t, c, grantOf(session)); got.Refresh.Reveal() != "refresh-2" {
			t.Errorf("late, client %d: %q", i, got.Refresh.Reveal())
		}
	}
	if n, reused := as.Refreshes(), as.Reused(); n != 1 || reused != 0 {
		t.Errorf("%d exchanges, %d reuses", n, reused)
	}

	grant := goodGrant()
	if _, err := line[0].Redeem(t.Context(), grant); err != nil {
		t.Fatal(err)
	}
	for i, c := range line {
		if _, err := c.Redeem(t.Context(), grant); !errors.Is(err, ErrCodeSpent) {
			t.Errorf("the code again, client %d: %v", i, err)
		}
	}
}

// TestSourcesKnowWhatWasEnded: a session that was ended by one is over for all.
func TestSourcesKnowWhatWasEnded(t *testing.T) {
	as := newAS(t)
	first := as.source()
	session := as.enter(first)
	second := as.source(sharing(first))
	if err := second.End(t.Context(), session.Refresh, session.Access); err != nil {
		t.Fatal(err)
	}
	for _, c := range []*Source{first, second, as.source(sharing(second))} {
		if _, err := c.Refresh(t.Context(), grantOf(session)); !errors.Is(err, authserver.ErrSessionOver) {
			t.Errorf("%v", err)
		}
	}
}

// TestAppsAreApart: the refresh token and the code of one app are not known to another.
func TestAppsAreApart(t *testing.T) {
	as := newAS(t)
	shop := as.source()
	admin := as.source(sharing(shop), func(s *setup) { s.App = "admin" })
	session := as.enter(shop)
	second := mustRefresh(t, shop, grantOf(session))
	if _, err := admin.Refresh(t.Context(), grantOf(session)); !errors.Is(err, authserver.ErrSessionOver) || as.Reused() != 1 {
		t.Errorf("another app was given what this one's token was spent for: %v", err)
	}
	if got := mustRefresh(t, shop, grantOf(session)); !got.Access.Equal(second.Access) {
		t.Error("the app itself does not know it any more")
	}
	grant := goodGrant()
	for name, s := range map[string]*Source{"shop": shop, "admin": admin} {
		if _, err := s.Redeem(t.Context(), grant); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := s.Redeem(t.Context(), grant); !errors.Is(err, ErrCodeSpent) {
			t.Errorf("%s, the same code again: %v", name, err)
		}
	}
}
