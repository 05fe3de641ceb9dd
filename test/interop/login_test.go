//go:build interop

package interop

import (
	"net/http"
	"net/url"
	"strings"
)

// zoe's name as both servers have it: no encoding on the way may harm it.
const zoesName = "Zoë Łukasiewicz-Ñandú 東京 🦊"

func logsIn(f *fixture) {
	u := f.user
	if u.loggedIn() {
		f.t.Error("logged in before the login")
	}
	want(f.t, u.get("/userInfo"), http.StatusUnauthorized, "unauthorized_request")
	want(f.t, u.get("/claims"), http.StatusUnauthorized, "unauthorized_request")

	u.logIn("zoe")
	csrf := u.csrf
	if !u.loggedIn() || u.csrf != csrf {
		f.t.Error("a page load after the login tells another story")
	}
	if status, end := u.endLogin(u.app.URL); end.Handled {
		f.t.Errorf("a page load is handled as a login: %d %+v", status, end)
	}
	info, claims := u.userInfo(), u.object("/claims")
	for name, object := range map[string]map[string]any{"userInfo": info, "claims": claims} {
		if object["preferred_username"] != "zoe" || object["name"] != zoesName {
			f.t.Errorf("%s: %v", name, object)
		}
	}
	if claims["iss"] != f.issuer || claims["sub"] != info["sub"] {
		f.t.Errorf("claims %v, userinfo %v", claims, info)
	}
	u.nothingForScripts()
}

// nothingForScripts: no cookie is readable, and each is as strict as it may be.
func (u *user) nothingForScripts() {
	u.f.t.Helper()
	if readable := u.app.Cookies(); readable != "" {
		u.f.t.Errorf("document.cookie = %q", readable)
	}
	if refused := u.browser.Jar.Refused(); refused != nil {
		u.f.t.Errorf("the browser refused %v", refused)
	}
	for _, c := range u.browser.Jar.All() {
		if !strings.Contains(c.Name, "example-") {
			continue
		}
		if !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.Secure != u.f.scenario.tls {
			u.f.t.Errorf("cookie %s: %+v", c.Name, c)
		}
	}
}

// logsInOverTLS: with https, cookies have the strongest name that their path allows.
func logsInOverTLS(f *fixture) {
	f.user.logIn("jane")
	f.user.refresh()
	f.user.userInfo()
	f.user.nothingForScripts()
	for name := range f.user.cookies() {
		if !strings.HasPrefix(name, "__Host-Http-example-") && !strings.HasPrefix(name, "__Secure-example-") {
			f.t.Errorf("cookie %s has no prefix", name)
		}
	}
	want(f.t, f.user.post("/logout", ""), http.StatusOK)
	f.user.csrf = ""
	if f.user.loggedIn() {
		f.t.Error("still logged in")
	}
}

// twoTabsLogIn: both start before either ends, and the first is the last to end.
func twoTabsLogIn(f *fixture) {
	u := f.user
	first, second := u.app, u.open(f.spaURL)
	firstURL, secondURL := u.startLogin(), u.startLogin()
	u.goThrough(second, secondURL, "jane")
	u.goThrough(first, firstURL, "jane")
	for name, page := range map[string]*url.URL{"second": second.URL, "first": first.URL} {
		status, end := u.endLogin(page)
		if status != http.StatusOK || !end.Handled || !end.IsLoggedIn {
			f.t.Errorf("%s tab: %d %+v", name, status, end)
		}
	}
	u.userInfo()
	u.refresh()
}

// replaysLogin: the response of a login that ended is worth nothing.
func replaysLogin(f *fixture) {
	u := f.user
	u.logIn("jane")
	exchanges := f.tap.count("authorization_code")
	tab := u.open(f.spaURL)
	u.goThrough(tab, u.startLogin(), "jane")
	for i, wanted := range []int{http.StatusOK, http.StatusBadRequest} {
		if status, end := u.endLogin(tab.URL); status != wanted {
			f.t.Errorf("time %d: %d %+v", i+1, status, end)
		}
	}
	stranger := f.newUser()
	u.past = append(u.past, stranger)
	if status, end := stranger.endLogin(tab.URL); status != http.StatusBadRequest || end.Code != "invalid_request" {
		f.t.Errorf("in another browser: %d %+v", status, end)
	}
	if n := f.tap.count("authorization_code") - exchanges; n != 1 {
		f.t.Errorf("%d exchanges for one login", n)
	}
}

// deniesConsent: the user says no, and may think again.
func deniesConsent(f *fixture) {
	u := f.user
	f.check(u.app.Go(u.startLogin()))
	f.check(f.deny(u.app))
	u.backAtApp(u.app)
	if status, end := u.endLogin(u.app.URL); status != http.StatusBadRequest || end.Code != "access_denied" {
		f.t.Errorf("login/end: %d %+v, want 400 access_denied", status, end)
	}
	f.check(u.app.Go(f.spaURL))
	if u.loggedIn() {
		f.t.Error("logged in")
	}
	u.logIn("jane")
	u.userInfo()
}

// asksSilently: prompt=none is answered login_required, then with a login once
// there is a session at the authorization server.
func asksSilently(f *fixture) {
	u := f.user
	f.check(u.app.Go(u.startLogin("prompt", "none")))
	u.backAtApp(u.app)
	if status, end := u.endLogin(u.app.URL); status != http.StatusUnauthorized || end.Code != "login_required" {
		f.t.Errorf("login/end: %d %+v, want 401 login_required", status, end)
	}
	f.check(u.app.Go(f.spaURL))
	u.logIn("jane")

	f.check(u.app.Go(u.startLogin("prompt", "none", "ui_locales", "fr en")))
	u.backAtApp(u.app)
	if status, end := u.endLogin(u.app.URL); status != http.StatusOK || !end.IsLoggedIn {
		f.t.Errorf("login/end: %d %+v, want a login", status, end)
	}
}

// logsInWithoutOpenID: an OAuth server, as far as this scope goes.
func logsInWithoutOpenID(f *fixture) {
	u := f.user
	u.logIn("jane")
	want(f.t, u.get("/claims"), http.StatusNotFound, "no_id_token")
	u.refresh()
	if !u.loggedIn() {
		f.t.Error("not logged in after a refresh")
	}
	want(f.t, u.get("/claims"), http.StatusNotFound, "no_id_token")
	want(f.t, u.post("/logout", ""), http.StatusOK)
	u.noCookies()
}

// carriesLargeTokens: what does not fit one cookie is split, nothing is lost.
func carriesLargeTokens(f *fixture) {
	u := f.user
	u.logIn("zoe")
	for range 2 {
		if claims := u.object("/claims"); len(text(claims["filler"])) != 5000 || claims["name"] != zoesName {
			f.t.Errorf("claims: %.300v", claims)
		}
		u.userInfo()
		u.refresh()
	}
	cookies := u.cookies()
	for _, name := range []string{"example-at-1", "example-auth-1", "example-id-1"} {
		if cookies[name] == "" {
			f.t.Errorf("no cookie %s; the test wants tokens that do not fit one", name)
		}
	}
	u.nothingForScripts()
	u.leave()
}

func text(v any) string {
	s, _ := v.(string)
	return s
}
