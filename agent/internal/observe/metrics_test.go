package observe_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"oauth-agent/agent/internal/httperr"
	"oauth-agent/agent/internal/observe"
	"oauth-agent/agent/internal/trace"
)

// scrape gives the lines of the metrics that are the program's own, or all.
func scrape(t *testing.T, m *observe.Metrics, all bool) []string {
	t.Helper()
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	if w.Code != http.StatusOK {
		t.Fatalf("status %d", w.Code)
	}
	var lines []string
	for line := range strings.Lines(w.Body.String()) {
		if all || strings.Contains(line, "oauth_agent_") {
			lines = append(lines, strings.TrimSuffix(line, "\n"))
		}
	}
	return lines
}

// value is that of one series; empty when it is not there.
func value(t *testing.T, m *observe.Metrics, series string) string {
	t.Helper()
	for _, line := range scrape(t, m, false) {
		if rest, ok := strings.CutPrefix(line, "oauth_agent_"+series+" "); ok {
			return rest
		}
	}
	return ""
}

// everything counts each thing once.
func everything(m *observe.Metrics) {
	e := &observe.Events{Log: slog.New(slog.DiscardHandler), Metrics: m}
	e.LoginStarted(context.TODO())
	e.LoginCompleted(context.TODO(), "", "")
	e.Refreshed(context.TODO(), "shared", "", "")
	e.LoggedOut(context.TODO(), "", "")
	r := httptest.NewRequest("GET", "/", nil)
	m.Note(r, httperr.As(httperr.Failed(httperr.EventLoginFailed, httperr.BadRequest("", nil).Because(httperr.ReasonIssuer))))
	m.Note(r, httperr.As(httperr.Failed(httperr.EventLoginFailed, httperr.BadRequest("", nil))))
	m.Note(r, httperr.Unauthorized("", nil).Because(httperr.ReasonOrigin))
	m.RefreshShared(20)
	m.ServerCalled("token", "ok", time.Millisecond)
	m.CookieSet("at", 1700)
	m.UnsealFailed("auth", "key")
	m.Proxied("/api/", "forwarded")
	m.KeyCreated(time.Unix(1000, 0))
	m.Certificate(&tls.Certificate{Leaf: &x509.Certificate{NotAfter: time.Unix(2000, 0)}})
	m.Certificate(nil)
	m.Ready(true)
	m.Reloaded(true)
	m.Reloaded(false)
	o := &observe.Requests{Log: slog.New(slog.DiscardHandler), Clock: ticking(time.Second), Metrics: m, Tracer: &trace.Tracer{}}
	o.Watch(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})).ServeHTTP(httptest.NewRecorder(), r)
}

func TestMetrics(t *testing.T) {
	m := observe.NewMetrics()
	everything(m)
	for series, want := range map[string]string{
		`http_request_duration_seconds_sum{method="GET",route="none",status="200"}`: "1",
		`http_requests_in_flight`:                               "0",
		`logins_total{event="started",reason=""}`:               "1",
		`logins_total{event="completed",reason=""}`:             "1",
		`logins_total{event="failed",reason="issuer"}`:          "1",
		`logins_total{event="failed",reason="invalid_request"}`: "1",
		`refreshes_total{outcome="shared"}`:                     "1",
		`refreshes_total{outcome="exchanged"}`:                  "0",
		`refresh_callers_sum`:                                   "20",
		`logouts_total`:                                         "1",
		`authorization_server_request_duration_seconds_count{endpoint="token",outcome="ok"}`: "1",
		`cookie_set_bytes_bucket{kind="at",le="2048"}`:                                       "1",
		`unseal_failures_total{purpose="auth",reason="key"}`:                                 "1",
		`refusals_total{reason="origin"}`:                                                    "1",
		`refusals_total{reason="csrf"}`:                                                      "0",
		`proxy_requests_total{outcome="forwarded",route="/api/"}`:                            "1",
		`cookie_key_created_timestamp_seconds`:                                               "1000",
		`tls_certificate_not_after_timestamp_seconds`:                                        "2000",
		`config_reloads_total{outcome="applied"}`:                                            "1",
		`config_reloads_total{outcome="refused"}`:                                            "1",
		`config_last_reload_successful`:                                                      "0",
		`ready`:                                                                              "1",
	} {
		if got := value(t, m, series); got != want {
			t.Errorf("%s is %q, want %q", series, got, want)
		}
	}
}

// What is not known yet has no value: an age of 56 years would raise an alarm.
func TestWhatIsNotKnownHasNoValue(t *testing.T) {
	m := observe.NewMetrics()
	for _, name := range []string{"cookie_key_created_timestamp_seconds", "tls_certificate_not_after_timestamp_seconds"} {
		if got := value(t, m, name); got != "" {
			t.Errorf("%s is %s", name, got)
		}
	}
	if value(t, m, "config_last_reload_successful") != "1" || value(t, m, "config_last_reload_timestamp_seconds") == "" {
		t.Error("the start counts as a load")
	}
}

