package idp_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"oauth-agent/test/idp"
)

// Login goes through what stands before the provider, such as a PKCE proxy, whose own
// redirect URI the provider's answer goes to.
func TestLoginThroughAProxy(t *testing.T) {
	p := start(t)
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, p.authorizeURL(), http.StatusFound)
	}))
	defer proxy.Close()
	at := proxy.URL + "/authorize?" + url.Values{"redirect_uri": {"com.example.app:/cb"}}.Encode()
	location, err := idp.Login(t.Context(), nil, at, "zoe", "pässword")
	if err != nil || p.query(location).Get("code") == "" {
		t.Errorf("%q %v", location, err)
	}
}

func TestLoginOfAPrivateUseScheme(t *testing.T) {
	const app = "com.example.app:/cb"
	p := start(t, func(c *idp.Config) { c.Clients[0].RedirectURIs = []string{app} })
	location, err := idp.Login(t.Context(), nil, p.authorizeURL("redirect_uri", app), "zoe", "pässword")
	if err != nil || p.query(location).Get("code") == "" {
		t.Errorf("%q %v", location, err)
	}
}

func TestLoginThatLeadsNowhere(t *testing.T) {
	p := start(t)
	for name, start := range map[string]string{
		"error page": p.authorizeURL("client_id", "nobody"),
		"other page": p.Issuer + "/style.css",
		"not a URL":  "http://[",
		"nobody":     "http://127.0.0.1:1/",
	} {
		if location, err := idp.Login(t.Context(), nil, start, "zoe", "pässword"); err == nil {
			t.Errorf("%s: %q", name, location)
		}
	}
	loop := httptest.NewServer(http.RedirectHandler("/", http.StatusFound))
	defer loop.Close()
	if _, err := idp.Login(t.Context(), nil, loop.URL, "zoe", "pässword"); err == nil {
		t.Error("a loop ended well")
	}
}

// The caller's client is not changed: neither its jar nor its redirect policy.
func TestLoginLeavesTheClientAlone(t *testing.T) {
	p := start(t)
	var hc http.Client
	if _, err := idp.Login(t.Context(), &hc, p.authorizeURL(), "zoe", "pässword"); err != nil {
		t.Fatal(err)
	}
	if hc.Jar != nil || hc.CheckRedirect != nil {
		t.Error("the client was changed")
	}
}
