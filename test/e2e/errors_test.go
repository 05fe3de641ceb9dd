package e2e

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"oauth-agent/test/idp"
)

// send sends the request that fails, changed by edits.
type send func(edits ...edit) *answer

// failure is a row of the table of errors: prepare makes a world in which the
// request that it returns is answered so.
type failure struct {
	name    string
	status  int
	code    string
	prepare func(w *world) send
}

// run sends the request of a row twice: from a page that is not trusted, which
// learns nothing and changes nothing, and from the SPA. The CORS headers of both
// are checked with every answer, see client.check.
func run(t *testing.T, rows []failure) {
	t.Helper()
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, impatient)
			request := row.prepare(w)
			foreign := request(header("Origin", "https://evil.example"))
			if row.status != http.StatusNotFound && row.status != http.StatusMethodNotAllowed {
				foreign.want(401, "unauthorized_request")
			}
			if len(foreign.setCookies()) != 0 {
				t.Errorf("a stranger's request set cookies: %v", foreign.Header)
			}
			a := request().want(row.status, row.code)
			if message, _ := a.json("message").(string); message == "" {
				t.Errorf("no message: %s", a.Body)
			}
		})
	}
}

// The requests that the rows are made of.

func (c *client) sendRefresh() send {
	return func(e ...edit) *answer { return c.post("/refresh", "", e...) }
}
func (c *client) sendUserInfo() send {
	return func(e ...edit) *answer { return c.get("/userInfo", e...) }
}
func (c *client) sendEnd(page string) send {
	return func(e ...edit) *answer { return c.end(page, e...) }
}
func (c *client) sendStart(body string) send {
	return func(e ...edit) *answer { return c.post("/login/start", body, e...) }
}

// refreshing is a logged-in browser that refreshes while the server does f.
func refreshing(f idp.Fault) func(*world) send {
	return func(w *world) send {
		c := w.login()
		w.idp.SetFault(idp.Token, f)
		return c.sendRefresh()
	}
}

// redeeming is a browser that brings a code while the server does f at endpoint.
func redeeming(endpoint idp.Endpoint, f idp.Fault) func(*world) send {
	return func(w *world) send {
		c := w.client()
		page := w.authorize(c.start())
		w.idp.SetFault(endpoint, f)
		return c.sendEnd(page)
	}
}

// asking is a logged-in browser that asks for userinfo while the server does f.
func asking(f idp.Fault) func(*world) send {
	return func(w *world) send {
		c := w.login()
		w.idp.SetFault(idp.Userinfo, f)
		return c.sendUserInfo()
	}
}

// responding is a browser that comes back with an authorization response of
// these parameters and a good state.
func responding(params string) func(*world) send {
	return func(w *world) send {
		c := w.client()
		return c.sendEnd(w.response(c.start(), params))
	}
}

func TestUnauthorizedRequest(t *testing.T) {
	t.Parallel()
	loggedIn := func(request func(c *client) send) func(*world) send {
		return func(w *world) send { return request(w.login()) }
	}
	loggedOut := func(method, path string) func(*world) send {
		return func(w *world) send {
			c := w.client()
			return func(e ...edit) *answer { return c.do(method, path, "", e...) }
		}
	}
	csrf := func(values ...string) func(*world) send {
		return loggedIn(func(c *client) send {
			for i, value := range values {
				values[i] = strings.ReplaceAll(value, "good", c.csrf)
			}
			return func(e ...edit) *answer {
				return c.post("/logout", "", append(e, func(r *http.Request) {
					r.Header["X-Example-Csrf"] = values
				})...)
			}
		})
	}
	broken := func(name, path string) func(*world) send {
		return loggedIn(func(c *client) send {
			c.put(name, strings.Repeat("A", 300))
			return func(e ...edit) *answer { return c.get(path, e...) }
		})
	}
	run(t, []failure{
		{"no session at userInfo", 401, "unauthorized_request", loggedOut("GET", "/userInfo")},
		{"no session at claims", 401, "unauthorized_request", loggedOut("GET", "/claims")},
		{"no session at refresh", 401, "unauthorized_request", loggedOut("POST", "/refresh")},
		{"no session at logout", 401, "unauthorized_request", loggedOut("POST", "/logout")},
		{"cookie that does not open at userInfo", 401, "unauthorized_request", broken("example-at", "/userInfo")},
		{"cookie that does not open at claims", 401, "unauthorized_request", broken("example-at", "/claims")},
		{"no CSRF header", 401, "unauthorized_request", csrf()},
		{"empty CSRF header", 401, "unauthorized_request", csrf("")},
		{"wrong CSRF header", 401, "unauthorized_request", csrf(strings.Repeat("A", 43))},
		{"two CSRF headers", 401, "unauthorized_request", csrf("good", "x")},
		{"the CSRF header twice", 401, "unauthorized_request", csrf("good", "good")},
		{"a longer CSRF header", 401, "unauthorized_request", csrf("goodA")},
		{"a list of CSRF tokens", 401, "unauthorized_request", csrf("good, good")},
		{"no Origin", 401, "unauthorized_request", loggedIn(func(c *client) send {
			return func(e ...edit) *answer { return c.post("/refresh", "", append([]edit{header("Origin", "")}, e...)...) }
		})},
	})
}

