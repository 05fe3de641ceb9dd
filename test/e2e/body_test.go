package e2e

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"oauth-agent/test/idp"
)

// notObjects are bodies that are no JSON object, or one that two readers would
// read in two ways.
var notObjects = map[string]string{
	"open brace": "{", "garbage": "\x00\xff\x7f", "word": "hello", "number": "7", "text": `"x"`, "true": "true", "null": "null",
	"list": "[]", "list of objects": `[{"pageUrl":"http://localhost:3000/"}]`, "two objects": "{}{}", "trailing comma": `{"a":1,}`,
	"trailing text": "{} x", "comment": "{/**/}", "single quotes": "{'a':1}", "no quotes": "{a:1}", "not UTF-8": "{\"a\":\"\xff\"}",
	"UTF-16": "\xff\xfe{\x00}\x00", "BOM": "\ufeff{}", "deep list": strings.Repeat("[", 30000),
	"deep object":   strings.Repeat(`{"a":`, 10500) + "1" + strings.Repeat("}", 10500),
	"member twice":  `{"extraParams":[],"extraParams":[],"pageUrl":"http://localhost:3000/","pageUrl":"http://localhost:3000/"}`,
	"escaped twice": `{"pageUrl":"http://localhost:3000/","page\u0055rl":"http://localhost:3000/","extraParams":[],"extr\u0061Params":[]}`,
	"form as JSON":  "pageUrl=http%3A%2F%2Flocalhost%3A3000%2F", "NaN": `{"a":NaN}`, "lone brace": "}", "control character": "{\"a\":\"\x01\"}",
}

func TestBodiesThatAreNoObject(t *testing.T) {
	t.Parallel()
	c := newWorld(t).client()
	for name, body := range notObjects {
		for _, path := range []string{"/login/start", "/login/end"} {
			a := c.post(path, body)
			if a.Status != 400 || a.json("code") != "invalid_request" || len(c.jar) != 0 {
				t.Errorf("%s to %s: %d %s", name, path, a.Status, a.Body)
			}
		}
	}
}

func TestBodySizes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.login()
	for _, path := range []string{"/login/start", "/login/end", "/refresh", "/logout"} {
		for _, size := range []int{64<<10 + 1, 1 << 20, 5 << 20} {
			c.post(path, strings.Repeat(" ", size)).want(413, "request_too_large")
		}
	}
	c.post("/login/start", strings.Repeat(" ", 64<<10)).want(200, "")
	c.do(http.MethodGet, "/userInfo", strings.Repeat(" ", 70<<10)).want(413, "request_too_large")
	c.works()
}

func TestPageURLBodies(t *testing.T) {
	t.Parallel()
	c := newWorld(t).client()
	for _, value := range []string{
		`7`, `null`, `true`, `{}`, `[]`, `["http://localhost:3000/"]`, `""`, `"/"`, `"//localhost/"`, `"localhost:3000/"`, `"javascript:alert(1)"`,
		`"data:,x"`, `"file:///etc/passwd"`, `"ftp://localhost/"`, `"http://"`, `"http:///path"`, `"http:/localhost/"`, `"http://a b/"`, `" "`, `"?code=c&state=s"`,
		`"http://\\evil"`, `"blob:http://localhost:3000/x"`,
	} {
		c.post("/login/end", `{"pageUrl":`+value+`}`).want(400, "invalid_request")
	}
	c.post("/login/end", `{}`).want(400, "invalid_request")
	c.post("/login/end", ``).want(400, "invalid_request")
	c.post("/login/end", `{"pageURL":"http://localhost:3000/"}`).want(400, "invalid_request") // names are exact
	for _, page := range []string{
		"http://localhost:3000/%zz?%=%&code=%zz#%", "http://localhost:3000/\u00e9\u4e2d?q=\u00e9", "http://localhost:3000?;=;&&&=&==",
		"http://[::1]:3000/", "http://localhost:3000/" + strings.Repeat("x", 60000), "HTTPS://Example.COM:443",
		"http://localhost:3000/\x00", "http://localhost:3000/<script>",
	} {
		if a := c.end(page).want(200, ""); a.json("handled") != false {
			t.Errorf("%.60q: %s", page, a.Body)
		}
	}
	c.post("/login/end", `{"pageUrl":"http://localhost:3000/","more":[1,{"x":null}]}`).want(200, "")
}

func TestFormBodies(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.client()
	form := func(body, contentType string) *answer {
		return c.post("/login/end", body, header("Content-Type", contentType))
	}
	const kind = "application/x-www-form-urlencoded"
	page := w.authorize(c.start())
	for _, body := range []string{
		"", "x=y", "pageUrl=", "pageUrl=%zz", "pageUrl=a;b", "pageUrl=" + url.QueryEscape(page) + "&pageUrl=" + url.QueryEscape(page),
		"pageUrl[]=" + url.QueryEscape(page), `{"pageUrl":"http://localhost:3000/"}`,
	} {
		if a := form(body, kind); a.Status != 400 || a.json("code") != "invalid_request" {
			t.Errorf("%.60q: %d %s", body, a.Status, a.Body)
		}
	}
	a := form(url.Values{"pageUrl": {page}, "other": {"x"}}.Encode(), "Application/X-WWW-Form-Urlencoded; charset=UTF-8").want(200, "")
	if a.json("handled") != true || a.json("isLoggedIn") != true {
		t.Errorf("login by form: %s", a.Body)
	}
	// JSON is JSON whatever it is called; a form has to say so.
	for _, contentType := range []string{"", "text/plain", "application/json; charset=utf-8", "application/vnd.x+json", ";;;"} {
		form(`{"pageUrl":"http://localhost:3000/"}`, contentType).want(200, "")
	}
	form("pageUrl="+url.QueryEscape(origin+"/"), "text/plain").want(400, "invalid_request")
}

