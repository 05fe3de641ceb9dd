package browser_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"oauth-agent/test/internal/browser"
)

// serve answers at http://127.0.0.1:port; at is the same server by another name.
func serve(t *testing.T, h http.HandlerFunc) (address, byName string) {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return server.URL, strings.Replace(server.URL, "127.0.0.1", "localhost", 1)
}

func TestCookiesAreKeptAsBrowsersDo(t *testing.T) {
	big := strings.Repeat("v", 4096)
	for name, c := range map[string]struct {
		line, path string
		sent       bool
	}{
		"plain":                       {"a=1", "/", true},
		"its path":                    {"a=1; Path=/x", "/x/y", true},
		"a path that begins like it":  {"a=1; Path=/x", "/xy", false},
		"secure on localhost":         {"a=1; Secure", "/", true},
		"expired":                     {"a=1; Max-Age=0", "/", false},
		"too large":                   {"a=" + big, "/", false},
		"foreign domain":              {"a=1; Domain=example.com", "/", false},
		"host prefix":                 {"__Host-a=1; Secure; Path=/", "/", true},
		"host prefix with a path":     {"__Host-a=1; Secure; Path=/x", "/x", false},
		"host prefix without secure":  {"__Host-a=1; Path=/", "/", false},
		"http prefix":                 {"__Host-Http-a=1; Secure; Path=/; HttpOnly", "/", true},
		"http prefix, not HttpOnly":   {"__Host-Http-a=1; Secure; Path=/", "/", false},
		"SameSite=None, not secure":   {"a=1; SameSite=None", "/", false},
		"SameSite=Strict, typed in":   {"a=1; SameSite=Strict", "/", true},
		"the default path is the dir": {"a=1", "/other", true},
	} {
		t.Run(name, func(t *testing.T) {
			var got string
			_, address := serve(t, func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/set" {
					w.Header().Set("Set-Cookie", c.line)
					return
				}
				got = r.Header.Get("Cookie")
			})
			b := browser.New(nil)
			for _, path := range []string{"/set", c.path} {
				if _, err := b.Open(address + path); err != nil {
					t.Fatal(err)
				}
			}
			if (got != "") != c.sent {
				t.Errorf("Cookie: %.40q, refused: %v", got, b.Jar.Refused())
			}
		})
	}
}

func TestStrictCookiesStayHomeInCrossSiteNavigations(t *testing.T) {
	got := map[string]string{}
	var home, away string
	away, home = serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/set":
			w.Header().Add("Set-Cookie", "strict=1; Path=/; SameSite=Strict")
			w.Header().Add("Set-Cookie", "lax=1; Path=/; HttpOnly")
		case "/away":
			http.Redirect(w, r, home+"/back", http.StatusFound)
		default:
			got[r.URL.Path] = r.Header.Get("Cookie")
		}
	})
	b := browser.New(nil)
	tab, err := b.Open(home + "/set")
	if err != nil {
		t.Fatal(err)
	}
	if tab.Cookies() != "strict=1" {
		t.Errorf("document.cookie = %q", tab.Cookies())
	}
	for _, address := range []string{home + "/near", away + "/away", home + "/after"} {
		if err := tab.Go(address); err != nil {
			t.Fatal(err)
		}
	}
	for path, want := range map[string]string{"/near": "strict=1; lax=1", "/back": "lax=1", "/after": "strict=1; lax=1"} {
		if got[path] != want {
			t.Errorf("%s got %q, want %q", path, got[path], want)
		}
	}
}

func TestFetchIsHeldToCORS(t *testing.T) {
	var trusted string
	page, _ := serve(t, func(http.ResponseWriter, *http.Request) {})
	api, _ := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", trusted)
		w.Header().Set("Access-Control-Allow-Credentials", "true")
		w.Header().Set("Access-Control-Allow-Headers", "content-type, x-known")
		w.Header().Set("Set-Cookie", "a=1")
	})
	tab, err := browser.New(nil).Open(page + "/")
	if err != nil {
		t.Fatal(err)
	}
	call := func(header string) (*browser.Answer, error) {
		return tab.Fetch(browser.Fetch{Method: http.MethodPost, URL: api + "/", Body: "{}", Header: map[string]string{header: "1"}})
	}
	if _, err := call("X-Known"); !errors.Is(err, browser.ErrCORS) {
		t.Errorf("untrusted origin: %v", err)
	}
	trusted = page
	if _, err := call("X-Unknown"); !errors.Is(err, browser.ErrCORS) {
		t.Errorf("unlisted header: %v", err)
	}
	answer, err := call("X-Known")
	if err != nil || answer.Header.Get("Set-Cookie") != "" {
		t.Errorf("trusted origin: %v, %v", err, answer)
	}
}

func TestSubmitSendsHiddenFieldsAndTheButton(t *testing.T) {
	var got string
	address, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			got = r.URL.Path + " " + r.PostFormValue("token") + " " + r.PostFormValue("user") + " " + r.PostFormValue("ok")
			return
		}
		_, _ = w.Write([]byte(`<form method="POST" action='/go'><input type=hidden name="token" value="a&amp;b">
			<input name="user"><button name="ok" value="yes">OK</button><button name="no">No</button></form>`))
	})
	tab, err := browser.New(nil).Open(address)
	if err != nil {
		t.Fatal(err)
	}
	if !tab.Form("user") || tab.Form("token2") {
		t.Error("wrong fields seen")
	}
	if err := tab.Submit(map[string]string{"user": "jane", "ok": "yes"}); err != nil {
		t.Fatal(err)
	}
	if got != "/go a&b jane yes" {
		t.Errorf("sent %q", got)
	}
}
