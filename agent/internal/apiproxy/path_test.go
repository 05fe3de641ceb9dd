package apiproxy_test

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path"
	"regexp"
	"strings"
	"testing"

	"oauth-agent/agent/internal/apiproxy"
	"oauth-agent/agent/internal/session"
	"oauth-agent/test/double"
)

// Every row is a request target as bytes on the wire, and what arrives.
func TestPaths(t *testing.T) {
	api, other := double.NewUpstream(t, nil), double.NewUpstream(t, nil)
	w := newWorld(t, []apiproxy.Route{
		{Path: "/api/", Upstream: parse(t, api.URL+"/base/")},
		{Path: "/strip", Upstream: parse(t, api.URL+"/base"), StripPrefix: true},
		{Path: "/bare", Upstream: parse(t, api.URL), StripPrefix: true},
		{Path: "/api/admin", Upstream: parse(t, other.URL)},
	})
	b := w.login(t, session.Tokens{})
	for _, tt := range []struct {
		target string
		status int
		uri    string // at the upstream
	}{
		{"/api/orders", 200, "/base/api/orders"},
		{"/api/", 200, "/base/api/"},
		{"/api", 200, "/base/api"},
		{"/api/a/b?x=1&y=%2e%2e/&z=a;b&q=%zz&", 200, "/base/api/a/b?x=1&y=%2e%2e/&z=a;b&q=%zz&"},
		{"/api/a?", 200, "/base/api/a?"},
		{"/api/a?x=../../..", 200, "/base/api/a?x=../../.."},
		{"/strip/orders", 200, "/base/orders"},
		{"/strip/", 200, "/base/"},
		{"/strip", 200, "/base"},
		{"/bare/orders", 200, "/orders"},
		{"/bare", 200, "/"},
		{"/api/a%2Fb", 200, "/base/api/a%2Fb"},
		{"/api/a%2fb", 200, "/base/api/a%2fb"},
		{"/api/a%252Fb", 200, "/base/api/a%252Fb"},
		{`/api/a"b%2Fc`, 200, "/base/api/a%22b%2Fc"}, // Go's EscapedPath makes a slash of it
		{"/api/a|b^c%2F", 200, "/base/api/a%7Cb%5Ec%2F"},
		{"/api/\xc3\xa4%2F", 200, "/base/api/%C3%A4%2F"},
		{"/api/%C3%A4", 200, "/base/api/%C3%A4"},
		{"/api/a[1]", 200, "/base/api/a[1]"},
		{"/api/%41%7e", 200, "/base/api/%41%7e"},
		{"/api/a;b=c", 200, "/base/api/a;b=c"},
		{"/api/a;b=..;c=.d", 200, "/base/api/a;b=..;c=.d"},
		{"/api//a///b", 200, "/base/api//a///b"},
		{"/api/...", 200, "/base/api/..."},
		{"/api/.well-known/x", 200, "/base/api/.well-known/x"},
		{"/api/a.", 200, "/base/api/a."},
		{"/api/..a", 200, "/base/api/..a"},
		{"/api/%20", 200, "/base/api/%20"},
		{"http://evil.example/api/x", 200, "/base/api/x"},
		{"http://user:pass@evil.example:99/api/x", 200, "/base/api/x"},

		{"/apix", 404, ""},
		{"/ap", 404, ""},
		{"/API/x", 404, ""},
		{"/%61pi/x", 404, ""},
		{"//api/x", 404, ""},
		{"//evil.example/api/x", 404, ""},
		{"/api%2Fx", 404, ""},
		{"/api;x/y", 404, ""},
		{"/x/../api/y", 404, ""},
		{"/", 404, ""},

		{"/api/.", 400, ""},
		{"/api/..", 400, ""},
		{"/api/../x", 400, ""},
		{"/api/../../x", 400, ""},
		{"/api/./x", 400, ""},
		{"/api/x/..", 400, ""},
		{"/api/%2e%2e/x", 400, ""},
		{"/api/%2E./x", 400, ""},
		{"/api/.%2e", 400, ""},
		{"/api/%2e", 400, ""},
		{"/api/%252e%252e/x", 400, ""},
		{"/api/%252E%2e/x", 400, ""},
		{"/api/.%252e/x", 400, ""},
		{"/api/..%2fx", 400, ""},
		{"/api/a%2f..%2f..%2fx", 400, ""},
		{"/api/a%252f%252e%252e%252fx", 400, ""},
		{"/api/..%5cx", 400, ""},
		{`/api/..\x`, 400, ""},
		{`/api/a\b`, 400, ""},
		{"/api/a%5Cb", 400, ""},
		{"/api/a%255cb", 400, ""},
		{"/api/..;/x", 400, ""},
		{"/api/..;a=b/x", 400, ""},
		{"/api/.;/x", 400, ""},
		{"/api/;../x", 400, ""}, // to whoever takes a semicolon for an end
		{"/api/x;..", 400, ""},
		{"/api/x%3b%2e%2e/y", 400, ""},
		{"/api/..%3b/x", 400, ""},
		{"/api/%2e%2e;/x", 400, ""},
		{"/api/%2e%2e%253Ba/x", 400, ""},
		{"/api/..%3fx", 400, ""},
		{"/api/..%23", 400, ""},
		{"/api/a%00", 400, ""},
		{"/api/a%2500b", 400, ""},
		{"/api/%c0%ae%c0%ae/x", 400, ""},
		{"/api/%c0%afx", 400, ""},
		{"/api/%e0%80%ae/", 400, ""},
		{"/api/%25c0%25ae/", 400, ""},
		{"/api/x#/../y", 400, ""},
		{"/api/x#y", 400, ""}, // GHSA-pxq7-h93f-9jrg: oauth2-proxy and its upstream saw different ends
		{"/api/x?a#b", 400, ""},
		{"/api/%u002e%u002e/x", 400, ""},
		{"/api/%", 400, ""},
		{"/api/%4", 400, ""},
		{"/api/a b", 400, ""},
		{"/api/a\tb", 400, ""},
		{"/api/a\x00b", 400, ""},
		{"/bare//evil.example/x", 400, ""},
		{"/bare//", 400, ""},
		// Some servers would serve these as /api/admin, which has another route.
		{"/api//admin", 400, ""},
		{"/api/%61dmin", 400, ""},
		{"/api/%2561dmin/x", 400, ""},
		{"/api%2fadmin", 404, ""},
		{"/api/admin;x", 400, ""},
		{"/api/%2Fadmin", 400, ""},
		{"/api/admin%3fx", 400, ""},
		{"/api/admin%253Fx", 400, ""},
		{"/api/admin%23x", 400, ""},
		{"/api/Admin/x", 400, ""},
		{"/api/%3b%23/admin", 400, ""}, // to whoever takes parameters off and knows no fragment
		{"/api/;%3f/admin", 400, ""},
		{"/api/;%2fx/%61dmin", 400, ""}, // parameters off first, as Tomcat does
		{"/api/%3bx%2fy/admin", 400, ""},
		{"/api/%253bx%252fy/admin", 400, ""},
		{"/api/adm%C4%B1n", 400, ""}, // Java makes it ADMIN
		{"/api/adm%C3%AFn", 200, "/base/api/adm%C3%AFn"},
		{"/api/http%3A%2F%2Fx%3Fa%3Db%23c", 200, "/base/api/http%3A%2F%2Fx%3Fa%3Db%23c"},
		{"/api/%252f;//%2f%3f%3f%3b%252f;%253fxx%253f;x%2f%25%2f/%2523%2525", 400, ""}, // more readings than anybody means
		{"/api/x%3fy%23", 200, "/base/api/x%3fy%23"},
		{"/api/Orders", 200, "/base/api/Orders"},
	} {
		resp := double.Raw(t, w.addr(), rawGet(b, tt.target))
		if resp == nil || resp.StatusCode != tt.status {
			t.Errorf("%q: answered %v, want %d", tt.target, resp, tt.status)
			continue
		}
		got := api.Take()
		if n := len(got); (n == 1) != (tt.uri != "") || n == 1 && got[0].URI != tt.uri {
			t.Errorf("%q: arrived %v, want %q", tt.target, got, tt.uri)
		}
		if got := other.Take(); len(got) > 0 {
			t.Errorf("%q: the other upstream got %v", tt.target, got)
		}
	}
}

