package authserver

import (
	"errors"
	"log/slog"
	"net/http"
	"runtime"
	"testing"
	"time"
	"weak"
)

// TestClientIsForgotten: what belongs to a client, such as its secret, does not stay in
// memory with what its process knows of the server.
func TestClientIsForgotten(t *testing.T) {
	as := newAS(t)
	log := slog.New(slog.DiscardHandler)
	http := NewHTTP(nil, 5*time.Second)
	servers := NewServers(http, as.Clock.Now, log)
	client := func() *Client {
		return New(as.config(), Options{HTTP: http, Servers: servers, Clock: as.Clock.Now, Log: log})
	}
	first := client()
	mustRefresh(t, first, as.enter(first))
	gone := weak.Make(first)
	second := client()
	as.enter(second)
	first = nil
	for range 100 {
		runtime.GC()
		if gone.Value() == nil {
			break
		}
		runtime.Gosched() // what runs in the background may not have ended
	}
	if gone.Value() != nil {
		t.Error("the first client is in memory")
	}
	as.enter(second)
}

// TestServersAreShared by the clients that have the same one, while nobody can ask; and
// forgotten with the last of these clients.
func TestServersAreShared(t *testing.T) {
	as := newAS(t)
	log := slog.New(slog.DiscardHandler)
	servers := NewServers(NewHTTP(nil, 5*time.Second), as.Clock.Now, log)
	client := func(change ...func(*Config)) *Client {
		cfg := as.config()
		for _, c := range change {
			c(&cfg)
		}
		return New(cfg, Options{Servers: servers, Clock: as.Clock.Now, Log: log})
	}
	first := client()
	as.enter(first)
	gone := func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) }
	as.Handle(wellKnownPath, gone)
	as.Handle("/keys", gone)
	as.Clock.Add(time.Second)
	same := client(func(c *Config) { c.RedirectURI += "/other" })
	as.enter(same)
	if !same.SameServer(first) {
		t.Error("two clients of one server do not share it")
	}
	other := client(func(c *Config) { c.Userinfo = as.URL + "/other" })
	if err := other.Ready(t.Context()); !errors.Is(err, ErrUnavailable) || other.SameServer(first) {
		t.Errorf("what is known of one server is believed of another: %v", err)
	}
	servers.Retain(other)
	if err := client().Ready(t.Context()); !errors.Is(err, ErrUnavailable) {
		t.Errorf("a server that nobody has any more is known: %v", err)
	}
}
