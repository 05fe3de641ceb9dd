//go:build interop

package gateways

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"path"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"oauth-agent/test/internal/browser"
)

func TestPageCallsTheAPI(t *testing.T) {
	each(t, func(w *world) {
		u := w.login()
		w.api.take()
		for _, tt := range []struct {
			method string
			csrf   bool
			body   string
		}{
			{"GET", false, ""},
			{"HEAD", false, ""},
			{"POST", true, "{}"},
			{"PUT", true, strings.Repeat("x", 20<<20)},
			{"DELETE", true, ""},
		} {
			answer := w.fetch(u, tt.method, "/api/orders?x=1", tt.csrf, tt.body)
			want := fmt.Sprintf("%s of %d bytes", tt.method, len(tt.body))
			if tt.method == "HEAD" {
				want = ""
			}
			if answer.Status != 200 || answer.Body != want {
				t.Errorf("%s: %d %.100s", tt.method, answer.Status, answer.Body)
			}
			checkArrived(t, w.api.take(), tt.method)
		}
	})
}

// What is in cookies and in the answer of forward auth passes the gateway at any
// size that tokens have: from the login to the logout.
func TestTokenSizes(t *testing.T) {
	for _, size := range []int{600, 1000, 4000, 8000} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			eachWith(t, setup{padding: size}, func(w *world) {
				u := w.login()
				for _, method := range []string{"GET", "POST"} {
					answer := w.fetch(u, method, "/api/orders?x=1", true, "")
					if answer.Status != 200 {
						t.Errorf("%s: %d %.200s", method, answer.Status, answer.Body)
					}
				}
				for range 2 { // the second one with all that the first has set
					if answer := w.fetch(u, "POST", "/oauth-agent/refresh", true, ""); answer.Status != 204 {
						t.Errorf("refresh: %d %.200s", answer.Status, answer.Body)
					}
				}
				var load struct{ IsLoggedIn bool }
				w.call(u, browser.Fetch{Method: "POST", URL: w.gateway + "/oauth-agent/login/end", Body: `{"pageUrl":"` + w.page + `/"}`}, &load)
				if !load.IsLoggedIn {
					t.Error("a page load has lost the session")
				}
				w.logout(u)
			})
		})
	}
}

// logout goes to the end of it: at the authorization server, with the ID token
// where the address is not too long for it.
func (w *world) logout(u *user) {
	w.t.Helper()
	var out struct{ URL string }
	w.call(u, browser.Fetch{Method: "POST", URL: w.gateway + "/oauth-agent/logout", Header: map[string]string{csrfHeader: u.csrf}}, &out)
	if want := w.gateway + "/oauth-agent/logout/continue"; out.URL != want {
		w.t.Errorf("%s, want %s", out.URL, want)
	}
	if err := u.tab.Go(out.URL); err != nil || !strings.Contains(u.tab.URL.Path, "end_session") && u.tab.URL.Host != strings.TrimPrefix(w.page, "http://") {
		w.t.Errorf("the logout ends at %v, %d %.200s: %v", u.tab.URL, u.tab.Status, u.tab.Body, err)
	}
}

// checkArrived looks at what the API got: perhaps a preflight, which carries
// nothing, and one call with a token and nothing of the agent's.
func checkArrived(t *testing.T, seen []arrived, method string) {
	t.Helper()
	calls := 0
	for _, a := range seen {
		for name, values := range a.header {
			all := strings.ToLower(name + ": " + strings.Join(values, ", "))
			if strings.Contains(all, "example-") && name != "Access-Control-Request-Headers" {
				t.Errorf("%s: of the agent's: %s", method, all)
			}
		}
		if a.method == http.MethodOptions {
			if a.header["Authorization"] != nil {
				t.Errorf("a preflight with a token")
			}
			continue
		}
		calls++
		if v := a.header["Authorization"]; a.method != method || a.uri != "/api/orders?x=1" || len(v) != 1 || !strings.HasPrefix(v[0], "Bearer ") {
			t.Errorf("%s arrived as %s %s %v", method, a.method, a.uri, v)
		}
	}
	if calls != 1 {
		t.Errorf("%s: %d calls arrived", method, calls)
	}
}

