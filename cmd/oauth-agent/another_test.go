package main

import (
	"net"
	"net/http"
	"strings"
	"testing"

	"oauth-agent/test/double"
	"oauth-agent/test/idp"
)

const otherOrigin = "https://other.example.com"

// anotherServer is the settings with another authorization server at addr, and
// something more, by which one sees whether they are in force.
func anotherServer(addr string) map[string]map[string]string {
	origins := "[" + origin + ", " + otherOrigin + "]"
	return map[string]map[string]string{
		"issuer": {"trusted_web_origins": origins, "issuer": "http://" + addr},
		"PKCE token URL": {"trusted_web_origins": origins, "pkce_proxy": "{client_id: proxy, client_secret: c4nary-secret, " +
			"auth_url: 'http://" + addr + "/authorize', token_url: 'http://" + addr + "/token', redirect_url: 'http://127.0.0.1:2/callback', " +
			"allowed_redirect_uris: ['http://127.0.0.1/cb'], signing_key: " + strings.Repeat("c3", 32) + ", encryption_key: " + strings.Repeat("d4", 32) + "}"},
	}
}

// comes starts a server at addr.
func comes(t *testing.T, addr string) *idp.Server {
	t.Helper()
	srv, err := idp.Start(t.Context(), addr, idp.Config{
		Clients: []idp.Client{{ID: "spa", Secret: "c4nary-secret", RedirectURIs: []string{origin + "/"}}},
		Users:   []idp.User{{Username: "demo", Password: "demo", Sub: "demo"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = srv.Close() })
	return srv
}

// closed is an address at which nobody listens until somebody is told to.
func closed(t *testing.T) (addr string, leave func()) { return double.FreeAddress(t), func() {} }

// resets is an address at which each connection is reset, as by a balancer whose
// server is gone, until leave is called.
func resets(t *testing.T) (addr string, leave func()) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			_, _ = conn.Read(make([]byte, 1))
			_ = conn.(*net.TCPConn).SetLinger(0)
			_ = conn.Close()
		}
	}()
	return listener.Addr().String(), func() { _ = listener.Close() }
}

// Settings with another authorization server are refused whole while it does not
// answer, which is told once, and are taken by themselves when it does.
func TestAnotherServerIsWaitedFor(t *testing.T) {
	for what, gone := range map[string]func(*testing.T) (string, func()){"issuer": resets, "PKCE token URL": closed} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			first := rotating(t)
			p := install(t, first.Issuer, map[string]string{"reload_every": "1s"})
			p.until("it is ready", func() bool { status, _ := p.ask("/readyz"); return status == http.StatusOK })
			addr, leave := gone(t)
			p.write("keys", strings.Repeat("b2", 32)+"\n"+strings.Repeat("a1", 32))
			p.set(anotherServer(addr)[what])
			p.until("they are tried again and again", func() bool { return p.metric(`oauth_agent_config_reloads_total{outcome="refused"}`) >= 3 })
			if n := p.told(refused); n != 1 {
				t.Errorf("refused %d times in the log", n)
			}
			for _, text := range []string{"not available yet", "discovery failed", "the new cookie key"} {
				if p.told(text) > 0 {
					t.Errorf("it says %q, though the old settings go on", text)
				}
			}
			if p.serves(otherOrigin) || p.metric("oauth_agent_config_last_reload_successful") != 0 {
				t.Error("they are in force")
			}
			p.login()
			if n := first.Counts()["authorization_code"]; n != 1 {
				t.Errorf("%d logins at the first server", n)
			}

			leave()
			second := comes(t, addr)
			p.until("they are taken", func() bool { return p.told(applied) == 1 })
			p.taken(what, first, second)
			if n := p.told("the new cookie key"); n != 1 {
				t.Errorf("the new key is told of %d times", n)
			}
		})
	}
}

// One that answers is taken at once.
func TestAnotherServerThatIsThere(t *testing.T) {
	for what := range anotherServer("") {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			first := rotating(t)
			p := install(t, first.Issuer, nil)
			p.login()
			second := comes(t, "127.0.0.1:0")
			p.set(anotherServer(strings.TrimPrefix(second.Issuer, "http://"))[what])
			p.mustReload()
			p.taken(what, first, second)
		})
	}
}

// taken checks that the settings of anotherServer are in force, after a login at the
// first server.
func (p *installed) taken(what string, first, second *idp.Server) {
	p.t.Helper()
	if !p.serves(otherOrigin) || p.metric("oauth_agent_config_last_reload_successful") != 1 {
		p.t.Error("they are not in force")
	}
	if status, body := p.ask("/readyz"); status != http.StatusOK {
		p.t.Errorf("not ready: %s", body)
	}
	at := [2]int{2, 0}
	if what == "issuer" {
		at = [2]int{1, 1}
	}
	p.login()
	if got := [2]int{first.Counts()["authorization_code"], second.Counts()["authorization_code"]}; got != at {
		p.t.Errorf("logins at the servers: %v", got)
	}
}
