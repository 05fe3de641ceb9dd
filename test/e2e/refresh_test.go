package e2e

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"oauth-agent/test/idp"
)

// atOnce lets all clients refresh at the same time, and wants 204 for each.
func atOnce(t *testing.T, clients []*client) {
	t.Helper()
	var all sync.WaitGroup
	start := make(chan struct{})
	for _, c := range clients {
		all.Go(func() {
			<-start
			if a := c.post("/refresh", ""); a.Status != http.StatusNoContent {
				t.Errorf("refresh: %d %s", a.Status, a.Body)
			}
		})
	}
	close(start)
	all.Wait()
}

func clones(c *client, n int) []*client {
	out := make([]*client, n)
	for i := range out {
		out[i] = c.clone()
	}
	return out
}

// Calls at once with one refresh token share one exchange, against a server
// that revokes the family when a token comes a second time.
func TestConcurrentRefresh(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		n      int
		change func(*idp.Config)
	}{
		"20":                            {20, func(*idp.Config) {}},
		"64":                            {64, func(*idp.Config) {}},
		"20, no rotation":               {20, func(c *idp.Config) { c.NoRotation = true }},
		"20, kills the access token":    {20, func(c *idp.Config) { c.RefreshKillsAccessToken = true }},
		"20, as Django OAuth Toolkit":   {20, func(c *idp.Config) { c.RefreshKillsAccessToken, c.OmitIDTokenOnRefresh = true, true }},
		"20, no expires_in, and padded": {20, func(c *idp.Config) { c.OmitExpiresIn, c.Padding = true, 3000 }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, server(tc.change))
			tabs := clones(w.login(), tc.n)
			w.idp.SetFault(idp.Token, idp.Fault{Delay: 50 * time.Millisecond}) // so that they meet
			for round := 1; round <= 2; round++ {
				atOnce(t, tabs)
				if got := w.refreshes(); got != round {
					t.Fatalf("round %d: %d exchanges for %d calls", round, got, tc.n)
				}
				for _, tab := range tabs {
					tab.get("/userInfo").want(200, "")
					tab.get("/claims").want(200, "")
				}
			}
		})
	}
}

// A call that comes late, with the cookie from before the rotation, gets what
// the token was spent for.
func TestLateRefresh(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.login()
	first := c.clone()
	c.post("/refresh", "").want(204, "")
	second := c.clone()
	c.post("/refresh", "").want(204, "")
	w.clock.advance(30 * time.Second)
	for _, late := range []*client{first, second, first.clone()} {
		late.post("/refresh", "").want(204, "")
		late.get("/userInfo").want(200, "")
	}
	if got := w.refreshes(); got != 2 {
		t.Errorf("%d exchanges, want 2", got)
	}
	c.works()
}

// What a server does not send again is kept.
func TestRefreshKeepsWhatIsNotSentAgain(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*idp.Config){
		"no rotation":      func(c *idp.Config) { c.NoRotation = true },
		"no refresh token": func(c *idp.Config) { c.NoRotation, c.OmitRefreshTokenOnReuse = true, true },
		"no ID token":      func(c *idp.Config) { c.OmitIDTokenOnRefresh = true },
		"neither": func(c *idp.Config) {
			c.NoRotation, c.OmitRefreshTokenOnReuse, c.OmitIDTokenOnRefresh = true, true, true
		},
		"the nonce again":          func(c *idp.Config) { c.NonceOnRefresh = true },
		"no expires_in, no scope":  func(c *idp.Config) { c.OmitExpiresIn, c.OmitScope = true, true },
		"kills the access token":   func(c *idp.Config) { c.RefreshKillsAccessToken = true },
		"access token of a second": func(c *idp.Config) { c.AccessTokenLifetime = time.Second },
	} {
		w := newWorld(t, server(change))
		c := w.login()
		for range 3 {
			c.post("/refresh", "").want(204, "")
			if a := c.get("/claims").want(200, ""); a.json("sub") != "sub-demo" {
				t.Errorf("%s: %s", name, a.Body)
			}
		}
		if got := w.refreshes(); got != 3 {
			t.Errorf("%s: %d exchanges for 3 calls, each with the newest token", name, got)
		}
	}
}

