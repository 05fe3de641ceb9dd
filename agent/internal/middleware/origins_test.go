package middleware_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"oauth-agent/agent/internal/httperr"
	"oauth-agent/agent/internal/middleware"
)

const www = "https://www.example.com"

func TestOriginCheck(t *testing.T) {
	h := func(kv ...string) http.Header {
		header := http.Header{}
		for i := 0; i < len(kv); i += 2 {
			header.Add(kv[i], kv[i+1])
		}
		return header
	}
	for _, tt := range []struct {
		name    string
		method  string
		header  http.Header
		cors    bool
		allowed bool
	}{
		{"POST, trusted", "POST", h("Origin", www), true, true},
		{"POST, trusted, CORS off", "POST", h("Origin", www), false, true},
		{"POST, none", "POST", h(), true, false},
		{"POST, none, CORS off", "POST", h(), false, false},
		{"POST, none but same-origin", "POST", h("Sec-Fetch-Site", "same-origin"), false, false},
		{"POST, null", "POST", h("Origin", "null"), true, false},
		{"POST, empty", "POST", h("Origin", ""), true, false},
		{"POST, suffix", "POST", h("Origin", www+".evil.example"), true, false},
		{"POST, prefix", "POST", h("Origin", "https://evil-www.example.com"), true, false},
		{"POST, other port", "POST", h("Origin", www+":8443"), true, false},
		{"POST, default port", "POST", h("Origin", www+":443"), true, false},
		{"POST, scheme", "POST", h("Origin", "http://www.example.com"), true, false},
		{"POST, case", "POST", h("Origin", "https://WWW.example.com"), true, false},
		{"POST, slash", "POST", h("Origin", www+"/"), true, false},
		{"POST, space", "POST", h("Origin", " "+www), true, false},
		{"POST, twice", "POST", h("Origin", www, "Origin", www), true, false},
		{"POST, a list", "POST", h("Origin", www+" https://evil.example"), true, false},
		{"DELETE, none", "DELETE", h("Sec-Fetch-Site", "same-origin"), false, false},
		{"unknown method, none", "FROB", h("Sec-Fetch-Site", "same-origin"), false, false},
		{"GET, trusted", "GET", h("Origin", www), true, true},
		{"GET, trusted though cross-site", "GET", h("Origin", www, "Sec-Fetch-Site", "same-site"), true, true},
		{"GET, foreign", "GET", h("Origin", "https://evil.example", "Sec-Fetch-Site", "same-origin"), true, false},
		{"GET, null", "GET", h("Origin", "null"), false, false},
		{"GET, same-origin", "GET", h("Sec-Fetch-Site", "same-origin"), true, true},
		{"GET, same-site", "GET", h("Sec-Fetch-Site", "same-site"), true, false},
		{"GET, cross-site", "GET", h("Sec-Fetch-Site", "cross-site"), false, false},
		{"GET, address bar", "GET", h("Sec-Fetch-Site", "none"), false, false},
		{"GET, twice", "GET", h("Sec-Fetch-Site", "same-origin", "Sec-Fetch-Site", "cross-site"), false, false},
		{"GET, nothing", "GET", h(), true, false},
		{"GET, nothing, CORS off", "GET", h(), false, true},
		{"HEAD, same-origin", "HEAD", h("Sec-Fetch-Site", "same-origin"), true, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := httptest.NewRequest(tt.method, "/", nil)
			r.Header = tt.header
			err := middleware.NewOrigins([]string{www}, tt.cors).Check(r)
			var e *httperr.Error
			if tt.allowed != (err == nil) || err != nil && (!errors.As(err, &e) || e.Status != 401 || e.Code != "unauthorized_request") {
				t.Errorf("err = %v, allowed should be %v", err, tt.allowed)
			}
		})
	}
}

// On plain http beyond loopback a browser says nothing of a GET's origin, and the
// CSRF header, which takes a preflight from elsewhere, says it.
func TestOriginCheckByCSRFHeader(t *testing.T) {
	const page, name = "http://portal.intranet.test", "X-Agent-Csrf"
	for _, tt := range []struct {
		what    string
		method  string
		header  http.Header
		cors    bool
		allowed bool
		token   bool // has to be right
	}{
		{"GET", "GET", http.Header{name: {"x"}}, true, true, true},
		{"HEAD", "HEAD", http.Header{name: {"x"}}, true, true, true},
		{"GET, empty", "GET", http.Header{name: {""}}, true, true, true},
		{"GET, twice", "GET", http.Header{name: {"x", "x"}}, true, false, true},
		{"GET, none", "GET", http.Header{}, true, false, true},
		{"GET, trusted origin", "GET", http.Header{"Origin": {page}}, true, true, false},
		{"GET, foreign origin", "GET", http.Header{name: {"x"}, "Origin": {www}}, true, false, false},
		{"GET, cross-site", "GET", http.Header{name: {"x"}, "Sec-Fetch-Site": {"cross-site"}}, true, false, false},
		{"GET, same-origin", "GET", http.Header{"Sec-Fetch-Site": {"same-origin"}}, true, true, false},
		{"GET, CORS off", "GET", http.Header{}, false, true, false},
		{"POST", "POST", http.Header{name: {"x"}}, true, false, false},
		{"POST, CORS off", "POST", http.Header{name: {"x"}}, false, false, false},
	} {
		r := httptest.NewRequest(tt.method, "/", nil)
		r.Header = tt.header
		origins := middleware.NewOrigins([]string{page}, tt.cors)
		origins.CSRFHeader = name
		if err := origins.Check(r); tt.allowed != (err == nil) || origins.NeedsToken(r) != tt.token {
			t.Errorf("%s: %v, needs the token: %v", tt.what, err, origins.NeedsToken(r))
		}
	}
}
