package pkceproxy_test

import (
	"log/slog"
	"net/http/httptest"
	"testing"
	"time"

	"oauth-agent/agent/internal/authserver"
	"oauth-agent/agent/internal/pkceproxy"
)

// A proxy that takes another's place, for new settings, sends no code that the
// other has sent, and no client's refresh token for another client.
func TestSuccessorRemembers(t *testing.T) {
	w := newWorld(t)
	build := func(from *pkceproxy.Proxy) (*pkceproxy.Proxy, string) {
		p, err := pkceproxy.New(w.cfg, pkceproxy.Options{HTTP: authserver.NewHTTP(nil, 5*time.Second), Clock: w.clock.Now})
		fatalIf(t, err)
		if from != nil {
			p.Inherit(from)
		}
		server := httptest.NewServer(serve(p, slog.New(slog.DiscardHandler)))
		t.Cleanup(server.Close)
		return p, server.URL
	}
	first, one := build(nil)
	_, two := build(first)
	w.cfg.AllowPlain = true
	code := w.code()
	if r := w.post(one, "/oauth/token", tokenForm(code)); r.body != answerBody {
		t.Fatalf("%d %s", r.StatusCode, r.body)
	}
	wantError(t, w.post(two, "/oauth/token", tokenForm(code)), 400, "invalid_grant")
	wantError(t, w.post(two, "/oauth/token", refreshForm("client_id=other")), 400, "invalid_grant")
	wantError(t, w.post(one, "/oauth/token", refreshForm("client_id=other")), 400, "invalid_grant")
	if n := len(w.as.got()); n != 1 {
		t.Errorf("the authorization server was asked %d times", n)
	}
}