// The page reads why a call was refused.
func TestPageReadsWhatIsRefused(t *testing.T) {
	each(t, func(w *world) {
		u := w.login()
		want := func(who *user, method string, csrf bool, code string) {
			t.Helper()
			w.api.take()
			answer := w.fetch(who, method, "/api/orders", csrf, "")
			var body struct{ Code string }
			if err := answer.JSON(&body); err != nil || answer.Status != 401 || body.Code != code || answer.Header.Get("Authorization") != "" {
				t.Errorf("%s: %d %s, want %s", method, answer.Status, answer.Body, code)
			}
			for _, a := range w.api.take() {
				if a.method != http.MethodOptions {
					t.Errorf("%s arrived", a.method)
				}
			}
		}
		want(w.visitor(), "GET", false, "unauthorized_request")
		want(u, "POST", false, "unauthorized_request")
		want(u, "DELETE", false, "unauthorized_request")
		u.csrf = "wrong"
		want(u, "POST", true, "unauthorized_request")
		w.advance(6 * time.Minute)
		want(u, "GET", false, "token_expired")
	})
}

// A page of another origin gets nothing and reads nothing.
func TestForeignPage(t *testing.T) {
	each(t, func(w *world) {
		u := w.login()
		tab, err := u.Open(strings.Replace(w.page, "localhost", "127.0.0.1", 1) + "/")
		if err != nil {
			t.Fatal(err)
		}
		w.api.take()
		for _, method := range []string{"GET", "POST", "PUT"} {
			if answer, err := tab.Fetch(browser.Fetch{Method: method, URL: w.gateway + "/api/orders"}); err == nil {
				t.Errorf("%s: %d %s", method, answer.Status, answer.Body)
			}
		}
		if seen := w.api.take(); len(seen) > 0 {
			t.Errorf("arrived: %v", seen)
		}
	})
}

// raw sends a request as it stands and gives the answer, nil if there was none.
func (w *world) raw(request string) (*http.Response, net.Conn, *bufio.Reader) {
	w.t.Helper()
	conn, err := net.Dial("tcp", strings.Replace(hostOf(w.gateway), "localhost", "127.0.0.1", 1))
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(patience))
	_, _ = io.WriteString(conn, request)
	in := bufio.NewReader(conn)
	resp, err := http.ReadResponse(in, nil)
	if err != nil {
		return nil, conn, in
	}
	return resp, conn, in
}

func (w *world) head(u *user, method, target string, lines ...string) string {
	out := fmt.Sprintf("%s %s HTTP/1.1\r\nHost: %s\r\nOrigin: %s\r\n", method, target, hostOf(w.gateway), w.page)
	if u != nil {
		out += "Cookie: theme=dark; " + u.cookies() + "\r\n"
	}
	for _, line := range lines {
		out += line + "\r\n"
	}
	return out + "\r\n"
}

func TestHeadersThatDoNotHelp(t *testing.T) {
	each(t, func(w *world) {
		u := w.login()
		w.api.take()
		for _, tt := range []struct {
			name, method string
			who          *user
			line         string
		}{
			{"a token of the client's", "GET", nil, "Authorization: Bearer x"},
			{"the method, by X-Original-Method", "POST", u, "X-Original-Method: GET\r\nContent-Length: 0"},
			{"the method, by X-Forwarded-Method", "POST", u, "X-Forwarded-Method: GET\r\nContent-Length: 0"},
			{"a preflight that is none", "GET", nil, "X-Original-Method: OPTIONS\r\nX-Forwarded-Method: OPTIONS"},
			{"a preflight that is a POST", "POST", u, "X-Forwarded-Method: OPTIONS\r\nX-Original-Method: OPTIONS\r\nAccess-Control-Request-Method: GET\r\nContent-Length: 0"},
			{"a forged preflight, by X-Forwarded-Method", "GET", nil, "X-Forwarded-Method: OPTIONS\r\nAccess-Control-Request-Method: GET"},
			{"a forged preflight, by X-Original-Method", "GET", nil, "X-Original-Method: OPTIONS\r\nAccess-Control-Request-Method: GET"},
			{"a forged preflight, by both", "GET", nil, "X-Original-Method: OPTIONS\r\nX-Forwarded-Method: OPTIONS\r\nAccess-Control-Request-Method: GET"},
			{"another path", "GET", nil, "X-Forwarded-Uri: /oauth-agent/claims\r\nX-Original-URL: /\r\nX-Rewrite-URL: /"},
			{"an event stream", "GET", nil, "Accept: text/event-stream"},
			{"a health check", "GET", nil, "User-Agent: GoogleHC/1.0"},
			{"TRACE", "TRACE", u, "X-Any: 1"},
		} {
			resp, _, _ := w.raw(w.head(tt.who, tt.method, "/api/orders", tt.line))
			if resp == nil || resp.StatusCode/100 != 4 || resp.Header.Get("Authorization") != "" {
				t.Errorf("%s: %v", tt.name, resp)
			}
			if seen := w.api.take(); len(seen) > 0 {
				t.Errorf("%s: arrived %v", tt.name, seen)
			}
		}
	})
}

