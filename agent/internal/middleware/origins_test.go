package middleware_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

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

func TestCORSHeaders(t *testing.T) {
	inner := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		httperr.WriteJSON(w, 401, map[string]string{"code": "unauthorized_request"})
	})
	for _, tt := range []struct {
		name, method, origin string
		preflight, cors      bool
		status               int
		allowOrigin          string
	}{
		{"error, trusted", "GET", www, false, true, 401, www},
		{"error, foreign", "GET", "https://evil.example", false, true, 401, ""},
		{"error, case", "GET", "https://WWW.EXAMPLE.COM", false, true, 401, ""},
		{"error, CORS off", "GET", www, false, false, 401, ""},
		{"preflight, trusted", "OPTIONS", www, true, true, 204, www},
		{"preflight, foreign", "OPTIONS", "https://evil.example", true, true, 204, ""},
		{"preflight, null", "OPTIONS", "null", true, true, 204, ""},
		{"preflight, CORS off", "OPTIONS", www, true, false, 204, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			srv := httptest.NewServer(middleware.NewOrigins([]string{www}, tt.cors).CORS(nil, inner))
			defer srv.Close()
			req, _ := http.NewRequest(tt.method, srv.URL+"/x", nil)
			req.Header.Set("Origin", tt.origin)
			if tt.preflight {
				req.Header.Set("Access-Control-Request-Method", "POST")
				req.Header.Set("Access-Control-Request-Headers", "content-type,x-example-csrf")
			}
			resp, err := srv.Client().Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = resp.Body.Close() }()
			if got := resp.Header.Get("Access-Control-Allow-Origin"); resp.StatusCode != tt.status || got != tt.allowOrigin {
				t.Errorf("status %d, Allow-Origin %q", resp.StatusCode, got)
			}
			credentials, headers := resp.Header.Get("Access-Control-Allow-Credentials"), resp.Header.Get("Access-Control-Allow-Headers")
			if want := tt.allowOrigin != ""; (credentials == "true") != want || (headers != "") != (want && tt.preflight) {
				t.Errorf("Allow-Credentials %q, Allow-Headers %q", credentials, headers)
			}
			if tt.cors && !strings.Contains(resp.Header.Get("Vary"), "Origin") {
				t.Errorf("Vary = %q: a shared cache would mix origins", resp.Header.Get("Vary"))
			}
		})
	}
}

func TestBodyAndHarden(t *testing.T) {
	render := &httperr.Renderer{Log: discard()}
	srv := httptest.NewServer(middleware.SecurityHeaders(render.Handle(middleware.ReadBody(10, func(w http.ResponseWriter, r *http.Request) error {
		_, err := io.Copy(w, r.Body)
		return err
	}))))
	defer srv.Close()
	for body, want := range map[string]int{"0123456789": 200, "0123456789a": 413} {
		resp, err := srv.Client().Post(srv.URL, "application/json", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != want || resp.Header.Get("Cache-Control") != "no-store" || resp.Header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%d bytes: %d, %v", len(body), resp.StatusCode, resp.Header)
		}
	}
}

func TestBodyThatDripsIsCutOff(t *testing.T) {
	render := &httperr.Renderer{Log: discard()}
	srv := httptest.NewServer(middleware.BodyDeadline(50*time.Millisecond, render.Handle(middleware.ReadBody(1000, func(http.ResponseWriter, *http.Request) error {
		t.Error("the handler ran")
		return nil
	}))))
	defer srv.Close()
	body, end := io.Pipe()
	defer func() { _ = end.Close() }()
	resp, err := srv.Client().Post(srv.URL, "application/json", body)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != 400 {
		t.Errorf("status %d", resp.StatusCode)
	}
}

// A deadline for the body that still stood while the handler waits would cancel
// its context.
func TestBodyDeadlineDoesNotOutliveTheBody(t *testing.T) {
	render := &httperr.Renderer{Log: discard()}
	srv := httptest.NewServer(middleware.BodyDeadline(500*time.Millisecond, render.Handle(middleware.ReadBody(1000, func(w http.ResponseWriter, r *http.Request) error {
		select {
		case <-r.Context().Done():
			return r.Context().Err()
		case <-time.After(time.Second):
			w.WriteHeader(http.StatusNoContent)
			return nil
		}
	}))))
	defer srv.Close()
	for _, body := range []string{"{}", ""} {
		resp, err := srv.Client().Post(srv.URL, "application/json", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != 204 || resp.Close {
			t.Errorf("body %q: status %d, closed: %v", body, resp.StatusCode, resp.Close)
		}
	}
}

// A process that is about to stop wants all its connections closed, whatever their
// requests were.
func TestConnectionToBeClosedIsClosed(t *testing.T) {
	h := middleware.BodyDeadline(time.Second, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
	}))
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Connection", "close")
		h.ServeHTTP(w, r)
	}))
	defer srv.Close()
	for _, body := range []string{"{}", ""} {
		resp, err := srv.Client().Post(srv.URL, "application/json", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if !resp.Close {
			t.Errorf("body %q: the connection is kept", body)
		}
	}
}
