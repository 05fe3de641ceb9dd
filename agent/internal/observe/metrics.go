package observe

import (
	"crypto/tls"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"oauth-agent/agent/internal/httperr"
)

// Metrics are what a process counts. There is one for its whole life: the agents
// that follow each other when settings change share it. It is safe for concurrent
// use.
//
// No label is a client's to make up: each comes from the settings or from a fixed
// set, and whatever is in neither is "other".
type Metrics struct {
	registry *prometheus.Registry
	started  time.Time

	requests *timings
	inFlight prometheus.Gauge

	logins    *prometheus.CounterVec
	refreshes *prometheus.CounterVec
	callers   prometheus.Histogram
	logouts   prometheus.Counter
	server    *prometheus.HistogramVec
	cookies   *prometheus.HistogramVec
	unsealed  *prometheus.CounterVec
	refusals  *prometheus.CounterVec
	proxied   *counts

	keyCreated  *prometheus.GaugeVec // without labels: no value until there is one
	certificate *prometheus.GaugeVec
	reloads     *prometheus.CounterVec
	reloadOK    prometheus.Gauge
	reloaded    prometheus.Gauge
	ready       prometheus.Gauge
}

// NewMetrics makes the metrics of a process that starts now.
func NewMetrics() *Metrics {
	r := prometheus.NewRegistry()
	m := &Metrics{registry: r, started: time.Now()}
	m.ofRequests(r)
	m.ofSessions(r)
	m.ofProcess(r)
	m.begin()
	return m
}

func (m *Metrics) ofRequests(r *prometheus.Registry) {
	m.requests = newTimings(r, prometheus.HistogramOpts{
		Name: "oauth_agent_http_request_duration_seconds",
		Help: "Time from a request's header to the end of its answer.", Buckets: seconds(),
	})
	m.inFlight = gauge(r, "http_requests_in_flight", "Requests that are being answered.")
	m.refusals = counter(r, "refusals_total", "Requests refused for a reason.", "reason")
	m.proxied = newCounts(r, prometheus.CounterOpts{
		Name: "oauth_agent_proxy_requests_total", Help: "API calls by what became of them.",
	})
}

func (m *Metrics) ofSessions(r *prometheus.Registry) {
	m.logins = counter(r, "logins_total", "Logins started, completed and failed.", "event", "reason")
	m.refreshes = counter(r, "refreshes_total", "Refreshes asked for, by what came of them.", "outcome")
	m.callers = histogram(r, "refresh_callers", "Callers that shared one exchange of a refresh token.",
		[]float64{1, 2, 3, 5, 10, 20, 50}).WithLabelValues().(prometheus.Histogram)
	m.logouts = counter(r, "logouts_total", "Logouts.").WithLabelValues()
	m.server = histogram(r, "authorization_server_request_duration_seconds",
		"Time of a call to the authorization server.", seconds(), "endpoint", "outcome")
	m.cookies = histogram(r, "cookie_set_bytes", "Bytes of a value that was set, over all its cookies; one holds 4096.",
		[]float64{256, 512, 1024, 2048, 3072, 3584, 4096, 8192, 12288, 16384, 20480}, "kind")
	m.unsealed = counter(r, "unseal_failures_total", "Sealed values that did not open.", "purpose", "reason")
}

func (m *Metrics) ofProcess(r *prometheus.Registry) {
	m.keyCreated = gauges(r, "cookie_key_created_timestamp_seconds", "When the key that seals cookies was made.")
	m.certificate = gauges(r, "tls_certificate_not_after_timestamp_seconds", "When the certificate of the listener expires.")
	m.reloads = counter(r, "config_reloads_total", "Reloads of the settings.", "outcome")
	m.reloadOK = gauge(r, "config_last_reload_successful", "1 when the settings in the files are those that are used.")
	m.reloaded = gauge(r, "config_last_reload_timestamp_seconds", "When the settings that are used were loaded.")
	m.ready = gauge(r, "ready", "1 when /readyz says so.")
	build := gauges(r, "build_info", "Always 1.", "version", "go_version")
	info := Build()
	build.WithLabelValues(info.Version, info.Go).Set(1)
	r.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
}

// begin sets the values of a start. What can be counted is there from the first
// scrape on: a rate needs a value before the first event.
func (m *Metrics) begin() {
	m.reloadOK.Set(1)
	m.reloaded.Set(float64(m.started.Unix()))
	for _, event := range []string{"started", "completed"} {
		m.logins.WithLabelValues(event, "")
	}
	for _, outcome := range refreshOutcomes() {
		m.refreshes.WithLabelValues(outcome)
	}
	for _, outcome := range []string{"applied", "refused"} {
		m.reloads.WithLabelValues(outcome)
	}
	for _, reason := range httperr.Reasons() {
		m.refusals.WithLabelValues(reason)
	}
}

// Handler serves them in the formats of Prometheus.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{
		EnableOpenMetrics: true, MaxRequestsInFlight: 4, Timeout: 10 * time.Second,
	})
}

// Started is when the process began, as far as the metrics know.
func (m *Metrics) Started() time.Time { return m.started }

// Reloaded counts a reload: ok when new settings are used, otherwise the old ones
// go on.
func (m *Metrics) Reloaded(ok bool) {
	if !ok {
		m.reloads.WithLabelValues("refused").Inc()
		m.reloadOK.Set(0)
		return
	}
	m.reloads.WithLabelValues("applied").Inc()
	m.reloadOK.Set(1)
	m.reloaded.Set(float64(time.Now().Unix()))
}

// KeyCreated tells when the key was made that seals cookies now.
func (m *Metrics) KeyCreated(at time.Time) { m.keyCreated.WithLabelValues().Set(float64(at.Unix())) }

// Certificate tells which certificate the listener shows.
func (m *Metrics) Certificate(pair *tls.Certificate) {
	if pair != nil && pair.Leaf != nil {
		m.certificate.WithLabelValues().Set(float64(pair.Leaf.NotAfter.Unix()))
	}
}

// Ready tells what /readyz says now.
func (m *Metrics) Ready(ready bool) {
	if ready {
		m.ready.Set(1)
	} else {
		m.ready.Set(0)
	}
}

// The names of all metrics but those of Go and the process begin with namespace.
const namespace = "oauth_agent"

func counter(r *prometheus.Registry, name, help string, labels ...string) *prometheus.CounterVec {
	v := prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: namespace, Name: name, Help: help}, labels)
	r.MustRegister(v)
	return v
}

func gauges(r *prometheus.Registry, name, help string, labels ...string) *prometheus.GaugeVec {
	v := prometheus.NewGaugeVec(prometheus.GaugeOpts{Namespace: namespace, Name: name, Help: help}, labels)
	r.MustRegister(v)
	return v
}

func gauge(r *prometheus.Registry, name, help string) prometheus.Gauge {
	return gauges(r, name, help).WithLabelValues()
}

func histogram(r *prometheus.Registry, name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
	v := prometheus.NewHistogramVec(prometheus.HistogramOpts{Namespace: namespace, Name: name, Help: help, Buckets: buckets}, labels)
	r.MustRegister(v)
	return v
}

// seconds are the bounds of a call's time.
func seconds() []float64 {
	return []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30}
}