func TestExtraParamsRefused(t *testing.T) {
	t.Parallel()
	c := newWorld(t).client()
	refused := func(body string) {
		t.Helper()
		if a := c.post("/login/start", body); a.Status != 400 || a.json("code") != "invalid_request" || len(a.setCookies()) != 0 {
			t.Errorf("%.200s: %d %s", body, a.Status, a.Body)
		}
	}
	for _, key := range []string{
		"client_id", "redirect_uri", "response_type", "response_mode", "state", "nonce", "code_challenge", "code_challenge_method",
		"code_verifier", "request", "request_uri", "client_assertion", "client_assertion_type", "client_secret",
		"State", "STATE", " state", "state ", "sta te", "state\x00", "state[]", "state[0]", "redirect.uri", "redirect uri", "Client_ID", "Scope", "",
	} {
		body, _ := json.Marshal(map[string]any{"extraParams": []map[string]string{{"key": key, "value": "x"}}})
		if key != "sta te" { // which is sta_te to PHP, and state to nobody
			refused(string(body))
		}
	}
	for _, list := range []string{
		`{}`, `"x"`, `7`, `true`, `{"key":"a","value":"b"}`, `["a"]`, `[null]`, `[[]]`, `[{}]`, `[{"key":"a"}]`, `[{"value":"a"}]`,
		`[{"key":"a","value":1}]`, `[{"key":"a","value":null}]`, `[{"key":1,"value":"a"}]`, `[{"key":"a","value":["b"]}]`, `[{"Key":"a","Value":"b"}]`,
		`[{"key":"a","value":"b","value":"c"}]`, `[{"key":"a","key":"b","value":"c"}]`,
		`[{"key":"a","value":"b"},{"key":"a","value":"b"}]`, `[{"key":"a","value":"1"},{"key":"A","value":"2"}]`,
		`[{"key":"scope","value":"openid"},{"key":"scope","value":"profile"}]`,
		`[{"key":"scope","value":"openid email"}]`, `[{"key":"scope","value":""}]`, `[{"key":"scope","value":" "}]`,
		`[{"key":"scope","value":"openid\tprofile"}]`, `[{"key":"scope","value":"OPENID"}]`, `[{"key":"scope","value":"openid\u00a0profile"}]`,
		`[{"key":"max_age","value":"-1"}]`, `[{"key":"max_age","value":"1e3"}]`, `[{"key":"max_age","value":""}]`, `[{"key":"max_age","value":"99999999999999999999"}]`,
	} {
		refused(`{"extraParams":` + list + `}`)
	}
	for _, body := range []string{``, ` `, `{}`, `{"extraParams":[]}`, `{"extraParams":null}`, `{"other":1}`} {
		c.post("/login/start", body).want(200, "")
	}
}

func TestExtraParamsAreEncoded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	want := map[string]string{
		"ui_locales": "fr-CA", "login_hint": "zoë+1@example.com", "a b": "c d", "emoji": "😀", "amp": "x&state=evil&redirect_uri=https://evil.example",
		"equals": "a=b", "hash": "#fragment", "percent": "100%25", "empty": "", "quotes": `"<>'`, "line": "a\r\nSet-Cookie: x=y", "acr_values": "urn:a urn:b", "k&y=": "v",
	}
	var pairs []string
	for k, v := range want {
		pairs = append(pairs, k, v)
	}
	c := w.client()
	raw := c.start(pairs...)
	u, err := url.Parse(raw)
	if err != nil || strings.ContainsAny(raw, " \r\n\"<>") {
		t.Fatalf("%s: %v", raw, err)
	}
	q, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		t.Fatal(err)
	}
	for k, v := range want {
		if got := q[k]; !slices.Equal(got, []string{v}) {
			t.Errorf("%q arrives as %q", k, got)
		}
	}
	for _, k := range []string{"client_id", "redirect_uri", "response_type", "scope", "state", "nonce", "code_challenge", "code_challenge_method"} {
		if len(q[k]) != 1 || q.Get(k) == "" {
			t.Errorf("%s: %q", k, q[k])
		}
	}
	if q.Get("redirect_uri") != redirectURI || q.Get("code_challenge_method") != "S256" || q.Get("scope") != "openid profile" || u.Fragment != "" {
		t.Errorf("%s", raw)
	}
	c.end(w.authorize(raw)).want(200, "")
}

func TestScope(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, scope := range []string{"openid", "profile openid", "openid profile"} {
		c := w.client()
		if got := c.start("scope", scope); !strings.Contains(got, "scope="+strings.ReplaceAll(scope, " ", "+")) {
			t.Errorf("%s: %s", scope, got)
		}
	}
	w = newWorld(t, with("ALLOW_SCOPE_WIDENING", "true"))
	c := w.client()
	c.end(w.authorize(c.start("scope", "openid email"))).want(200, "")
	// Without openid there is no nonce to send, and no ID token to wait for.
	c = w.client()
	raw := c.start("scope", "profile")
	if strings.Contains(raw, "nonce=") {
		t.Error(raw)
	}
	c.end(w.authorize(raw)).want(200, "")
	c.get("/claims").want(404, "no_id_token")
	if n := w.idp.Calls(idp.Userinfo); n != 0 {
		t.Error("userinfo was asked")
	}
}
