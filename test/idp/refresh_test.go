package idp_test

import (
	"sync"
	"testing"
	"time"

	"oauth-agent/test/idp"
)

func TestRotation(t *testing.T) {
	p := start(t)
	first := p.tokens()
	second := p.refresh(first["refresh_token"]).json(t)
	third := p.refresh(second["refresh_token"]).json(t)
	for _, key := range []string{"access_token", "refresh_token", "id_token"} {
		if first[key] == second[key] || second[key] == third[key] || third[key] == nil {
			t.Errorf("%s did not change", key)
		}
	}
	for _, tokens := range []map[string]any{first, third} {
		if a := p.userinfo(tokens["access_token"]); a.StatusCode != 200 {
			t.Errorf("an access token died by refresh: %d", a.StatusCode)
		}
	}
}

// RFC 9700 4.14.2: who uses a spent refresh token ends the family, the newest tokens
// too; other logins live on.
func TestReuseRevokesTheFamily(t *testing.T) {
	p := start(t)
	bystander := p.tokens()
	first := p.tokens()
	second := p.refresh(first["refresh_token"]).json(t)
	p.wantError(p.refresh(first["refresh_token"]), 400, "invalid_grant")
	p.wantError(p.refresh(second["refresh_token"]), 400, "invalid_grant")
	p.wantError(p.userinfo(second["access_token"]), 401, "invalid_token")
	if a := p.refresh(bystander["refresh_token"]); a.StatusCode != 200 {
		t.Errorf("another login died: %d", a.StatusCode)
	}
}

// Of twenty refreshes with one token at once, one is first, and the nineteen others
// end the family: the trap that clients must not step into.
func TestConcurrentReuse(t *testing.T) {
	p := start(t)
	token := p.tokens()["refresh_token"].(string)
	statuses := make([]int, 20)
	var wg sync.WaitGroup
	for i := range statuses {
		wg.Go(func() { statuses[i] = p.post("/token", refreshForm(token)).StatusCode })
	}
	wg.Wait()
	won := 0
	for _, status := range statuses {
		if status == 200 {
			won++
		}
	}
	if won != 1 || p.Counts()["refresh_token"] != 20 {
		t.Errorf("%d won of %d", won, p.Counts()["refresh_token"])
	}
}

func TestNoRotation(t *testing.T) {
	p := start(t, func(c *idp.Config) { c.NoRotation = true })
	first := p.tokens()
	for range 3 {
		if got := p.refresh(first["refresh_token"]).json(t)["refresh_token"]; got != first["refresh_token"] {
			t.Fatalf("refresh token %v", got)
		}
	}
	p = start(t, func(c *idp.Config) { c.NoRotation, c.OmitRefreshTokenOnReuse = true, true })
	if got, ok := p.refresh(p.tokens()["refresh_token"]).json(t)["refresh_token"]; ok {
		t.Errorf("refresh token %v", got)
	}
}

func TestRefreshTokenExpires(t *testing.T) {
	p := start(t, func(c *idp.Config) { c.RefreshTokenLifetime = time.Hour })
	token := p.tokens()["refresh_token"]
	p.clock.Add(time.Hour)
	p.wantError(p.refresh(token), 400, "invalid_grant")
}

func TestRefreshScope(t *testing.T) {
	p := start(t)
	first := p.tokens("scope", "openid profile")
	token := first["refresh_token"].(string)
	p.wantError(p.post("/token", refreshForm(token, "scope", "openid email")), 400, "invalid_scope")
	narrow := p.post("/token", refreshForm(token, "scope", "profile")).json(t)
	if narrow["scope"] != "profile" {
		t.Fatalf("scope %v", narrow["scope"])
	}
	p.wantError(p.userinfo(narrow["access_token"]), 403, "insufficient_scope")
	if got := p.refresh(narrow["refresh_token"]).json(t)["scope"]; got != "openid profile" {
		t.Errorf("the grant itself was narrowed: %v", got)
	}
}

func TestRefreshOfAnotherClient(t *testing.T) {
	p := start(t)
	token := p.tokens()["refresh_token"].(string)
	form := refreshForm(token, "client_id", "other", "client_secret", "other-secret")
	p.wantError(p.send(p.request(t.Context(), "POST", p.Issuer+"/token", form)), 400, "invalid_grant")
	if a := p.refresh(token); a.StatusCode != 200 {
		t.Errorf("the rightful client is out: %d", a.StatusCode)
	}
	p.wantError(p.post("/token", refreshForm("")), 400, "invalid_request")
}

func TestIDTokenOnRefresh(t *testing.T) {
	p := start(t)
	first := p.tokens()
	p.clock.Add(time.Minute)
	login, renewed := p.claims(first["id_token"]), p.claims(p.refresh(first["refresh_token"]).json(t)["id_token"])
	if _, ok := renewed["nonce"]; ok || login["nonce"] != "n-0S6" {
		t.Errorf("nonce: %v, then %v", login["nonce"], renewed["nonce"])
	}
	for _, key := range []string{"iss", "sub", "aud", "auth_time", "sid"} {
		if login[key] != renewed[key] {
			t.Errorf("%s: %v, then %v", key, login[key], renewed[key])
		}
	}
	if renewed["iat"].(float64) != login["iat"].(float64)+60 {
		t.Error("iat stands still")
	}

	p = start(t, func(c *idp.Config) { c.NonceOnRefresh = true })
	if got := p.claims(p.refresh(p.tokens()["refresh_token"]).json(t)["id_token"])["nonce"]; got != "n-0S6" {
		t.Errorf("nonce %v", got)
	}
	p = start(t, func(c *idp.Config) { c.OmitIDTokenOnRefresh = true })
	if got, ok := p.refresh(p.tokens()["refresh_token"]).json(t)["id_token"]; ok {
		t.Errorf("ID token %v", got)
	}
}

func TestRefreshKillsAccessToken(t *testing.T) {
	p := start(t, func(c *idp.Config) { c.RefreshKillsAccessToken = true })
	bystander, first := p.tokens(), p.tokens()
	second := p.refresh(first["refresh_token"]).json(t)
	p.wantError(p.userinfo(first["access_token"]), 401, "invalid_token")
	for _, alive := range []any{second["access_token"], bystander["access_token"]} {
		if a := p.userinfo(alive); a.StatusCode != 200 {
			t.Errorf("%d", a.StatusCode)
		}
	}
}

func TestKilledAtTheProvider(t *testing.T) {
	p := start(t)
	tokens := p.tokens()
	p.KillAccessTokens()
	p.wantError(p.userinfo(tokens["access_token"]), 401, "invalid_token")
	tokens = p.refresh(tokens["refresh_token"]).json(t)
	if sub, ok := p.Subject(tokens["access_token"].(string)); !ok || sub != "zoe-1990" {
		t.Errorf("subject %q %v", sub, ok)
	}
	p.RevokeAll()
	if _, ok := p.Subject(tokens["access_token"].(string)); ok {
		t.Error("the access token lives")
	}
	p.wantError(p.refresh(tokens["refresh_token"]), 400, "invalid_grant")
	if a := p.get(p.authorizeURL()); a.StatusCode != 200 {
		t.Errorf("the single sign-on session lives: %d", a.StatusCode)
	}
}
