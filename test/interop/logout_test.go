//go:build interop

package interop

import (
	"net/http"
	"net/url"
	"strings"

	"oauth-agent/test/internal/browser"
)

// logOut asks the agent for the URL to navigate to, which is all a script sees.
func (u *user) logOut() string {
	u.f.t.Helper()
	answer := u.post("/logout", "")
	want(u.f.t, answer, http.StatusOK)
	var out struct{ URL string }
	u.f.check(answer.JSON(&out))
	return out.URL
}

// leave goes all the way: to the authorization server, through its page, and
// back to the application.
func (u *user) leave() {
	f := u.f
	f.t.Helper()
	address := u.logOut()
	u.noSession()
	if address != f.agentURL+"/logout/continue" {
		f.t.Fatalf("logout URL %s", address)
	}
	f.check(u.app.Go(address))
	f.atEndSession(u.browser)
	f.check(u.app.Submit(map[string]string{"logout": "yes"}))
	u.backAtApp(u.app)
	u.noCookies()

	again := u.open(f.spaURL)
	if f.check(again.Go(address)); again.Status < 400 {
		f.t.Errorf("logout/continue works a second time: %d at %s", again.Status, again.URL)
	}
}

// logsOut: afterwards nobody is logged in anywhere.
func logsOut(f *fixture) {
	u := f.user
	u.logIn("jane")
	thief := u.clone() // has the cookies from before
	if u.clone().asked() {
		f.t.Error("a login form in spite of the session at the authorization server")
	}
	u.leave()
	u.isLoggedOut(thief)
}

// asked tells whether a login would show a login form.
func (u *user) asked() bool {
	u.f.t.Helper()
	tab := u.open(u.f.spaURL)
	u.f.check(tab.Go(u.startLogin()))
	return u.f.loginShown(tab)
}

// atEndSession looks at what the browser was sent to. The ID token of zoe makes an
// address that servers refuse, and stays out of it: the hint is her name.
func (f *fixture) atEndSession(b *browser.Browser) {
	f.t.Helper()
	log := b.Log()
	last := log[len(log)-1].URL
	query := last.Query()
	hinted := query.Get("id_token_hint") != "" || query.Get("logout_hint") == "zoe"
	if !strings.HasPrefix(last.String(), f.issuer+"/") || !hinted ||
		query.Get("client_id") != clientID || query.Get("post_logout_redirect_uri") != f.spaURL {
		f.t.Errorf("end session at %s", last)
	}
}

// isLoggedOut: here, at the authorization server, and for whoever kept a copy of
// the cookies.
func (u *user) isLoggedOut(thief *user) {
	f := u.f
	f.t.Helper()
	u.csrf = ""
	if u.loggedIn() {
		f.t.Error("still logged in")
	}
	want(f.t, u.get("/userInfo"), http.StatusUnauthorized, "unauthorized_request")
	want(f.t, thief.post("/refresh", ""), http.StatusUnauthorized, "session_expired")
	if !u.asked() {
		f.t.Error("the next login does not ask who it is")
	}
}

// logsOutHere: without an end-session endpoint the application's own page is
// the next. The refresh token is revoked all the same.
func logsOutHere(f *fixture) {
	u := f.user
	u.logIn("jane")
	thief := u.clone()
	if address := u.logOut(); address != f.spaURL {
		f.t.Errorf("logout URL %s", address)
	}
	u.noCookies()
	u.csrf = ""
	if u.loggedIn() {
		f.t.Error("still logged in")
	}
	want(f.t, thief.post("/refresh", ""), http.StatusUnauthorized, "session_expired")
}

// logsOutDirectly: the setting for a URL without the hint.
func logsOutDirectly(f *fixture) {
	u := f.user
	u.logIn("jane")
	address := u.logOut()
	direct, err := url.Parse(address)
	f.check(err)
	if !strings.HasPrefix(address, f.issuer+"/") || direct.Query().Has("id_token_hint") {
		f.t.Fatalf("logout URL %s", address)
	}
	f.check(u.app.Go(address))
	f.check(u.app.Submit(map[string]string{"logout": "yes"}))
	u.backAtApp(u.app)
	u.noCookies()
}
