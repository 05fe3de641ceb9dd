package e2e

import (
	"encoding/json"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"oauth-agent/test/idp"
)

// A response is known by its state and the cookie of its login. Where the page
// stands does not matter: proxies change scheme and port.
func TestStateDecidesWhateverThePage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, page := range []string{
		"https://localhost/callback", "http://localhost:3000/", "https://internal.example:8443/app/deep",
		"HTTP://LOCALHOST:3000/callback", "http://localhost:3000/callback/", "http://user@localhost:3000/callback",
	} {
		c := w.client()
		_, query, _ := strings.Cut(w.authorize(c.start()), "?")
		a := c.end(page+"?lang=fr&"+query+"&x=100%#/route?state=other").want(200, "")
		if a.json("handled") != true || a.json("isLoggedIn") != true {
			t.Errorf("%s: %s", page, a.Body)
		}
	}
}

// What is no response to a login of this browser is refused at the redirect URI
// and an ordinary page load anywhere else.
func TestForeignResponse(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.login()
	c.start() // a login under way makes no difference
	for _, query := range []string{
		"code=c&state=foreign", "error=access_denied&state=foreign", "error=login_required&state=foreign",
		"code=c", "error=login_required", "code=c&state=", "code=c&error=e&state=s", "state=s&code=c&code=d",
		"code=c&state=s&state=s", "code=c&iss=https://evil.example&state=s",
	} {
		for _, page := range []string{redirectURI, "http://LOCALHOST:3000/callback", "HTTP://localhost:3000/callback"} {
			if a := c.end(page+"?"+query).want(400, "invalid_request"); len(a.setCookies()) != 0 {
				t.Errorf("%s?%s: cookies %v", page, query, a.Header)
			}
		}
		for _, page := range []string{
			origin + "/", origin + "/callback/", origin + "/callbac", "https://localhost:3000/callback", "http://localhost/callback",
		} {
			a := c.end(page+"?"+query).want(200, "")
			if a.json("handled") != false || a.json("isLoggedIn") != true || a.json("csrf") != c.csrf {
				t.Errorf("%s?%s: %s", page, query, a.Body)
			}
		}
	}
	for _, query := range []string{"", "state=foreign", "iss=x", "code=&state=s", "error=&state=s", "CODE=c&State=s", "x[code]=c"} {
		if a := c.end(redirectURI+"?"+query).want(200, ""); a.json("handled") != false {
			t.Errorf("%q: %s", query, a.Body)
		}
	}
	if n := w.idp.Counts()["authorization_code"]; n != 1 {
		t.Errorf("%d codes went to the token endpoint, want that of the login alone", n)
	}
}

// A code with a parameter given twice is never redeemed, even with a good state.
func TestAmbiguousResponseIsNotRedeemed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for name, extra := range map[string]string{
		"two codes": "&code=other", "code and error": "&error=access_denied", "two issuers": "&iss=https://evil.example",
		"two codes, one escaped": "&c%6Fde=other", "same code twice": "&code=c",
	} {
		c := w.client()
		page := w.response(c.start(), "code=c")
		c.end(page+extra).want(400, "invalid_request")
		c.end(page).want(400, "invalid_request") // spent
		if t.Failed() {
			t.Fatal(name)
		}
	}
	// With two states none decides, so no login is spent either.
	c := w.client()
	page := w.authorize(c.start())
	c.end(page+"&state=other").want(400, "invalid_request")
	c.end(strings.Replace(page, "?", "?state=other&", 1)).want(400, "invalid_request")
	if n := w.idp.Counts()["authorization_code"]; n != 0 {
		t.Fatalf("%d codes were redeemed", n)
	}
	c.end(page).want(200, "")
}

func TestResponseIsGoodOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.client()
	page := w.authorize(c.start())
	before := c.clone()
	c.end(page).want(200, "")
	c.end(page).want(400, "invalid_request")
	if a := c.end(strings.Replace(page, "/callback", "/", 1)).want(200, ""); a.json("handled") != false || a.json("isLoggedIn") != true {
		t.Errorf("replayed elsewhere: %s", a.Body)
	}
	// A browser that kept the cookie gets no further: a code is sent once.
	before.end(page).want(400, "invalid_request")
	if n := w.idp.Counts()["authorization_code"]; n != 1 {
		t.Errorf("the code was sent %d times", n)
	}
}

func TestLoginIsSpentByFailure(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for name, fail := range map[string]func(c *client, start string) *answer{
		"an error of the server": func(c *client, start string) *answer { return c.end(w.response(start, "error=access_denied")) },
		"a code refused":         func(c *client, start string) *answer { return c.end(w.response(start, "code=made-up")) },
		"no answer": func(c *client, start string) *answer {
			w.idp.SetFault(idp.Token, idp.Empty(503))
			defer w.idp.ClearFaults()
			return c.end(w.response(start, "code=c"))
		},
		"an ID token refused": func(c *client, start string) *answer {
			w.idp.SetIDTokenFault(idp.IDTokenFault{Signing: idp.SignNone})
			defer w.idp.ClearFaults()
			return c.end(w.authorize(start))
		},
	} {
		c := w.client()
		start := c.start()
		if a := fail(c, start); a.Status < 400 || len(c.jar) != 0 || len(a.cleared()) != 1 {
			t.Errorf("%s: %d, cookies left %v, cleared %v", name, a.Status, c.cookieNames(), a.cleared())
		}
		c.end(w.response(start, "code=c")).want(400, "invalid_request")
	}
}

