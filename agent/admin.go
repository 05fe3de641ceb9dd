package agent

import (
	"net/http"

	"oauth-agent/agent/internal/httperr"
	"oauth-agent/agent/internal/httproute"
	"oauth-agent/agent/internal/observe"
)

// Metrics are those of a process. The agents that follow each other in one share
// them by [Options].
type Metrics = observe.Metrics

// NewMetrics makes those of a process that starts now.
func NewMetrics() *Metrics { return observe.NewMetrics() }

// operatorRoutes are the operator's endpoints. They answer everybody, so that their
// listener must not be the public one.
func (g *generation) operatorRoutes() []httproute.Route {
	metrics := g.server.metrics.Handler()
	get := httproute.Get()
	return []httproute.Route{
		{Methods: get, Path: "/livez", Policy: httproute.Operator, Handler: livez},
		{Methods: get, Path: "/readyz", Policy: httproute.Operator, Handler: g.readyz},
		{Methods: get, Path: "/buildinfo", Policy: httproute.Operator, Handler: buildInfo},
		{Methods: get, Path: "/metrics", Policy: httproute.Operator, Handler: func(w http.ResponseWriter, r *http.Request) error {
			g.server.metrics.Ready(g.readiness().Ready)
			metrics.ServeHTTP(w, r)
			return nil
		}},
	}
}

// livez answers GET /livez: the process answers. It depends on nothing, since to
// start a process anew cures no authorization server.
func livez(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = w.Write([]byte("ok\n"))
	return nil
}

// readyz answers GET /readyz: 200 when requests may come, otherwise 503, and what
// is missing in both.
func (g *generation) readyz(w http.ResponseWriter, _ *http.Request) error {
	answer := g.readiness()
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

func (g *generation) readiness() readiness {
	// Settings that were not loaded have made no generation.
	checks := map[string]string{"settings": passed, "keys": passed}
	if err := g.app.keys; err != nil {
		checks["keys"] = err.Error()
	}
	if as := g.app.as; as != nil {
		checks["authorization_server"] = reachedOnce(as.Reached())
	}
	if g.pkce != nil {
		checks["pkce_token_endpoint"] = reachedOnce(g.pkceServerReached())
	}
	if g.server.draining.Load() {
		checks["shutdown"] = "under way"
	}
	answer := readiness{Ready: true, Checks: checks}
	for _, result := range checks {
		answer.Ready = answer.Ready && result == passed
	}
	return answer
}

func reachedOnce(reached bool) string {
	if reached {
		return passed
	}
	return "not reached yet"
}
