package authserver

import (
	"errors"
	"net/http"
	"sync"
	"testing"
	"time"
)

// successor is a client that takes over from another, by other settings.
func (as *fakeAS) successor(of *Client, change ...func(*Config)) *Client {
	c := as.client(change...)
	c.Inherit(of)
	return c
}

// TestSuccessorJoinsTheFlight: callers come to a client and to those that follow
// it, at the same time and late. One token is one exchange, and one code is too.
func TestSuccessorJoinsTheFlight(t *testing.T) {
	as := newAS(t)
	line := []*Client{as.client()}
	session := as.enter(line[0])
	asked, may := make(chan struct{}), make(chan struct{})
	as.handle("/token", func(w http.ResponseWriter, r *http.Request) {
		close(asked)
		<-may
		as.serveForm(w, r)
	})
	var callers sync.WaitGroup
	refresh := func(c *Client) {
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
		line = append(line, as.successor(line[i], func(c *Config) { c.RefreshMemory = time.Duration(i+1) * time.Minute }))
		refresh(line[i+1])
	}
	close(may)
	callers.Wait()
	as.handle("/token", nil)
	for i, c := range line {
		if got := mustRefresh(t, c, grantOf(session)); got.Refresh.Reveal() != "refresh-2" {
			t.Errorf("late, client %d: %q", i, got.Refresh.Reveal())
		}
	}
	if n, reused := as.refreshes(), as.reused(); n != 1 || reused != 0 {
		t.Errorf("%d exchanges, %d reuses", n, reused)
	}

	grant := goodGrant()
	if _, err := line[0].Exchange(t.Context(), grant); err != nil {
		t.Fatal(err)
	}
	for i, c := range line {
		if _, err := c.Exchange(t.Context(), grant); !errors.Is(err, ErrCodeSpent) {
			t.Errorf("the code again, client %d: %v", i, err)
		}
	}
}

// TestSuccessorKnowsWhatWasEnded: a session that was ended by one is over for all.
func TestSuccessorKnowsWhatWasEnded(t *testing.T) {
	as := newAS(t)
	first := as.client()
	session := as.enter(first)
	second := as.successor(first)
	if err := second.End(t.Context(), session.Refresh, session.Access); err != nil {
		t.Fatal(err)
	}
	for _, c := range []*Client{first, second, as.successor(second)} {
		if _, err := c.Refresh(t.Context(), grantOf(session)); !errors.Is(err, ErrSessionOver) {
			t.Errorf("%v", err)
		}
	}
}

// TestSuccessorKnowsTheServer, if it is the same one: while nobody can ask.
func TestSuccessorKnowsTheServer(t *testing.T) {
	as := newAS(t)
	first := as.client()
	as.enter(first)
	gone := func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) }
	as.handle("/.well-known/openid-configuration", gone)
	as.handle("/keys", gone)
	as.clock.Add(time.Second)
	same := as.successor(first, func(c *Config) { c.RefreshMemory = -1 })
	as.enter(same)
	other := as.successor(first, func(c *Config) { c.Userinfo = as.URL + "/other" })
	if err := other.Ready(t.Context()); !errors.Is(err, ErrUnavailable) {
		t.Errorf("what is known of one server is believed of another: %v", err)
	}
}
