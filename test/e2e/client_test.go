package e2e

import (
	"cmp"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
)

// client is a browser on the SPA's page, as far as the agent can tell. Its cookies
// are told apart as RFC 6265 5.3 says, by name, domain and path, so that one
// that is cleared with another path stays. It ignores Secure, since the tests'
// listeners speak plain HTTP.
type client struct {
	t      *testing.T
	w      *world
	base   string // path of the agent, without a slash at its end
	url    string // of the agent, base included
	origin string // of the page
	http   *http.Client
	jar    map[cookieID]*http.Cookie
	csrf   string
	prefix string // of the CSRF header
}

// cookieID is what makes two cookies one.
type cookieID struct{ name, domain, path string }

func (w *world) client() *client {
	base := strings.TrimSuffix(cmp.Or(w.env["BASE_PATH"], "/oauth-agent"), "/")
	return &client{
		t: w.t, w: w, base: base, url: w.agent.URL + base, origin: w.origin(),
		http: &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
		jar:  map[cookieID]*http.Cookie{}, prefix: "example",
	}
}

// clone is another tab of the moment: same cookies now, apart from here on.
func (c *client) clone() *client {
	d := *c
	d.jar = maps.Clone(c.jar)
	return &d
}

// at is the same browser at another replica.
func (c *client) at(replica *httptest.Server) *client {
	d := c.clone()
	d.url = replica.URL + c.base
	return d
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
	req.Header.Set("Origin", c.origin)
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	if c.csrf != "" && method != http.MethodGet {
		req.Header.Set("x-"+c.prefix+"-csrf", c.csrf)
	}
	c.addCookies(req)
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
	c.check(req, a)
	return a
}

// addCookies sends what a browser would, the longest path first (RFC 6265 5.4).
func (c *client) addCookies(req *http.Request) {
	cookies := slices.SortedFunc(maps.Values(c.jar), func(a, b *http.Cookie) int {
		return cmp.Or(cmp.Compare(len(b.Path), len(a.Path)), cmp.Compare(a.Name, b.Name))
	})
	for _, cookie := range cookies {
		if covers(cookie.Path, req.URL.Path) {
			req.AddCookie(&http.Cookie{Name: cookie.Name, Value: cookie.Value})
		}
	}
}

// covers is RFC 6265 5.1.4.
func covers(cookiePath, path string) bool {
	return path == cookiePath || strings.HasPrefix(path, strings.TrimSuffix(cookiePath, "/")+"/")
}

func (c *client) keep(a *answer) {
	for _, cookie := range a.setCookies() {
		id := cookieID{cookie.Name, cookie.Domain, cookie.Path}
		if cookie.MaxAge < 0 {
			delete(c.jar, id)
			continue
		}
		c.jar[id] = cookie
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
func (c *client) cookieNames() []string {
	var names []string
	for id := range c.jar {
		names = append(names, id.name)
	}
	slices.Sort(names)
	return names
}

// cookie is the one of that name; the test fails when there is none.
func (c *client) cookie(name string) *http.Cookie {
	c.t.Helper()
	for id, cookie := range c.jar {
		if id.name == name {
			return cookie
		}
	}
	c.t.Fatalf("no cookie %s among %v", name, c.cookieNames())
	return nil
}

// put plants a value under the name of a cookie that the browser has.
func (c *client) put(name, value string) {
	c.t.Helper()
	planted := *c.cookie(name)
	planted.Value = value
	c.jar[cookieID{planted.Name, planted.Domain, planted.Path}] = &planted
}

// drop deletes the cookies of these names.
func (c *client) drop(names ...string) {
	maps.DeleteFunc(c.jar, func(id cookieID, _ *http.Cookie) bool { return slices.Contains(names, id.name) })
}

// loggedIn tells what a page load says.
func (c *client) loggedIn() bool {
	c.t.Helper()
	return c.end(c.origin+"/").want(http.StatusOK, "").json("isLoggedIn").(bool)
}

// works fails the test unless the session is good for all that a session is for.
func (c *client) works() {
	c.t.Helper()
	c.get("/userInfo").want(http.StatusOK, "")
	c.get("/claims").want(http.StatusOK, "")
	if !c.loggedIn() {
		c.t.Error("not logged in")
	}
	c.post("/refresh", "").want(http.StatusNoContent, "")
	c.get("/userInfo").want(http.StatusOK, "")
}
