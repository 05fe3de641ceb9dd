package idp_test

import (
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
	"time"

	"oauth-agent/test/idp"
)

func (p *party) endSessionURL(pairs ...string) string {
	return p.Issuer + "/end_session?" + with(url.Values{
		"client_id": {"app"}, "post_logout_redirect_uri": {loggedOut}, "state": {"b&e"},
	}, pairs).Encode()
}

// signedOn tells whether the browser still has a session at the provider.
func (p *party) signedOn() bool {
	p.Helper()
	a := p.get(p.authorizeURL("prompt", "none"))
	return p.query(a.Header.Get("Location")).Has("code")
}

func TestLogoutWithHint(t *testing.T) {
	p := start(t)
	tokens := p.tokens()
	p.clock.Add(time.Hour) // the hint may have expired
	if err := p.RollKeys(); err != nil {
		t.Fatal(err)
	}
	a := p.get(p.endSessionURL("id_token_hint", tokens["id_token"].(string)))
	if a.StatusCode != http.StatusFound || a.Header.Get("Location") != loggedOut+"?state=b%26e" {
		t.Fatalf("%d %s", a.StatusCode, a.Header.Get("Location"))
	}
	if p.signedOn() {
		t.Error("the session lives")
	}
	p.wantError(p.refresh(tokens["refresh_token"]), 400, "invalid_grant")
}

func TestLogoutByPost(t *testing.T) {
	p := start(t)
	form := url.Values{
		"id_token_hint": {p.tokens()["id_token"].(string)}, "post_logout_redirect_uri": {loggedOut},
	}
	a := p.send(p.request(t.Context(), http.MethodPost, p.Issuer+"/end_session", form))
	if a.StatusCode != http.StatusSeeOther || a.Header.Get("Location") != loggedOut || p.signedOn() {
		t.Errorf("%d %s", a.StatusCode, a.Header.Get("Location"))
	}
}

// Without the ID token of this session anybody could have made the link: the user is
// asked.
func TestLogoutAsksWithoutHint(t *testing.T) {
	p := start(t)
	zoes := p.tokens()["id_token"].(string)
	p.RevokeAll()
	if _, err := idp.Login(t.Context(), p.client, p.authorizeURL(), "ada", "ada"); err != nil {
		t.Fatal(err)
	}
	for _, pairs := range [][]string{nil, {"client_id", "", "post_logout_redirect_uri", ""}, {"id_token_hint", zoes}} {
		if a := p.get(p.endSessionURL(pairs...)); a.StatusCode != 200 || !strings.Contains(a.body, "Stay signed in") {
			t.Errorf("%.20q: %d %s", pairs, a.StatusCode, a.body)
		}
	}
	if !p.signedOn() {
		t.Error("logged out without being asked")
	}
	location, err := idp.Logout(t.Context(), p.client, p.endSessionURL())
	if err != nil || location != loggedOut+"?state=b%26e" {
		t.Fatalf("%q %v", location, err)
	}
	if p.signedOn() {
		t.Error("the session lives")
	}
}

func TestLogoutCancelled(t *testing.T) {
	p := start(t)
	p.login()
	_, rest, _ := strings.Cut(p.get(p.endSessionURL()).body, `name="form" value="`)
	name, _, _ := strings.Cut(rest, `"`)
	form := url.Values{"form": {name}, "cancel": {"1"}}
	a := p.send(p.request(t.Context(), http.MethodPost, p.Issuer+"/end_session", form))
	if a.StatusCode != http.StatusSeeOther || !p.signedOn() {
		t.Errorf("%d, signed on %v", a.StatusCode, p.signedOn())
	}
}

func TestLogoutFormCannotBeForged(t *testing.T) {
	p := start(t)
	p.login()
	foreign, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	attacker := *p.client
	attacker.Jar = foreign
	other := &party{T: t, Server: p.Server, client: &attacker}
	other.login()
	_, rest, _ := strings.Cut(other.get(p.endSessionURL()).body, `name="form" value="`)
	name, _, _ := strings.Cut(rest, `"`)
	for _, name := range []string{"", "made-up", name} {
		a := p.send(p.request(t.Context(), http.MethodPost, p.Issuer+"/end_session", url.Values{"form": {name}}))
		if a.StatusCode != http.StatusBadRequest || !p.signedOn() {
			t.Errorf("form %q: %d", name, a.StatusCode)
		}
	}
}

func TestLogoutRefusals(t *testing.T) {
	p := start(t)
	idToken := p.tokens()["id_token"].(string)
	stranger := start(t).tokens()["id_token"].(string)
	for _, pairs := range [][]string{
		{"post_logout_redirect_uri", loggedOut + "/"},
		{"post_logout_redirect_uri", "https://evil.example"},
		{"post_logout_redirect_uri", loggedOut + "?x"},
		{"client_id", ""}, // nobody to have registered the URI
		{"client_id", "nobody"},
		{"client_id", "other"},
		{"client_id", "other", "id_token_hint", idToken},
		{"id_token_hint", "garbage"},
		{"id_token_hint", stranger},
		{"id_token_hint", idToken[:len(idToken)-4] + "AAAA"},
	} {
		a := p.get(p.endSessionURL(pairs...))
		if a.StatusCode != http.StatusBadRequest || a.Header.Get("Location") != "" {
			t.Errorf("%.40q: %d %s", pairs, a.StatusCode, a.Header.Get("Location"))
		}
	}
	if a := p.get(p.endSessionURL() + "&post_logout_redirect_uri=https://evil.example"); a.StatusCode != http.StatusBadRequest {
		t.Errorf("two URIs: %d", a.StatusCode)
	}
	if !p.signedOn() {
		t.Error("a refused request logged out")
	}
}

func TestLogoutWithoutRedirectURI(t *testing.T) {
	p := start(t)
	p.login()
	location, err := idp.Logout(t.Context(), p.client, p.Issuer+"/end_session")
	if err != nil || location != "" || p.signedOn() {
		t.Errorf("%q %v", location, err)
	}
	if a := p.get(p.endSessionURL()); a.StatusCode != http.StatusFound {
		t.Errorf("without a session: %d", a.StatusCode)
	}
}
