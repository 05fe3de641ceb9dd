package agent

import (
	"net/http"
	"os"
	"sync/atomic"

	"oauth-agent/agent/internal/httperr"
	"oauth-agent/agent/internal/middleware"
	"oauth-agent/agent/internal/observe"
	"oauth-agent/agent/internal/seal"
)

// Metrics are those of a process. The agents that follow each other in one share
// them by [Options].
type Metrics = observe.Metrics

// NewMetrics makes those of a process that starts now.
func NewMetrics() *Metrics { return observe.NewMetrics() }

// health is what readiness is made of.
type health struct {
	keys     error       // why a key is of no use; nil when all are
	server   atomic.Bool // the authorization server was reached once
	upstream atomic.Bool // the one behind the PKCE proxy was
	draining atomic.Bool
}

// Draining makes /readyz fail from now on, for balancers to notice that the
// process is about to stop. Nothing else changes.
func (a *Agent) Draining() { a.health.draining.Store(true) }

// Admin serves the operator's endpoints: /livez, /readyz, /metrics and
// /buildinfo. They tell whoever asks, so that their listener must not be the
// public one.
func (a *Agent) Admin() http.Handler {
	// Not the renderer of the public port: nobody is refused here.
	render := &httperr.Renderer{Log: a.log}
	metrics := a.metrics.Handler()
	endpoints := map[string]httperr.Handler{
		"/livez":     a.livez,
		"/readyz":    a.readyz,
		"/buildinfo": buildInfo,
		"/metrics": func(w http.ResponseWriter, r *http.Request) error {
			a.metrics.Ready(a.readiness().Ready)
			metrics.ServeHTTP(w, r)
			return nil
		},
	}
	return middleware.CloseAfterChunks(middleware.SecurityHeaders(observe.Recover(a.log, a.panicked, render.Handle(func(w http.ResponseWriter, r *http.Request) error {
		h := endpoints[r.URL.EscapedPath()]
		switch {
		case h == nil:
			return notFound(w, r)
		case r.Method != http.MethodGet && r.Method != http.MethodHead:
			w.Header().Set("Allow", "GET, HEAD")
			return notAllowed(w, r)
		}
		return h(w, r)
	}))))
}

// livez answers GET /livez: the process answers. It depends on nothing, since to
// start a process anew cures no authorization server.
func (a *Agent) livez(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = w.Write([]byte("ok\n"))
	return nil
}

// readyz answers GET /readyz: 200 when requests may come, otherwise 503, and what
// is missing in both.
func (a *Agent) readyz(w http.ResponseWriter, _ *http.Request) error {
	answer := a.readiness()
	status := http.StatusOK
	if !answer.Ready {
		status = http.StatusServiceUnavailable
	}
	httperr.WriteJSON(w, status, answer)
	return nil
}

func buildInfo(w http.ResponseWriter, _ *http.Request) error {
	httperr.WriteJSON(w, http.StatusOK, observe.Build())
	return nil
}

// readiness is the answer of /readyz. A check that has passed says "ok".
type readiness struct {
	Ready  bool              `json:"ready"`
	Checks map[string]string `json:"checks"`
}

const passed = "ok"

func (a *Agent) readiness() readiness {
	// Settings that were not loaded have made no agent.
	checks := map[string]string{"settings": passed, "keys": passed}
	if a.health.keys != nil {
		checks["keys"] = a.health.keys.Error()
	}
	if a.as != nil {
		checks["authorization_server"] = reached(&a.health.server)
	}
	if a.pkce != nil {
		checks["pkce_token_endpoint"] = reached(&a.health.upstream)
	}
	if a.health.draining.Load() {
		checks["shutdown"] = "under way"
	}
	answer := readiness{Ready: true, Checks: checks}
	for _, told := range checks {
		answer.Ready = answer.Ready && told == passed
	}
	return answer
}

// tryKeys tells whether what is sealed opens again.
func tryKeys(ring *seal.Ring) error {
	box := ring.For("health", 0)
	sealed, err := box.Seal([]byte("ok"))
	if err == nil {
		_, err = box.Open(sealed)
	}
	return err
}

func reached(once *atomic.Bool) string {
	if once.Load() {
		return passed
	}
	return "not reached yet"
}

// inheritHealth takes over what a predecessor has found out of the same servers:
// a server that is down while settings change makes nobody unready.
func (a *Agent) inheritHealth(from *Agent) {
	if sameServer(a.cfg, from.cfg) {
		a.health.server.Store(from.health.server.Load())
	}
	if sameUpstream(a.cfg, from.cfg) {
		a.health.upstream.Store(from.health.upstream.Load())
	}
}

// tellKeyAge tells since when the first cookie key is used, as well as that can
// be known.
func (a *Agent) tellKeyAge() {
	if !a.cfg.HasAgent() {
		return // no cookies
	}
	created := a.cfg.KeyCreatedDay()
	if file := a.cfg.Cookie.EncryptionKeysFile; created.IsZero() && file != "" {
		if info, err := os.Stat(file); err == nil {
			created = info.ModTime()
		}
	}
	if created.IsZero() {
		created = a.metrics.Started()
	}
	a.metrics.KeyCreated(created)
}