// described are the metrics and their labels, as "name{a,b} type".
func described(t *testing.T, m *observe.Metrics) []string {
	t.Helper()
	types, labels := map[string]string{}, map[string][]string{}
	for _, line := range scrape(t, m, false) {
		fields := strings.Fields(line)
		if fields[0] == "#" {
			if fields[1] == "TYPE" {
				types[fields[2]] = fields[3]
			}
			continue
		}
		name, rest, _ := strings.Cut(line, "{")
		name, _, _ = strings.Cut(name, " ")
		for _, suffix := range []string{"_bucket", "_sum", "_count"} {
			if base, ok := strings.CutSuffix(name, suffix); ok && types[base] == "histogram" {
				name = base
			}
		}
		for _, m := range regexp.MustCompile(`(\w+)="`).FindAllStringSubmatch(rest, -1) {
			if m[1] != "le" && !slices.Contains(labels[name], m[1]) {
				labels[name] = append(labels[name], m[1])
			}
		}
	}
	var out []string
	for name, kind := range types {
		slices.Sort(labels[name])
		out = append(out, fmt.Sprintf("%s{%s} %s", name, strings.Join(labels[name], ","), kind))
	}
	slices.Sort(out)
	return out
}

// The table of docs/operations.md is what there is.
func TestDocsListEveryMetric(t *testing.T) {
	page, err := os.ReadFile("../../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	var told []string
	row := regexp.MustCompile("(?m)^\\| `(oauth_agent_\\w+)` \\| (\\w+) \\|([^|]*)\\|")
	for _, m := range row.FindAllStringSubmatch(string(page), -1) {
		var labels []string
		for _, l := range regexp.MustCompile("`(\\w+)`").FindAllStringSubmatch(m[3], -1) {
			labels = append(labels, l[1])
		}
		slices.Sort(labels)
		told = append(told, fmt.Sprintf("%s{%s} %s", m[1], strings.Join(labels, ","), m[2]))
	}
	slices.Sort(told)
	m := observe.NewMetrics()
	everything(m)
	there := described(t, m)
	for _, d := range there {
		if !slices.Contains(told, d) {
			t.Errorf("not told: %s", d)
		}
	}
	for _, d := range told {
		if !slices.Contains(there, d) {
			t.Errorf("told, and not there: %s", d)
		}
	}
	for _, reason := range httperr.Reasons() {
		if !strings.Contains(string(page), "`"+reason+"`") {
			t.Errorf("the reason %s is not told", reason)
		}
	}
}

// Whatever is made up ends in one series.
func TestLabelsAreBounded(t *testing.T) {
	m := observe.NewMetrics()
	everything(m)
	e := &observe.Events{Log: slog.New(slog.DiscardHandler), Metrics: m}
	bomb := func(i int) {
		made := fmt.Sprint("made-up-", i)
		r := httptest.NewRequest("GET", "/"+made, nil)
		m.Note(r, httperr.As(httperr.Failed(httperr.EventLoginFailed, httperr.New(400, made, "", nil))))
		m.Note(r, httperr.BadRequest("", nil).Because(made))
		m.ServerCalled(made, made, 0)
		m.CookieSet(made, i)
		m.UnsealFailed(made, made)
		m.Proxied("/api/", made)
		e.Refreshed(context.TODO(), made, made, made)
	}
	bomb(0)
	before := len(scrape(t, m, true))
	for i := range 10_000 {
		bomb(i + 1)
	}
	if after := len(scrape(t, m, true)); after != before {
		t.Errorf("%d lines, %d before", after, before)
	}
}

// An API may answer any number.
func TestStatusesAreBounded(t *testing.T) {
	m := observe.NewMetrics()
	o := &observe.Requests{Log: slog.New(slog.DiscardHandler), Clock: ticking(0), Metrics: m, Tracer: &trace.Tracer{}}
	for status := 200; status < 1000; status++ {
		h := o.Watch(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil))
	}
	statuses := map[string]bool{}
	for _, line := range scrape(t, m, false) {
		if m := regexp.MustCompile(`status="(\w+)"`).FindStringSubmatch(line); m != nil {
			statuses[m[1]] = true
		}
	}
	got := slices.Sorted(maps.Keys(statuses))
	if len(got) > 70 || !statuses["404"] || !statuses["499"] || !statuses["4xx"] || !statuses["other"] || statuses["599"] {
		t.Errorf("statuses %v", got)
	}
}
