package apiproxy_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"oauth-agent/agent/internal/apiproxy"
	"oauth-agent/agent/internal/session"
	"oauth-agent/test/double"
)

// ask sends a request with further header lines and returns what arrived.
func ask(t *testing.T, w *world, api *double.Upstream, b browser, method string, lines ...string) double.Arrived {
	t.Helper()
	text := method + " /api/x HTTP/1.1\r\nHost: www.example.com\r\nOrigin: " + www + "\r\nCookie: " + b.header() +
		"\r\n" + csrfHeader + ": " + b.csrf + "\r\n" + strings.Join(append(lines, ""), "\r\n") + "\r\n"
	resp := double.Raw(t, w.addr(), text)
	if resp == nil || resp.StatusCode != 200 {
		t.Fatalf("%v: %v", lines, resp)
	}
	return api.One(t)
}

// A list of methods means what it says, whatever a framework makes of a header.
func TestOverrideDoesNotEscapeTheListOfMethods(t *testing.T) {
	api := double.NewUpstream(t, nil)
	w := newWorld(t, []apiproxy.Route{{Path: "/api", Upstream: parse(t, api.URL), Methods: []string{"POST"}}})
	got := ask(t, w, api, w.login(t, session.Tokens{}), "POST", "X-HTTP-Method-Override: DELETE")
	if v := got.Header["X-Http-Method-Override"]; v != nil {
		t.Errorf("arrived: %v", v)
	}
}

func TestRequestsForNothing(t *testing.T) {
	w := buildWorld(t, nil)
	for _, u := range []string{"/", "/api", "*"} {
		r := &http.Request{Method: "GET", URL: parse(t, u), Header: http.Header{}}
		if w.proxy.Route(r) != "" {
			t.Errorf("%s matches", u)
		}
	}
}

// What the server makes of odd framing is what goes up, framed anew: there is
// one request, and never a second one hidden in its body (RFC 9112 11.2). The
// hidden one has a session, so that it would arrive.
func TestSmuggling(t *testing.T) {
	api := double.NewUpstream(t, nil)
	w := newWorld(t, []apiproxy.Route{{Path: "/api", Upstream: parse(t, api.URL)}})
	b := w.login(t, session.Tokens{})
	head := "POST /api/x HTTP/1.1\r\nHost: x\r\nOrigin: " + www + "\r\nCookie: " + b.header() + "\r\n" + csrfHeader + ": " + b.csrf + "\r\n"
	hidden := "GET /api/hidden HTTP/1.1\r\nHost: x\r\nOrigin: " + www + "\r\nCookie: " + b.header() + "\r\nConnection: close\r\n\r\n"
	for name, tt := range map[string]struct {
		rest   string
		status int
	}{
		"TE and CL":           {"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 200},
		"CL that covers it":   {"Content-Length: 999\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 200},
		"two lengths":         {"Content-Length: 4\r\nContent-Length: 5\r\n\r\nabcde", 400},
		"a list of lengths":   {"Content-Length: 4, 5\r\n\r\nabcde", 400},
		"negative length":     {"Content-Length: -1\r\n\r\n", 400},
		"signed length":       {"Content-Length: +4\r\n\r\nabcd", 400},
		"unknown coding":      {"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 501},
		"coding twice":        {"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 501},
		"not the last coding": {"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n", 501},
		"space before colon":  {"Transfer-Encoding : chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n", 400},
		"bare LF in a chunk":  {"Transfer-Encoding: chunked\r\n\r\n2;\nxx\r\n0\r\n\r\n", 400},
		"bare LF, trailer":    {"Transfer-Encoding: chunked\r\n\r\n0\r\nX: y\n\n", 200},
		"bare CR":             {"X: y\rTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\nabcd", 400},
	} {
		resp := double.Raw(t, w.addr(), head+tt.rest+hidden)
		if resp == nil || resp.StatusCode != tt.status || !resp.Close {
			t.Errorf("%s: answered %v, want %d and the end of the connection", name, resp, tt.status)
			continue
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		for _, a := range api.Take() {
			if a.Method != "POST" || a.URI != "/api/x" || strings.Contains(a.Body, "hidden") ||
				a.Header["Content-Length"] != nil && a.Header["Transfer-Encoding"] != nil {
				t.Errorf("%s: arrived %v", name, a)
			}
		}
	}
}

// What a route says of its upstream is what the upstream is asked by.
func TestRouteReachesItsUpstreamAsItSays(t *testing.T) {
	hang := make(chan bool)
	silent := double.NewUpstream(t, func(http.ResponseWriter, *http.Request) { <-hang })
	t.Cleanup(func() { close(hang) })
	h2c := double.NewUnstartedUpstream(nil)
	h2c.Config.Protocols = new(http.Protocols)
	h2c.Config.Protocols.SetUnencryptedHTTP2(true)
	h2c.Start()
	t.Cleanup(h2c.Close)
	w := newWorld(t, []apiproxy.Route{
		{Path: "/silent", Upstream: parse(t, silent.URL), Timeout: 50 * time.Millisecond},
		{Path: "/h2c", Upstream: parse(t, h2c.URL), H2C: true},
	})
	b := w.login(t, session.Tokens{})
	double.WantError(t, w.do(t, w.request(t, b, "GET", "/silent", nil)), 504, "upstream_timeout", token)
	if !strings.Contains(w.log.String(), "route /silent") {
		t.Errorf("log: %s", w.log)
	}
	resp := w.do(t, w.request(t, b, "GET", "/h2c", nil))
	if got := h2c.One(t); resp.StatusCode != 200 || got.Proto != "HTTP/2.0" {
		t.Errorf("%d, arrived by %s", resp.StatusCode, got.Proto)
	}
}