func TestDeadRefreshTokenEndsTheSession(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for name, f := range deadRefreshToken {
		c := w.login()
		w.idp.SetFault(idp.Token, f)
		c.post("/refresh", "").want(401, "session_expired")
		w.idp.ClearFaults()
		if len(c.jar) != 0 {
			t.Errorf("%s: left: %v", name, c.cookieNames())
		}
	}
}

// Neither a client that is at fault nor a server that fails costs a session.
func TestFaultsKeepTheSession(t *testing.T) {
	t.Parallel()
	for name, faults := range map[string]map[string]idp.Fault{"client": clientAtFault, "server": nonsense, "outage": outages, "unclear": unclear} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, impatient)
			for name, f := range faults {
				c := w.login()
				w.idp.SetFault(idp.Token, f)
				if a := c.post("/refresh", ""); a.Status == 204 || a.Status == 401 || len(a.setCookies()) != 0 {
					t.Errorf("%s: %d %s, cookies %v", name, a.Status, a.Body, a.setCookies())
				}
				c.get("/userInfo").want(200, "")
				w.idp.ClearFaults()
				c.works()
			}
		})
	}
}

// The rotated refresh token that came along with a bad ID token, or with an
// answer that is otherwise unusable, is not lost.
func TestUnusableAnswerKeepsTheRotatedToken(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for name, f := range idTokenFaults(w) {
		f.GrantType = "refresh_token"
		c := w.login()
		w.idp.SetIDTokenFault(f)
		if a := c.post("/refresh", ""); a.Status != 502 || a.json("code") != "authorization_server_error" || len(a.setCookies()) != 0 {
			t.Errorf("%s: %d %s, cookies %v", name, a.Status, a.Body, a.setCookies())
		}
		w.idp.ClearFaults()
		w.clock.advance(2 * time.Minute) // longer than late calls are answered
		c.works()
	}
	for name, change := range tokenAnswers {
		if strings.Contains(name, "refresh token") || strings.Contains(name, "spite") {
			continue // what has no new refresh token has none to keep
		}
		c := w.login()
		w.idp.SetTokenResponseFault(change)
		if a := c.post("/refresh", "").want(502, "authorization_server_error"); len(a.setCookies()) != 0 {
			t.Errorf("%s: cookies %v", name, a.setCookies())
		}
		w.idp.ClearFaults()
		c.works()
	}
}

func TestNoRefreshToken(t *testing.T) {
	t.Parallel()
	w := newWorld(t, server(func(c *idp.Config) { c.NoRefreshToken = true }))
	c := w.login()
	if a := c.post("/refresh", "").want(401, "unauthorized_request"); len(a.setCookies()) != 0 {
		t.Errorf("cookies %v", a.setCookies())
	}
	c.get("/userInfo").want(200, "")
	c.post("/logout", "").want(200, "")
}

// The browser may go away while its refresh is under way: what comes back is
// for the next call.
func TestCallerGoesAwayDuringRefresh(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.login()
	ctx, leave := context.WithCancel(t.Context())
	w.idp.SetFault(idp.Token, idp.Fault{Before: func(*http.Request) { leave() }, Delay: 50 * time.Millisecond})
	req, _ := http.NewRequestWithContext(ctx, http.MethodPost, c.url+"/refresh", nil)
	req.Header.Set("Origin", origin)
	req.Header.Set("X-Example-Csrf", c.csrf)
	c.addCookies(req)
	if resp, err := http.DefaultClient.Do(req); err == nil {
		_ = resp.Body.Close()
		t.Fatalf("answered: %d", resp.StatusCode)
	}
	c.post("/refresh", "").want(204, "")
	if got := w.refreshes(); got != 1 {
		t.Errorf("%d exchanges, want 1", got)
	}
	w.idp.ClearFaults()
	c.works()
}

func TestReplicasShareSessions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.client()
	page := w.authorize(c.start())
	c = c.at(w.replica())
	c.csrf = c.end(page).want(200, "").json("csrf").(string)
	c = c.at(w.agent)
	c.works()
	c = c.at(w.replica())
	c.works()
	c.post("/logout", "").want(200, "")
	c.at(w.agent).get("/logout/continue").want(302, "")
}
