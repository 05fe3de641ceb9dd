//go:build interop

package interop

import (
	"crypto/tls"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"oauth-agent/test/internal/browser"
)

// user is somebody with a browser, and with the application open in a tab.
type user struct {
	f       *fixture
	browser *browser.Browser
	app     *browser.Tab
	csrf    string
	past    []*user // who was cloned from this one
}

type loginEnd struct {
	Handled    bool
	IsLoggedIn bool
	CSRF       string
	Code       string // of an error
	Message    string
}

func (f *fixture) newUser() *user {
	f.t.Helper()
	// The certificates are the test's own.
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}} //nolint:gosec // see above
	f.t.Cleanup(transport.CloseIdleConnections)
	u := &user{f: f, browser: browser.New(transport)}
	u.app = u.open(f.spaURL)
	return u
}

// clone is the same user with the same cookies, from here on going their own way.
func (u *user) clone() *user {
	c := &user{f: u.f, browser: u.browser.Clone(), csrf: u.csrf}
	u.past = append(u.past, c)
	c.app = c.open(u.f.spaURL)
	return c
}

// seen lists all browsers whose exchanges are to be looked at.
func (u *user) seen() []*browser.Browser {
	all := []*browser.Browser{u.browser}
	for _, c := range u.past {
		all = append(all, c.seen()...)
	}
	return all
}

func (u *user) open(address string) *browser.Tab {
	u.f.t.Helper()
	tab, err := u.browser.Open(address)
	u.f.check(err)
	return tab
}

// post and get call the agent as the application's script does.
func (u *user) post(path, body string) *browser.Answer {
	u.f.t.Helper()
	answer, err := u.tryPost(path, body)
	u.f.check(err)
	return answer
}

func (u *user) tryPost(path, body string) (*browser.Answer, error) {
	headers := map[string]string{}
	if u.csrf != "" {
		headers["x-example-csrf"] = u.csrf
	}
	return u.app.Fetch(browser.Fetch{Method: http.MethodPost, URL: u.f.agentURL + path, Body: body, Header: headers})
}

func (u *user) get(path string) *browser.Answer {
	u.f.t.Helper()
	answer, err := u.app.Fetch(browser.Fetch{URL: u.f.agentURL + path})
	u.f.check(err)
	return answer
}

// startLogin asks the agent where to go, with extra parameters if any.
func (u *user) startLogin(extra ...string) string {
	u.f.t.Helper()
	var params []string
	for i := 0; i+1 < len(extra); i += 2 {
		params = append(params, fmt.Sprintf(`{"key":%q,"value":%q}`, extra[i], extra[i+1]))
	}
	body := ""
	if params != nil {
		body = `{"extraParams":[` + strings.Join(params, ",") + `]}`
	}
	answer := u.post("/login/start", body)
	var start struct{ AuthorizationRequestURL string }
	want(u.f.t, answer, http.StatusOK)
	u.f.check(answer.JSON(&start))
	return start.AuthorizationRequestURL
}

// endLogin hands the page's URL to the agent, as on every page load.
func (u *user) endLogin(page *url.URL) (int, loginEnd) {
	u.f.t.Helper()
	answer := u.post("/login/end", fmt.Sprintf(`{"pageUrl":%q}`, page))
	var end loginEnd
	u.f.check(answer.JSON(&end))
	if end.CSRF != "" {
		u.csrf = end.CSRF
	}
	return answer.Status, end
}

// goThrough leaves the application for the authorization server, logs in there,
// and is back at the application with a response in the URL.
func (u *user) goThrough(tab *browser.Tab, authorization, name string) {
	u.f.t.Helper()
	u.f.check(tab.Go(authorization))
	u.f.check(u.f.logIn(tab, name))
	u.backAtApp(tab)
}

func (u *user) backAtApp(tab *browser.Tab) {
	u.f.t.Helper()
	if !strings.HasPrefix(tab.URL.String(), u.f.spaURL) {
		u.f.t.Fatalf("not back at the application but at %s (status %d): %.500q", tab.URL, tab.Status, tab.Body)
	}
}

// logIn is a whole login.
func (u *user) logIn(name string) {
	u.f.t.Helper()
	u.goThrough(u.app, u.startLogin(), name)
	status, end := u.endLogin(u.app.URL)
	if status != http.StatusOK || !end.Handled || !end.IsLoggedIn || end.CSRF == "" {
		u.f.t.Fatalf("login/end: %d %+v", status, end)
	}
	u.f.check(u.app.Go(u.f.spaURL)) // history.replaceState: the response leaves the URL
}

// loggedIn asks as the application does at every page load.
func (u *user) loggedIn() bool {
	u.f.t.Helper()
	status, end := u.endLogin(u.app.URL)
	if status != http.StatusOK {
		u.f.t.Errorf("login/end: %d %+v", status, end)
	}
	return end.IsLoggedIn
}

// userInfo must answer, for this user.
func (u *user) userInfo() map[string]any {
	u.f.t.Helper()
	return u.object("/userInfo")
}

func (u *user) object(path string) map[string]any {
	u.f.t.Helper()
	answer := u.get(path)
	want(u.f.t, answer, http.StatusOK)
	var object map[string]any
	u.f.check(answer.JSON(&object))
	return object
}

// refresh must succeed.
func (u *user) refresh() {
	u.f.t.Helper()
	want(u.f.t, u.post("/refresh", ""), http.StatusNoContent)
}

// cookies gives the agent's cookies: name to value.
func (u *user) cookies() map[string]string {
	out := map[string]string{}
	for _, c := range u.browser.Jar.All() {
		if strings.Contains(c.Name, "example-") {
			out[c.Name] = c.Value
		}
	}
	return out
}

// noCookies must be left of the agent's, once all is over.
func (u *user) noCookies() {
	u.f.t.Helper()
	if left := u.cookies(); len(left) > 0 {
		u.f.t.Errorf("cookies left: %v", slices.Sorted(maps.Keys(left)))
	}
}

// noSession: as noCookies, but the way to the authorization server's own logout
// is still open for a minute.
func (u *user) noSession() {
	u.f.t.Helper()
	left := u.cookies()
	maps.DeleteFunc(left, func(name, _ string) bool { return strings.HasPrefix(name, "example-logout") })
	if len(left) > 0 {
		u.f.t.Errorf("cookies left: %v", slices.Sorted(maps.Keys(left)))
	}
}

func want(t *testing.T, answer *browser.Answer, status int, code ...string) {
	t.Helper()
	if answer.Status != status {
		t.Errorf("status %d, want %d; body %.300s", answer.Status, status, answer.Body)
	}
	if answer.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("Cache-Control: %q", answer.Header.Get("Cache-Control"))
	}
	if len(code) == 0 {
		return
	}
	var failure struct{ Code string }
	if err := answer.JSON(&failure); err != nil || failure.Code != code[0] {
		t.Errorf("code %q, want %q; body %.300s", failure.Code, code[0], answer.Body)
	}
}
