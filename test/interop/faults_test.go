//go:build interop

package interop

import (
	"net/http"
	"time"

	"oauth-agent/test/internal/process"
)

// outlivesTheServer: an authorization server that is away costs no session.
func outlivesTheServer(f *fixture) {
	u := f.user
	u.logIn("jane")
	f.stopAS()
	for range 2 {
		want(f.t, u.get("/userInfo"), http.StatusBadGateway, "authorization_server_error")
		want(f.t, u.post("/refresh", ""), http.StatusBadGateway, "authorization_server_error")
	}
	if !u.loggedIn() || u.object("/claims")["sub"] == nil {
		f.t.Error("the session is lost")
	}
	f.startAS()
	u.userInfo()
	u.refresh()
	u.userInfo()
}

// logsOutWithoutTheServer: the user who wants out gets out.
func logsOutWithoutTheServer(f *fixture) {
	u := f.user
	u.logIn("jane")
	f.stopAS()
	u.logOut()
	u.noSession()
}

// startsFirst: the agent is up before the authorization server.
func startsFirst(f *fixture) {
	u := f.user
	if u.loggedIn() {
		f.t.Error("logged in, by whom?")
	}
	want(f.t, u.post("/login/start", ""), http.StatusBadGateway, "authorization_server_error")
	f.startAS()
	deadline := time.Now().Add(patience)
	for u.post("/login/start", "").Status != http.StatusOK {
		if time.Now().After(deadline) {
			f.t.Fatal("not ready, though the authorization server is")
		}
		time.Sleep(100 * time.Millisecond)
	}
	u.logIn("jane")
	u.userInfo()
}

// restarts: sessions and logins under way live in the browser, not in the process.
func restarts(f *fixture) {
	u := f.user
	u.logIn("jane")
	tab := u.open(f.spaURL)
	u.goThrough(tab, u.startLogin(), "jane")
	f.restartAgent()
	u.userInfo()
	u.refresh()
	if status, end := u.endLogin(tab.URL); status != http.StatusOK || !end.Handled {
		f.t.Errorf("the login under way: %d %+v", status, end)
	}
	u.userInfo()
}

// checks: the command "check" tells good settings from a server that is away.
func checks(f *fixture) {
	c := process.Command{Path: f.agent.Path(), Args: []string{"check"}, Dir: f.t.TempDir(), Env: f.settings}
	process.Run(f.t, patience, c)
	f.stopAS()
	p := process.Start(f.t, c)
	if p.Wait(f.t, patience) == 0 {
		f.t.Errorf("check is content without the authorization server:\n%s", p.Output())
	}
	f.quiet(p)
}
