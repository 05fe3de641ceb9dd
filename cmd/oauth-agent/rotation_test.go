package main

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"oauth-agent/test/idp"
)

// rotating is an authorization server that rotates refresh tokens, and ends the
// session when one comes twice.
func rotating(t *testing.T) *idp.Server {
	t.Helper()
	return comes(t, "127.0.0.1:0")
}

// tab is a browser tab that is logged in.
type tab struct {
	p       *program
	csrf    string
	cookies map[string]*http.Cookie
}

func (b *tab) call(path, body string) (int, map[string]any) {
	b.p.t.Helper()
	req, _ := http.NewRequest("POST", b.p.url+path, strings.NewReader(body))
	req.Header.Set("Origin", origin)
	req.Header.Set("X-Example-Csrf", b.csrf)
	for _, c := range b.cookies {
		req.AddCookie(c)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		b.p.t.Errorf("%s: %v", path, err)
		return 0, nil
	}
	defer func() { _ = resp.Body.Close() }()
	for _, c := range resp.Cookies() {
		if b.cookies[c.Name] = c; c.MaxAge < 0 {
			delete(b.cookies, c.Name)
		}
	}
	var answer map[string]any
	_ = json.NewDecoder(resp.Body).Decode(&answer)
	return resp.StatusCode, answer
}

// login walks a whole login.
func (p *program) login() *tab {
	p.t.Helper()
	b := &tab{p: p, cookies: map[string]*http.Cookie{}}
	_, answer := b.call("/login/start", "")
	start, _ := answer["authorizationRequestUrl"].(string)
	page, err := idp.Login(p.t.Context(), nil, start, "demo", "demo")
	if err != nil {
		p.t.Fatal(err)
	}
	if _, answer = b.call("/login/end", `{"pageUrl":"`+page+`"}`); answer["isLoggedIn"] != true {
		p.t.Fatalf("login: %v", answer)
	}
	b.csrf, _ = answer["csrf"].(string)
	return b
}

func (b *tab) clone() *tab {
	c := &tab{p: b.p, csrf: b.csrf, cookies: map[string]*http.Cookie{}}
	for name, cookie := range b.cookies {
		c.cookies[name] = cookie
	}
	return c
}

// rotate puts a new key in front of the ones that are there, and has the settings
// loaded.
func (p *installed) rotate(keys []string) []string {
	fresh := make([]byte, 32)
	_, _ = rand.Read(fresh)
	keys = append([]string{hex.EncodeToString(fresh)}, keys...)
	p.write("keys", strings.Join(keys, "\n"))
	p.hangup()
	return keys
}

// 64 callers bring one refresh token at the same time, over and over, while keys
// are changed by reload without a pause: some come to the agent before and some to
// the one after. The server would end the session at the first token that comes
// twice.
func TestReloadsSpendNoTokenTwice(t *testing.T) {
	const callers, rounds = 64, 12
	as := rotating(t)
	p := prepare(t, as.Issuer, nil)
	p.set(map[string]string{"cookie": "{name_prefix: example, key_grace: 0s, encryption_keys_file: " + p.path("keys") + "}"}) // each seals at once
	p.start(t, exec.Command(itself(t), "--config", p.path("agent.yaml")))
	as.SetFault(idp.Token, idp.Fault{Delay: 30 * time.Millisecond, GrantType: "refresh_token"}) // so that reloads meet it
	session := p.login()

	var stop atomic.Bool
	var rotations sync.WaitGroup
	rotations.Go(func() {
		keys := []string{strings.Repeat("a1", 32)}
		for !stop.Load() {
			before := p.told(applied)
			keys = p.rotate(keys)
			for p.told(applied) == before && !stop.Load() {
				time.Sleep(time.Millisecond)
			}
		}
	})
	for round := range rounds {
		tabs := make([]*tab, callers)
		var all sync.WaitGroup
		for i := range tabs {
			tabs[i] = session.clone()
			all.Go(func() {
				time.Sleep(time.Duration(i) * time.Millisecond) // some at once, some in the air, some late
				if status, answer := tabs[i].call("/refresh", ""); status != http.StatusNoContent {
					t.Errorf("round %d, caller %d: %d %v", round, i, status, answer)
				}
			})
		}
		all.Wait()
		if n := as.Counts()["refresh_token"]; n != round+1 || t.Failed() {
			t.Fatalf("round %d: %d refresh tokens were spent", round, n)
		}
		session = tabs[round%callers]
	}
	stop.Store(true)
	rotations.Wait()
	if n := p.told(applied); n < rounds {
		t.Errorf("only %d reloads: this tests nothing", n)
	} else {
		t.Logf("%d refreshes by %d exchanges during %d reloads", callers*rounds, rounds, n)
	}
	if status, _ := session.call("/refresh", ""); status != http.StatusNoContent {
		t.Errorf("at last: %d", status)
	}
}

// What is remembered of tokens and codes outlives the very key of the cookies.
func TestReloadsKeepWhatWasSpent(t *testing.T) {
	as := rotating(t)
	p := install(t, as.Issuer, nil)
	session := p.login()
	late := session.clone()
	session.call("/refresh", "")
	p.write("keys", strings.Repeat("b2", 32)+"\n"+strings.Repeat("a1", 32))
	p.mustReload()
	if status, answer := late.call("/refresh", ""); status != http.StatusNoContent || as.Counts()["refresh_token"] != 1 {
		t.Errorf("a late call: %d %v, %d exchanges", status, answer, as.Counts()["refresh_token"])
	}

	// A code is not redeemed by each of two agents, nor a logout continued.
	b := &tab{p: p.program, cookies: map[string]*http.Cookie{}}
	_, answer := b.call("/login/start", "")
	page, err := idp.Login(t.Context(), nil, answer["authorizationRequestUrl"].(string), "demo", "demo")
	if err != nil {
		t.Fatal(err)
	}
	again := b.clone()
	end := `{"pageUrl":"` + page + `"}`
	if _, answer := b.call("/login/end", end); answer["isLoggedIn"] != true {
		t.Fatalf("login: %v", answer)
	}
	p.mustReload()
	if status, answer := again.call("/login/end", end); status != http.StatusBadRequest {
		t.Errorf("the code again: %d %v", status, answer)
	}
	if n := as.Counts()["authorization_code"]; n != 2 { // one for each login
		t.Errorf("%d codes were redeemed", n)
	}
	if _, answer := late.call("/logout", ""); answer["url"] == nil {
		t.Fatalf("logout: %v", answer)
	}
	for i, want := range []int{http.StatusFound, http.StatusBadRequest} {
		if status := late.clone().leave(); status != want {
			t.Errorf("%d: the logout is continued with %d", i, status)
		}
		p.mustReload()
	}

	// The server is as well known as before, though nobody could ask it now.
	as.SetFault(idp.Discovery, idp.Down())
	p.mustReload()
	if status, body := p.ask("/readyz"); status != http.StatusOK {
		t.Errorf("not ready: %s", body)
	}
	if p.login(); t.Failed() {
		t.Error("logins fail")
	}
}

// leave goes to /logout/continue, as the page would.
func (b *tab) leave() int {
	b.p.t.Helper()
	req, _ := http.NewRequest("GET", b.p.url+"/logout/continue", nil)
	for _, c := range b.cookies {
		req.AddCookie(c)
	}
	resp, err := http.DefaultTransport.RoundTrip(req) // not after the redirect
	if err != nil {
		b.p.t.Fatal(err)
	}
	_ = resp.Body.Close()
	return resp.StatusCode
}
