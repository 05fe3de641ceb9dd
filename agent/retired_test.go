package agent

import (
	"net/http"
	"net/http/httptest"
	"runtime"
	"testing"
	"time"
	"weak"

	"oauth-agent/agent/config"
)

// An agent that was replaced leaves memory, and with it the secrets of its
// settings: nothing that goes over to its successor leads back to it.
func TestRetiredIsForgotten(t *testing.T) {
	api := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer api.Close()
	l, srv := newLive(t, liveSettings(t, api.URL))
	var agents []weak.Pointer[App]
	var settings []weak.Pointer[config.Config]
	for range 3 {
		if status := call(t, srv.URL+"/api/x"); status != 200 {
			t.Fatalf("status %d", status)
		}
		a := l.current.Load().app
		agents, settings = append(agents, weak.Make(a)), append(settings, weak.Make(a.cfg))
		if err := l.Reload(t.Context(), liveSettings(t, api.URL), nil); err != nil {
			t.Fatal(err)
		}
	}
	for i := range agents {
		for range 500 { // it ends in the background
			if runtime.GC(); agents[i].Value() == nil && settings[i].Value() == nil {
				break
			}
			time.Sleep(time.Millisecond)
		}
		if agents[i].Value() != nil || settings[i].Value() != nil {
			t.Errorf("agent %d is in memory", i)
		}
	}
	if status := call(t, srv.URL+"/api/x"); status != 200 {
		t.Errorf("status %d", status)
	}
}