// Neither a preflight nor a call takes a header along that the API would believe.
func TestHeadersThatDoNotArrive(t *testing.T) {
	each(t, func(w *world) {
		u := w.login()
		w.api.take()
		lines := []string{
			"Authorization: Bearer x", "X-Forwarded-For: 192.0.2.1", "X-Real-IP: 192.0.2.1", "Forwarded: for=192.0.2.1",
			"X_Forwarded_For: 192.0.2.1", "X-Forwarded-Host: evil.example", "X-Forwarded-Proto: gopher",
			"X-Forwarded-User: mallory", "X-Forwarded-Email: mallory", "X-Forwarded-Groups: mallory", "X-Forwarded-Preferred-Username: mallory",
			"X-Forwarded-Access-Token: mallory", "X_Forwarded_User: mallory", "X-Forwarded-Prefix: /mallory", "X-Forwarded-Uri: /mallory",
			"X-Original-URL: /mallory", "X-Rewrite-URL: /mallory", "Proxy: mallory",
		}
		if w.front || w.corsByAPI { // what the agent by itself takes for any header
			for _, name := range []string{
				"X-Auth-Request-User", "X-Auth-Request-Email", "X-Auth-Request-Groups", "X-Auth-Request-Preferred-Username",
				"Remote-User", "Remote-Groups", "Remote-Email", "Remote-Name", "X-Remote-User", "X-Remote-Group",
				"X-Auth-User", "X-Authenticated-User", "X-WebAuth-User", "X-User", "Remote_User", "X_Remote_User", "X_Auth_Request_User",
				"X_Forwarded_Email", "X_Forwarded_Groups", "X_Auth_Request_Email", "Remote_Email", "Remote_Groups", "X_Auth_User",
				"X-Client-IP", "True-Client-IP", "CF-Connecting-IP",
			} {
				lines = append(lines, name+": mallory")
			}
		}
		for _, method := range []string{"GET", "OPTIONS"} {
			who := u
			if method == "OPTIONS" {
				who, lines = nil, append(lines, "Access-Control-Request-Method: GET")
			}
			if resp, _, _ := w.raw(w.head(who, method, "/api/orders", lines...)); resp == nil || resp.StatusCode/100 != 2 {
				t.Errorf("%s: %v", method, resp)
			}
			for _, a := range w.api.take() {
				all := fmt.Sprint(a.header)
				if strings.Contains(all, "Bearer x") || strings.Contains(all, "192.0.2.1") || strings.Contains(all, "evil.example") || strings.Contains(all, "gopher") || strings.Contains(all, "mallory") {
					t.Errorf("%s: arrived %s", method, all)
				}
			}
		}
	})
}

