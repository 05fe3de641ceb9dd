package e2e

import (
	"maps"
	"testing"
	"time"

	"oauth-agent/test/idp"
)

// A refresh on the way to an API gives no verdict of its own: the page is told that
// the access token has expired, and every cookie stays until /refresh says why.
func TestInlineRefreshLeavesTheVerdictToThePage(t *testing.T) {
	t.Parallel()
	refused := map[int]map[string]idp.Fault{
		401: deadRefreshToken, 400: clientAtFault, 502: maps.Clone(outages),
	}
	maps.Copy(refused[502], unclear)
	maps.Copy(refused[502], nonsense)
	for status, faults := range refused {
		for name, f := range faults {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, impatient, inline)
				c, page := w.inlineLogin()
				w.clock.advance(6 * time.Minute)
				w.idp.SetFault(idp.Token, f)
				if a := c.get("/api/orders").want(401, "token_expired"); len(a.setCookies()) != 0 {
					t.Errorf("the proxy set cookies: %v", a.setCookies())
				}
				if a := page.post("/refresh", ""); a.Status != status {
					t.Errorf("/refresh: %d %s, want %d", a.Status, a.Body, status)
				}
				if ended := len(page.jar) == 0; ended != (status == 401) {
					t.Errorf("cookies left: %v", page.cookieNames())
				}
				w.idp.ClearFaults()
				if status != 401 {
					c.jar = page.jar
					c.get("/api/orders").want(200, "")
				}
			})
		}
	}
}

// While the old access token lives, a refresh that fails is not the API's concern.
func TestInlineRefreshThatFailsAheadOfTime(t *testing.T) {
	t.Parallel()
	w := newWorld(t, impatient, inline)
	c, _ := w.inlineLogin()
	w.clock.advance(4*time.Minute + 45*time.Second) // of five
	w.idp.SetFault(idp.Token, idp.OAuthError(200, "bad_refresh_token"))
	if a := c.get("/api/orders").want(200, ""); len(a.setCookies()) != 0 {
		t.Errorf("the proxy set cookies: %v", a.setCookies())
	}
	w.idp.ClearFaults()
	if a := c.get("/api/orders").want(200, ""); len(a.setCookies()) == 0 {
		t.Error("no new cookies once the server is well again")
	}
}

func inline(s *setup) {
	s.env["REFRESH_INLINE"], s.env["COOKIE_BASE_PATH"] = "true", "/"
	s.env["ROUTES"] = "/api/=http://127.0.0.1:9"
}

// inlineLogin is a browser twice: as it calls the API, and as it calls the agent.
func (w *world) inlineLogin() (api, page *client) {
	api = w.client().at(w.replica("ROUTES=/api/=" + w.api().URL))
	got := api.end(w.authorize(api.start())).want(200, "")
	api.csrf = got.json("csrf").(string)
	page = api.clone()
	api.url = api.url[:len(api.url)-len(api.base)]
	return api, page
}
