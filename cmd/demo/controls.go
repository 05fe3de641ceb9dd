package main

import (
	"net/http"
	"sync"
	"time"

	"oauth-agent/test/idp"
)

// controls are what the page's buttons do to the identity provider, so that one
// can watch agent and library cope.
type controls struct {
	provider *idp.Server
	outage   time.Duration

	mu sync.Mutex
	up *time.Timer // ends the outage that is on
}

// routes adds them below the agent's base path, for the demo's own page alone.
func (c *controls) routes(mux *http.ServeMux, origin string) {
	for path, act := range map[string]func(){
		"/demo/kill-access-tokens": c.provider.KillAccessTokens,
		"/demo/end-sessions":       c.provider.RevokeAll,
		"/demo/outage":             c.fail,
	} {
		mux.HandleFunc("POST "+basePath+path, ownPage(func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Origin") != origin {
				http.Error(w, "for the demo's own page", http.StatusForbidden)
				return
			}
			act()
			writeJSON(w, http.StatusOK, map[string]float64{"seconds": c.outage.Seconds()})
		}))
	}
}

// fail has the provider break every connection of the agent for a while; the
// pages that users see go on.
func (c *controls) fail() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.up != nil {
		c.up.Stop()
	}
	for _, e := range []idp.Endpoint{idp.Discovery, idp.JWKS, idp.Token, idp.Userinfo, idp.Revocation} {
		c.provider.SetFault(e, idp.Down())
	}
	c.up = time.AfterFunc(c.outage, c.provider.ClearFaults)
}

func (c *controls) close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.up != nil {
		c.up.Stop()
	}
	return nil
}

// ownPage keeps other sites out, by what browsers say of who asks.
func ownPage(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if site := r.Header.Get("Sec-Fetch-Site"); site != "" && site != "same-origin" {
			http.Error(w, "for the demo's own page", http.StatusForbidden)
			return
		}
		next(w, r)
	}
}