// What arrives at the API is below /api/ for every reader.
func TestPaths(t *testing.T) {
	each(t, func(w *world) {
		u := w.login()
		w.api.take()
		for _, target := range []string{
			"/api/../x", "/api/%2e%2e/x", "/api/..%2fx", "/api/%252e%252e/x", "/api/..;/x", `/api/..\x`, "/api/..%5cx",
			"/x/..%2fapi/y", "/oauth-agent/..%2fapi/x", "/oauth-agent/../api/x", "//api/x", "/./api/x", "/x/../api/y",
			"/api/x%00", "/api//x", "/%61pi/x", "/api%2fx", "/api/%c0%ae%c0%ae/x", "http://evil.example/api/x",
			"/api/%25%32%65%25%32%65/x", "/api/%25%32e%252E/x", "/api/%252e%252e%252fx", "/api/%255c..%255cx",
			"/api/x;/../../y", "/api/x;../y", "/api/..%3b/x", "/api/%2e%2e%3bx/y", "/api/%e0%80%ae%e0%80%ae/x",
		} {
			resp, _, _ := w.raw(w.head(u, "GET", target, "Connection: close"))
			status := 0
			if resp != nil {
				status = resp.StatusCode
			}
			for _, a := range w.api.take() {
				uri, _, _ := strings.Cut(a.uri, "?")
				decoded := strings.ToLower(uri)
				for range 2 {
					decoded = percentDecoded(decoded)
				}
				if status != 200 || !strings.HasPrefix(path.Clean(uri), "/api/") || strings.Contains(decoded, "..") ||
					strings.Contains(decoded, "\xc0\xae") || strings.Contains(strings.ToLower(uri), "%2") || strings.Contains(uri, `\`) {
					t.Errorf("%s arrived as %s, answered %d", target, a.uri, status)
				}
			}
		}
	})
}

// percentDecoded decodes what can be decoded, as lenient servers do.
func percentDecoded(s string) string {
	return percent.ReplaceAllStringFunc(s, func(code string) string {
		n, _ := strconv.ParseUint(code[1:], 16, 8)
		return string([]byte{byte(n)})
	})
}

var percent = regexp.MustCompile(`%[0-9a-fA-F]{2}`)

// The answer with the token cannot be asked for.
func TestForwardAuthIsOutOfReach(t *testing.T) {
	each(t, func(w *world) {
		u := w.login()
		for _, target := range []string{"/oauth-agent/authorize", "/oauth-agent/authorize/", "/oauth-agent/authorize/x", "/_oauth_agent", "/oauth-agent/x/../authorize", "/oauth-agent//authorize"} {
			resp, _, _ := w.raw(w.head(u, "GET", target, "Connection: close"))
			if resp == nil || resp.StatusCode == 200 && strings.Contains(target, "/oauth-agent") || resp.Header.Get("Authorization") != "" {
				t.Errorf("%s: %v", target, resp)
			}
		}
	})
}

func TestEventStream(t *testing.T) {
	each(t, func(w *world) {
		u := w.login()
		resp, _, _ := w.raw(w.head(u, "GET", "/api/events"))
		if resp == nil || resp.StatusCode != 200 {
			t.Fatalf("%v", resp)
		}
		start := time.Now()
		if line, err := bufio.NewReader(resp.Body).ReadString('\n'); line != "data: 0\n" || time.Since(start) > 1500*time.Millisecond {
			t.Errorf("%q after %v, %v", line, time.Since(start), err)
		}
	})
}

func TestWebSocket(t *testing.T) {
	each(t, func(w *world) {
		u := w.login()
		upgrade := []string{"Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version: 13"}
		resp, conn, in := w.raw(w.head(u, "GET", "/api/ws", upgrade...))
		if resp == nil || resp.StatusCode != http.StatusSwitchingProtocols {
			t.Fatalf("%v", resp)
		}
		_, _ = io.WriteString(conn, "\x82\x85\x00\x00\x00\x00hello")
		got := make([]byte, 7)
		if _, err := io.ReadFull(in, got); err != nil || string(got) != "\x82\x05hello" {
			t.Errorf("%q %v", got, err)
		}
		for name, head := range map[string]string{
			"foreign origin": strings.Replace(w.head(u, "GET", "/api/ws", upgrade...), "Origin: "+w.page, "Origin: https://evil.example", 1),
			"no origin":      strings.Replace(w.head(u, "GET", "/api/ws", upgrade...), "Origin: "+w.page, "Sec-Fetch-Site: same-origin", 1),
			"no session":     w.head(nil, "GET", "/api/ws", upgrade...),
		} {
			if resp, _, _ := w.raw(head); resp == nil || resp.StatusCode != 401 {
				t.Errorf("%s: %v", name, resp)
			}
		}
	})
}

// An upgrade to anything but a WebSocket is a tunnel past every check.
func TestNoTunnel(t *testing.T) {
	each(t, func(w *world) {
		u := w.login()
		w.api.take()
		for _, upgrade := range []string{"h2c", "foo", "websocket, h2c", "h2c, websocket", "h2c\r\nUpgrade: websocket", "websocket\r\nUpgrade: h2c"} {
			line := "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: " + upgrade + "\r\nHTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA"
			resp, _, _ := w.raw(w.head(u, "GET", "/api/orders", line))
			if resp == nil || resp.StatusCode == http.StatusSwitchingProtocols {
				t.Errorf("%s: %v", upgrade, resp)
			}
			for _, seen := range w.api.take() {
				up := strings.Join(seen.header["Upgrade"], ", ") // nginx writes a word of its own
				if up != "" && up != "websocket" || seen.header["Http2-Settings"] != nil {
					t.Errorf("%s: arrived %v", upgrade, seen.header)
				}
			}
		}
	})
}