func TestTokenExpired(t *testing.T) {
	t.Parallel()
	// A token that was given this minute is another matter, see TestUserinfoRefused.
	aged := func(prepare func(*world) send) func(*world) send {
		return func(w *world) send {
			request := prepare(w)
			w.clock.advance(61 * time.Second)
			return request
		}
	}
	rows := []failure{{"dead access token", 401, "token_expired", aged(func(w *world) send {
		c := w.login()
		w.idp.KillAccessTokens()
		return c.sendUserInfo()
	})}}
	for name, f := range refusedAtUserinfo {
		rows = append(rows, failure{name, 401, "token_expired", aged(asking(f))})
		rows = append(rows, failure{name + ", new", 403, "userinfo_refused", asking(f)})
	}
	run(t, rows)
}

// refusedAtUserinfo is how real servers say that an access token is not good.
var refusedAtUserinfo = map[string]idp.Fault{
	"401, empty":          idp.Empty(401),
	"401, HTML":           idp.HTML(401),
	"400 invalid_token":   idp.OAuthError(400, "invalid_token"),
	"403 invalid_token":   idp.OAuthError(403, "invalid_token"),
	"200 invalid_token":   idp.OAuthError(200, "invalid_token"),
	"500 invalid_token":   idp.OAuthError(500, "invalid_token"),
	"403, in the header":  {Status: 403, Header: http.Header{"Www-Authenticate": {`Bearer realm="x", error="invalid_token"`}}},
	"200, in a form":      {Status: 200, ContentType: form, Body: "error=invalid_token"},
	"400, not the Bearer": {Status: 400, Header: http.Header{"Www-Authenticate": {`DPoP error=invalid_token, algs="ES256"`}}},
}

func TestRequestErrors(t *testing.T) {
	t.Parallel()
	do := func(method, path, body string) func(*world) send {
		return func(w *world) send {
			c := w.client()
			return func(e ...edit) *answer { return c.do(method, path, body, e...) }
		}
	}
	run(t, []failure{
		{"no such path", 404, "not_found", do("GET", "/nothing", "")},
		{"wrong method", 405, "method_not_allowed", do("GET", "/login/start", "")},
		{"too large", 413, "request_too_large", do("POST", "/login/end", `{"pageUrl":"`+strings.Repeat("x", 70<<10)+`"}`)},
		{"bad body", 400, "invalid_request", do("POST", "/login/end", "{")},
		{"bad extraParams", 400, "invalid_request", do("POST", "/login/start", `{"extraParams":[{"key":"state","value":"x"}]}`)},
		{"foreign state", 400, "invalid_request", do("POST", "/login/end", `{"pageUrl":"`+redirectURI+`?code=c&state=s"}`)},
		{"no login cookie", 400, "invalid_request", func(w *world) send {
			page := w.authorize(w.client().start())
			return w.client().sendEnd(page)
		}},
		{"ID token refused", 400, "invalid_request", func(w *world) send {
			w.idp.SetIDTokenFault(idp.IDTokenFault{Signing: idp.SignWrongKey})
			c := w.client()
			return c.sendEnd(w.authorize(c.start()))
		}},
		{"no ID token to show", 404, "no_id_token", func(w *world) send {
			c := w.client()
			c.end(w.authorize(c.start("scope", "profile"))).want(200, "")
			return func(e ...edit) *answer { return c.get("/claims", e...) }
		}},
	})
}
