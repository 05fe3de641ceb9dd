package e2e

import (
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// client is a browser on the SPA's page, as far as the agent can tell: it keeps
// cookies by name and path, and ignores Secure, since the tests' listeners
// speak plain HTTP.
type client struct {
	t       *testing.T
	w       *world
	url     string // of the agent, base path included
	http    *http.Client
	cookies map[string]*http.Cookie
	csrf    string
	prefix  string // of the CSRF header
}

func (w *world) client() *client {
	base := w.env["BASE_PATH"]
	if base == "" {
		base = "/oauth-agent"
	}
	return &client{
		t: w.t, w: w, url: w.agent.URL + strings.TrimSuffix(base, "/"),
		http:    &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
		cookies: map[string]*http.Cookie{}, prefix: "example",
	}
}

// clone is another tab of the moment: same cookies now, apart from here on.
func (c *client) clone() *client {
	d := *c
	d.cookies = maps.Clone(c.cookies)
	return &d
}

// answer is what came back.
type answer struct {
	t      *testing.T
	Status int
	Header http.Header
	Body   string
}

// json gives a member of the answer.
func (a *answer) json(key string) any {
	a.t.Helper()
	var m map[string]any
	if err := json.Unmarshal([]byte(a.Body), &m); err != nil {
		a.t.Fatalf("%d, not JSON: %q", a.Status, a.Body)
	}
	return m[key]
}

// want fails the test unless the answer has this status and error code.
func (a *answer) want(status int, code string) *answer {
	a.t.Helper()
	if a.Status != status {
		a.t.Fatalf("status %d, want %d %s: %s", a.Status, status, code, a.Body)
	}
	if code != "" && a.json("code") != code {
		a.t.Fatalf("%d %s, want code %s", a.Status, a.Body, code)
	}
	return a
}

// setCookies are the cookies that the answer sets or clears.
func (a *answer) setCookies() []*http.Cookie {
	return (&http.Response{Header: a.Header}).Cookies()
}

// cleared lists the names that the answer clears.
func (a *answer) cleared() []string {
	var names []string
	for _, c := range a.setCookies() {
		if c.MaxAge < 0 {
			names = append(names, c.Name)
		}
	}
	slices.Sort(names)
	return names
}

// edit changes a request before it is sent.
type edit func(*http.Request)

// header sets a header; an empty value removes it.
func header(name, value string) edit {
	return func(r *http.Request) {
		if value == "" {
			r.Header.Del(name)
			return
		}
		r.Header.Set(name, value)
	}
}

// do sends a request as the SPA would, with the cookies of its path, and keeps
// the cookies that come back.
func (c *client) do(method, path, body string, edits ...edit) *answer {
	c.t.Helper()
	req, err := http.NewRequestWithContext(c.t.Context(), method, c.url+path, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	req.Header.Set("Origin", origin)
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	if c.csrf != "" && method != http.MethodGet {
		req.Header.Set("x-"+c.prefix+"-csrf", c.csrf)
	}
	for _, name := range slices.Sorted(maps.Keys(c.cookies)) {
		if cookie := c.cookies[name]; covers(cookie.Path, req.URL.Path) {
			req.AddCookie(&http.Cookie{Name: cookie.Name, Value: cookie.Value})
		}
	}
	for _, e := range edits {
		e(req)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		c.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	a := &answer{t: c.t, Status: resp.StatusCode, Header: resp.Header, Body: string(text)}
	c.keep(a)
	c.check(a)
	return a
}

// covers is RFC 6265 5.1.4.
func covers(cookiePath, path string) bool {
	return path == cookiePath || strings.HasPrefix(path, strings.TrimSuffix(cookiePath, "/")+"/")
}

func (c *client) keep(a *answer) {
	for _, cookie := range a.setCookies() {
		if cookie.MaxAge < 0 {
			delete(c.cookies, cookie.Name)
			continue
		}
		c.cookies[cookie.Name] = cookie
	}
}

// check is what holds for every answer of the agent, whatever the test is about.
func (c *client) check(a *answer) {
	c.t.Helper()
	if a.Status == http.StatusInternalServerError {
		c.t.Errorf("a 500: %s", a.Body)
	}
	if got := a.Header.Get("Cache-Control"); got != "no-store" && a.Status != http.StatusNoContent {
		c.t.Errorf("%d: Cache-Control %q", a.Status, got)
	}
	seen := map[string]bool{}
	for _, cookie := range a.setCookies() {
		if !cookie.HttpOnly || cookie.SameSite != http.SameSiteStrictMode || seen[cookie.Name] || len(cookie.Raw) > 4096 {
			c.t.Errorf("a cookie that should not be: %.100s… (%d bytes)", cookie.Raw, len(cookie.Raw))
		}
		seen[cookie.Name] = true
	}
	visible := a.Body
	for name, values := range a.Header {
		if name != "Location" { // /logout/continue alone has one, for the browser's eyes
			visible += "\n" + strings.Join(values, "\n")
		}
	}
	for _, secret := range c.w.secrets() {
		if strings.Contains(visible, secret) {
			c.t.Errorf("an answer has a secret %q:\n%s", secret, visible)
		}
	}
}

func (c *client) post(path, body string, edits ...edit) *answer {
	c.t.Helper()
	return c.do(http.MethodPost, path, body, edits...)
}

func (c *client) get(path string, edits ...edit) *answer {
	c.t.Helper()
	return c.do(http.MethodGet, path, "", edits...)
}

// start starts a login and gives the authorization request.
func (c *client) start(extra ...string) string {
	c.t.Helper()
	body := ""
	if len(extra) > 0 {
		var params []map[string]string
		for i := 0; i < len(extra); i += 2 {
			params = append(params, map[string]string{"key": extra[i], "value": extra[i+1]})
		}
		text, _ := json.Marshal(map[string]any{"extraParams": params})
		body = string(text)
	}
	return c.post("/login/start", body).want(http.StatusOK, "").json("authorizationRequestUrl").(string)
}

// end tells the agent of a page.
func (c *client) end(pageURL string, edits ...edit) *answer {
	c.t.Helper()
	body, _ := json.Marshal(map[string]string{"pageUrl": pageURL})
	return c.post("/login/end", string(body), edits...)
}

// cookieNames lists the cookies that the browser has.
func (c *client) cookieNames() []string { return slices.Sorted(maps.Keys(c.cookies)) }
