package pkceproxy_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http/httptest"
	"testing"
	"time"

	"oauth-agent/agent/internal/authserver"
	"oauth-agent/agent/internal/pkceproxy"
	"oauth-agent/agent/internal/store"
)

// A proxy that takes another's place, for new settings, has its store: it sends no
// code that the other has sent, and no client's refresh token for another client.
func TestProxiesOfOneStore(t *testing.T) {
	w := newWorld(t)
	memory := store.NewMemory(w.clock.Now)
	build := func() string {
		p, err := pkceproxy.New(w.cfg, pkceproxy.Options{HTTP: authserver.NewHTTP(nil, 5*time.Second), Clock: w.clock.Now, Store: memory})
		fatalIf(t, err)
		server := httptest.NewServer(serve(p, slog.New(slog.DiscardHandler)))
		t.Cleanup(server.Close)
		return server.URL
	}
	one, two := build(), build()
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

// brokenStore is a store that is down.
type brokenStore struct{ store.Store }

func (brokenStore) PutIfAbsent(context.Context, store.Key, []byte, time.Duration) (bool, error) {
	return false, errors.New("no connection")
}

// A store that is down says nothing of a code: the client may try again, and must not
// be told to log in anew.
func TestStoreThatIsDown(t *testing.T) {
	w := newWorld(t)
	p, err := pkceproxy.New(w.cfg, pkceproxy.Options{Clock: w.clock.Now, Store: brokenStore{store.NewMemory(w.clock.Now)}})
	fatalIf(t, err)
	server := httptest.NewServer(serve(p, slog.New(slog.DiscardHandler)))
	defer server.Close()
	wantError(t, w.post(server.URL, "/oauth/token", tokenForm(w.code())), 502, "server_error")
	if n := len(w.as.got()); n != 0 {
		t.Errorf("the authorization server was asked %d times", n)
	}
}