// A login that fails leaves the user where it began, whatever the reason: the
// login is spent, so this answer is the last that knows the place.
func TestFailedLoginReturnsToWhereTheUserWas(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const deep = "/orders/9?page=2#top"
	for _, tt := range []struct {
		name   string
		params string // of the response; empty: a real code. A code is sent once
		fault  func()
		status int
		code   string
	}{
		{"cancelled", "error=access_denied", nil, 400, "access_denied"},
		{"silent, and the user is needed", "error=login_required", nil, 401, "login_required"},
		{"an odd code", "error=%22x%22", nil, 400, "authorization_error"},
		{"an ambiguous response", "code=a&code=b", nil, 400, "invalid_request"},
		{"a code refused", "code=made-up-NEW", nil, 400, "authorization_error"},
		{"an outage", "code=any-NEW", func() { w.idp.SetFault(idp.Token, idp.Empty(503)) }, 502, "authorization_server_error"},
		{"an ID token refused", "", func() { w.idp.SetIDTokenFault(idp.IDTokenFault{Signing: idp.SignNone}) }, 400, "invalid_request"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for i, returnTo := range []string{deep, ""} {
				c := w.client()
				body, _ := json.Marshal(map[string]string{"returnTo": returnTo})
				start := c.post("/login/start", string(body)).want(200, "").json("authorizationRequestUrl").(string)
				page := w.response(start, strings.ReplaceAll(tt.params, "NEW", strconv.Itoa(i)))
				if tt.params == "" {
					page = w.authorize(start)
				}
				if tt.fault != nil {
					tt.fault()
					defer w.idp.ClearFaults()
				}
				a := c.end(page).want(tt.status, tt.code)
				if got, _ := a.json("returnTo").(string); got != returnTo {
					t.Errorf("begun at %q: %s", returnTo, a.Body)
				}
				// A response that answers no login of this browser knows no place.
				if a := c.end(page).want(400, "invalid_request"); a.json("returnTo") != nil {
					t.Errorf("once more: %s", a.Body)
				}
			}
		})
	}
}

// The words that a server adds to its error could say anything to the user.
func TestMessageIsNeverTheServersText(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.client()
	text := url.Values{"error_description": {"Call 0900-1234 <b>now</b>"}, "error_uri": {"https://evil.example/help"}}.Encode()
	a := c.end(w.response(c.start(), "error=access_denied&"+text)).want(400, "access_denied")
	w.idp.SetFault(idp.Token, idp.Fault{Status: 400, Body: `{"error":"invalid_grant","error_description":"Call 0900-1234","error_uri":"https://evil.example"}`})
	b := c.end(w.authorize(c.start())).want(400, "authorization_error")
	for _, text := range []string{a.Body, b.Body, w.log.String()} {
		if strings.Contains(text, "0900") || strings.Contains(text, "evil.example") {
			t.Errorf("the server's own words: %s", text)
		}
	}
}

// RFC 9207 2.4.
func TestIssuerOfTheResponse(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		announced bool
		iss       string
		status    int
		code      string
	}{
		"right":                  {true, "", 200, ""},
		"right, not announced":   {false, "", 200, ""},
		"missing":                {true, "-", 400, "invalid_request"},
		"missing, not announced": {false, "-", 200, ""},
		"wrong":                  {true, "https://evil.example", 400, "invalid_request"},
		"wrong, not announced":   {false, "https://evil.example", 400, "invalid_request"},
		"slash":                  {true, "/", 400, "invalid_request"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, server(func(c *idp.Config) { c.NoIssInResponse = !tc.announced }))
			c := w.client()
			u, _ := url.Parse(w.authorize(c.start()))
			q := u.Query()
			switch tc.iss {
			case "-":
				q.Del("iss")
			case "/":
				q.Set("iss", w.idp.Issuer+"/")
			case "":
				q.Set("iss", w.idp.Issuer)
			default:
				q.Set("iss", tc.iss)
			}
			u.RawQuery = q.Encode()
			c.end(u.String()).want(tc.status, tc.code)
			if codes := w.idp.Counts()["authorization_code"]; tc.status == 400 && codes != 0 {
				t.Error("the code went to the token endpoint")
			}
			if tc.status == 400 && len(c.jar) != 0 {
				t.Errorf("not spent: %v", c.cookieNames())
			}
		})
	}
}

// An error of another issuer is as little to be believed as a code.
func TestErrorOfAnotherIssuer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.client()
	s := state(c.start())
	c.end(redirectURI+"?error=login_required&state="+s+"&iss=https%3A%2F%2Fevil.example").want(400, "invalid_request")
}

func TestLoginIsDeadAfterFifteenMinutes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, server(func(c *idp.Config) { c.CodeLifetime = time.Hour }))
	c := w.client()
	early, late := w.authorize(c.start()), w.authorize(c.start())
	w.clock.advance(14*time.Minute + 50*time.Second)
	c.end(early).want(200, "")
	w.clock.advance(20 * time.Second)
	c.end(late).want(400, "invalid_request")
	c.start() // the next start clears the dead one
	if n := len(logins(c)); n != 1 {
		t.Errorf("%d login cookies, want that of the new login", n)
	}
}

// logins lists the cookies of logins under way.
func logins(c *client) []string {
	return slices.DeleteFunc(c.cookieNames(), func(name string) bool { return !strings.Contains(name, "-login-") })
}