func TestLongestPathWins(t *testing.T) {
	a, b, c := double.NewUpstream(t, nil), double.NewUpstream(t, nil), double.NewUpstream(t, nil)
	w := newWorld(t, []apiproxy.Route{
		{Path: "/", Upstream: parse(t, a.URL)},
		{Path: "/api/orders/", Upstream: parse(t, c.URL)},
		{Path: "/api", Upstream: parse(t, b.URL)},
	})
	user := w.login(t, session.Tokens{})
	for path, want := range map[string]*double.Upstream{
		"/": a, "/x": a, "/apis": a, "/api": b, "/api/": b, "/api/order": b, "/api/ordersx": b,
		"/api/orders": c, "/api/orders/": c, "/api/orders/1": c,
	} {
		if resp := w.do(t, w.request(t, user, "GET", path, nil)); resp.StatusCode != 200 {
			t.Errorf("%s: %d", path, resp.StatusCode)
		}
		for _, u := range []*double.Upstream{a, b, c} {
			if n := len(u.Take()); (n == 1) != (u == want) {
				t.Errorf("%s: %d requests at an upstream, expected elsewhere: %v", path, n, u == want)
			}
		}
	}
}

func TestRoutesThatAreRefused(t *testing.T) {
	good := parse(t, "http://127.0.0.1:1/base")
	for name, routes := range map[string][]apiproxy.Route{
		"no upstream":      {{Path: "/api"}},
		"relative":         {{Path: "/api", Upstream: parse(t, "/x")}},
		"scheme":           {{Path: "/api", Upstream: parse(t, "ftp://127.0.0.1/x")}},
		"no slash":         {{Path: "api", Upstream: good}},
		"empty":            {{Path: "", Upstream: good}},
		"dots":             {{Path: "/api/../x", Upstream: good}},
		"encoded":          {{Path: "/api%2f", Upstream: good}},
		"dots in upstream": {{Path: "/api", Upstream: parse(t, "http://127.0.0.1:1/a/../b")}},
		"twice":            {{Path: "/api", Upstream: good}, {Path: "/api/", Upstream: good}},
		"twice but case":   {{Path: "/api", Upstream: good}, {Path: "/API", Upstream: good}},
	} {
		w := buildWorld(t, nil)
		_, err := apiproxy.New(routes, apiproxy.Options{Store: w.store, Origins: w.origins, Render: renderer(), Forwarder: w.forwarder, CSRFHeader: csrfHeader})
		if err == nil || !strings.HasPrefix(err.Error(), "route ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// FuzzConfinement sends any path and looks at where it arrives: inside its
// route by every reading of its bytes, or nowhere.
func FuzzConfinement(f *testing.F) {
	for _, seed := range []string{
		"/api/x", "/api/../x", "/api/%2e%2e/x", "/api/%252e/..;/", `/api/..\x`, "/api/a%2fb", "/strip//x", "/strip/../",
		"//api/x", "/api/\xc0\xae", "/api/a\"%2F..", "/api/%c0%ae%c0%af", "/api#/..", "/strip;/../x", "/strip/;..", "/api/%E0%80%AE/x",
	} {
		f.Add(seed)
	}
	api := double.NewUpstream(f, nil)
	w := newWorld(f, []apiproxy.Route{
		{Path: "/api", Upstream: parse(f, api.URL+"/base"), Public: true},
		{Path: "/strip", Upstream: parse(f, api.URL+"/base"), StripPrefix: true, Public: true},
	})
	f.Fuzz(func(t *testing.T, target string) {
		r, err := http.ReadRequest(bufio.NewReader(strings.NewReader("GET " + target + " HTTP/1.1\r\nHost: x\r\nOrigin: " + www + "\r\n\r\n")))
		if err != nil || r.RequestURI != target {
			return
		}
		rec := httptest.NewRecorder()
		r.RemoteAddr = "192.0.2.1:1"
		w.proxy.ServeHTTP(rec, r)
		for _, a := range api.Take() {
			path, _, _ := strings.Cut(a.URI, "?")
			if !inside(path) {
				t.Fatalf("%q arrived as %q", target, a.URI)
			}
		}
		if rec.Code >= 500 {
			t.Fatalf("%q: %d", target, rec.Code)
		}
	})
}

// FuzzReadings is a differential test of the routes: whatever server reads a path
// that has passed, it finds the route under whose rules it has passed.
//
// reading names what that server does to a path, a step a byte.
func FuzzReadings(f *testing.F) {
	for _, seed := range []struct{ target, reading string }{
		{"/api/%3b%23/admin", "\x00\x05\x06"}, {"/api/;%2fx/%61dmin", "\x05\x00"}, {"/api/%3bx%2fy/admin", "\x01\x05\x06"},
		{"/%2561pi%252fadmin", "\x00\x00"}, {"/api%23/admin", "\x00\x03"}, {"/api%253fx", "\x00\x00\x02"}, {"/api;x", "\x04"},
		{"/API//Admin;a=b", "\x05\x06\x07"}, {"/api/%5c/admin", "\x00\x08\x06"}, {"/api/x/%2e%2e/admin", "\x00\x09"},
		{"/x%00", "\x00\x0a"}, {"/api/\xe2\x84\xaaiosk", "\x07"}, {"/api/%C5%BFecret", "\x00\x0b"}, {"/api/x", "\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b"},
	} {
		f.Add(seed.target, seed.reading)
	}
	api := double.NewUpstream(f, nil)
	prefixes := []string{"", "/api", "/api/admin", "/api/admin/x", "/api/kiosk", "/api/secret", "/x"}
	var routes []apiproxy.Route
	for i, prefix := range prefixes {
		routes = append(routes, apiproxy.Route{Path: prefix + "/", Upstream: parse(f, fmt.Sprintf("%s/%d", api.URL, i)), Public: true})
	}
	w := newWorld(f, routes)
	f.Fuzz(func(t *testing.T, target, reading string) {
		r, err := http.ReadRequest(bufio.NewReader(strings.NewReader("GET " + target + " HTTP/1.1\r\nHost: x\r\nOrigin: " + www + "\r\n\r\n")))
		if err != nil || r.RequestURI != target || len(reading) > 16 {
			return
		}
		r.RemoteAddr = "192.0.2.1:1"
		w.proxy.ServeHTTP(httptest.NewRecorder(), r)
		for _, a := range api.Take() {
			route := int(a.URI[1] - '0')
			path, _, _ := strings.Cut(a.URI[2:], "?")
			read := readAs(path, reading)
			if got := longest(prefixes, read); got != route {
				t.Fatalf("%q went to the route %q; %x reads it as %q, which is %q's", target, prefixes[route], reading, read, prefixes[got])
			}
		}
	})
}

var (
	encoded  = regexp.MustCompile(`%[0-9a-fA-F]{2}`)
	params   = regexp.MustCompile(`;[^/]*`)
	slashes  = regexp.MustCompile(`/+`)
	notSlash = regexp.MustCompile(`%(?:[013-9a-fA-F][0-9a-fA-F]|2[0-9a-eA-E])`)
)

// readAs does the steps of a reading, with means of its own. Nobody decodes more
// than twice.
func readAs(p, reading string) string {
	decoded := 0
	for _, step := range []byte(reading) {
		switch step {
		case 0, 1:
			if decoded++; decoded > 2 {
				continue
			}
			what := encoded
			if step == 1 {
				what = notSlash
			}
			p = what.ReplaceAllStringFunc(p, func(s string) string { b, _ := hex.DecodeString(s[1:]); return string(b) })
		case 2:
			p, _, _ = strings.Cut(p, "?")
		case 3:
			p, _, _ = strings.Cut(p, "#")
		case 4:
			p, _, _ = strings.Cut(p, ";")
		case 5:
			p = params.ReplaceAllString(p, "")
		case 6:
			p = slashes.ReplaceAllString(p, "/")
		case 7:
			p = strings.ToLower(p)
		case 8:
			p = strings.ReplaceAll(p, `\`, "/")
		case 9:
			p = path.Clean(p)
		case 10:
			p, _, _ = strings.Cut(p, "\x00")
		case 11:
			p = strings.ToUpper(p)
		}
	}
	return p
}

// longest is the route of a path, for a server that takes small letters for large
// ones.
func longest(prefixes []string, p string) int {
	best := 0
	for i, prefix := range prefixes {
		if strings.HasPrefix(strings.ToUpper(p)+"/", strings.ToUpper(prefix)+"/") && len(prefix) > len(prefixes[best]) {
			best = i
		}
	}
	return best
}

// inside tells, by means of its own, whether a path stays below /base however
// often it is decoded before its dots are resolved.
func inside(path string) bool {
	for range 3 {
		clean := strings.NewReplacer(`\`, "/", ";", "/", "\x00", "/../../../", "\xc0\xae", ".", "\xc0\xaf", "/").Replace(path)
		depth := 0
		for i, segment := range strings.Split(clean, "/") {
			switch segment {
			case "", ".":
			case "..":
				depth--
			default:
				depth++
			}
			if i > 0 && depth < 0 || i == 1 && segment != "base" {
				return false
			}
		}
		if depth < 1 {
			return false
		}
		decoded, err := url.PathUnescape(path)
		if err != nil {
			return true
		}
		path = decoded
	}
	return true
}
