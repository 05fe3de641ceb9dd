//go:build interop

package deploy

import (
	"crypto/tls"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"oauth-agent/test/double"
	"oauth-agent/test/idp"
	"oauth-agent/test/internal/process"
)

func TestPrometheusRulesPassTheirTests(t *testing.T) {
	promtool := program(t, "promtool")
	must(t, "", promtool, "check", "rules", "--lint-fatal", rulesFile)
	must(t, "", promtool, "test", "rules", "rules_test.yaml")
}

// Each alert has a test that it fires, and one that it does not.
func TestPrometheusRulesHaveTests(t *testing.T) {
	fires, holds := map[string]bool{}, map[string]bool{}
	for _, group := range parse(t, read(t, "rules_test.yaml")).at("tests").([]any) {
		tests, _ := group.(map[string]any)["alert_rule_test"].([]any)
		for _, one := range tests {
			m := one.(map[string]any)
			if m["exp_alerts"] != nil {
				fires[m["alertname"].(string)] = true
			} else {
				holds[m["alertname"].(string)] = true
			}
		}
	}
	for name := range alerts(t) {
		if !fires[name] || !holds[name] {
			t.Errorf("%s: a test that it fires %v, that it does not %v", name, fires[name], holds[name])
		}
	}
}

// alerts are the expressions of the rules, by name.
func alerts(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, rule := range parse(t, read(t, rulesFile)).at("groups", 0, "rules").([]any) {
		m := rule.(map[string]any)
		out[m["alert"].(string)] = m["expr"].(string)
	}
	return out
}

// panels are the expressions of the dashboard, by the title of their panel.
func panels(t *testing.T) map[string]string {
	t.Helper()
	var board struct {
		Panels []struct {
			ID      int
			Title   string
			GridPos struct{ X, Y, W, H int }
			Targets []struct{ Expr string }
		}
		Annotations struct{ List []struct{ Expr string } }
	}
	if err := json.Unmarshal([]byte(read(t, top+"/deployments/grafana/oauth-agent.json")), &board); err != nil {
		t.Fatal(err)
	}
	out := map[string]string{"annotation": board.Annotations.List[0].Expr}
	ids := map[int]bool{}
	for _, p := range board.Panels {
		if ids[p.ID] || p.GridPos.X+p.GridPos.W > 24 {
			t.Errorf("%s: its number is taken, or it does not fit", p.Title)
		}
		ids[p.ID] = true
		for i, target := range p.Targets {
			key := fmt.Sprintf("%s %d", p.Title, i)
			if out[key] != "" {
				t.Errorf("there are two panels %s", p.Title)
			}
			out[key] = target.Expr
		}
	}
	return out
}

var (
	metricName = regexp.MustCompile(`\b(?:oauth_agent|go|process)_[a-z_]+`)
	selector   = regexp.MustCompile(`\b((?:oauth_agent|go|process)_[a-z_]+)\{([^}]*)\}`)
	labelName  = regexp.MustCompile(`([a-z_]+)\s*[=!]~?`)
)

// The real Prometheus scrapes the real program, after it has done everything that
// it counts. Every metric and label that dashboard and rules speak of is there,
// every expression is one, and an alert that is due is on its way.
func TestPrometheusScrapesTheProgram(t *testing.T) {
	agent := startBusy(t)
	prom := startPrometheus(t, agent.admin)
	prom.until(t, `sum(oauth_agent_logins_total{event="completed"}) == 1`)

	exprs := panels(t)
	for name, expr := range alerts(t) {
		exprs["alert "+name] = expr
	}
	variables := strings.NewReplacer("$job", ".*", "$instance", ".*", "$__rate_interval", "1m")
	names := map[string]bool{}
	for _, where := range slices.Sorted(maps.Keys(exprs)) {
		expr := variables.Replace(exprs[where])
		if _, err := prom.query(t, expr); err != nil {
			t.Errorf("%s: %s: %v", where, expr, err)
		}
		for _, name := range metricName.FindAllString(expr, -1) {
			names[name] = true
		}
		for _, m := range selector.FindAllStringSubmatch(expr, -1) {
			for _, label := range labelName.FindAllStringSubmatch(m[2], -1) {
				if there, err := prom.query(t, fmt.Sprintf(`%s{%s!=""}`, m[1], label[1])); err != nil || len(there) == 0 {
					t.Errorf("%s: %s has no label %s (%v)", where, m[1], label[1], err)
				}
			}
		}
	}
	delete(names, "go_version") // a label
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if there, err := prom.query(t, name); err != nil || len(there) == 0 {
			t.Errorf("there is no %s: %v", name, err)
		}
	}
	t.Logf("%d expressions with %d metrics", len(exprs), len(names))

	prom.rulesAreWell(t, len(alerts(t)))
	write(t, agent.settings, read(t, agent.settings)+"\nportt: 1\n")
	agent.Signal(t, syscall.SIGHUP)
	prom.until(t, `ALERTS{alertname="OAuthAgentReloadRefused", alertstate="pending"}`)
}

// busy is the program after a login, a refresh, API calls and refusals.
type busy struct {
	*process.Process
	admin, settings string
}

func startBusy(t *testing.T) busy {
	t.Helper()
	free := []string{double.FreeAddress(t), double.FreeAddress(t)}
	origin, admin := "https://"+free[0], free[1]
	as, err := idp.Start(t.Context(), "127.0.0.1:0", idp.Config{
		Clients: []idp.Client{{ID: "my-spa", Secret: "secret", RedirectURIs: []string{origin + "/"}}},
		Users:   []idp.User{{Username: "ada", Password: "ada", Sub: "ada"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = as.Close() })
	api := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(api.Close)
	dir := t.TempDir()
	certificate(t, dir)
	settings := filepath.Join(dir, "agent.yaml")
	write(t, settings, fmt.Sprintf(`
bind_address: 127.0.0.1
port: %s
admin_addr: %s
tls: {cert_file: %s/tls.crt, key_file: %s/tls.key}
issuer: %s
client_id: my-spa
client_secret: secret
redirect_uri: %s/
trusted_web_origins: [%s]
cookie: {name_prefix: example, encryption_keys: [%s]}
routes: [{path: /api, upstream: "%s"}]
reload_every: 0s
`, portOf(free[0]), admin, dir, dir, as.Issuer, origin, origin, strings.Repeat("0123456789abcdef", 4), api.URL))
	b := busy{process.Start(t, process.Command{Path: binary(t), Args: []string{"serve", "--config", settings}}), admin, settings}
	b.Until(t, patience, says(t, "http://"+admin+"/readyz", "200 "))

	wire := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	p := newPage(t, origin, "example", wire)
	p.login(t.Context(), nil, "ada", "ada")
	for _, call := range []struct {
		method, path string
		want         int
	}{{"GET", "/api/orders", 200}, {"POST", "/oauth-agent/refresh", 204}, {"GET", "/oauth-agent/userInfo", 200}} {
		if status, answer := p.call(call.method, call.path, nil); status != call.want {
			t.Fatalf("%s: %d %v", call.path, status, answer)
		}
	}
	stranger := newPage(t, origin, "example", wire)
	u, err := url.Parse(origin)
	if err != nil {
		t.Fatal(err)
	}
	stranger.client.Jar.SetCookies(u, []*http.Cookie{{Name: "__Host-Http-example-at", Value: "bm90IG91cnM", Path: "/", Secure: true}})
	stranger.call("GET", "/api/orders", nil)
	_, started := stranger.call("POST", "/oauth-agent/login/start", map[string]any{})
	to, err := url.Parse(fmt.Sprint(started["authorizationRequestUrl"]))
	if err != nil {
		t.Fatal(err)
	}
	refusal := url.Values{"error": {"access_denied"}, "state": {to.Query().Get("state")}, "iss": {as.Issuer}}
	if status, answer := stranger.call("POST", "/oauth-agent/login/end", map[string]any{"pageUrl": origin + "/?" + refusal.Encode()}); status != 400 {
		t.Fatalf("a refused login: %d %v", status, answer)
	}
	if status, _ := p.call("POST", "/oauth-agent/logout", nil); status != 200 {
		t.Fatalf("logout: %d", status)
	}
	return b
}

type prometheus struct {
	*process.Process
	url string
}

// startPrometheus has the program scraped and the rules evaluated each second.
func startPrometheus(t *testing.T, target string) prometheus {
	t.Helper()
	dir := t.TempDir()
	rules, err := filepath.Abs(rulesFile)
	if err != nil {
		t.Fatal(err)
	}
	write(t, dir+"/prometheus.yml", fmt.Sprintf(`
global: {scrape_interval: 1s, evaluation_interval: 1s}
rule_files: [%s]
scrape_configs:
  - job_name: oauth-agent
    static_configs: [{targets: [%q]}]
`, rules, target))
	address := double.FreeAddress(t)
	p := prometheus{process.Start(t, process.Command{Path: program(t, "prometheus"), Args: []string{
		"--config.file=" + dir + "/prometheus.yml", "--storage.tsdb.path=" + dir + "/data", "--web.listen-address=" + address, "--log.level=warn",
	}}), "http://" + address}
	p.Until(t, patience, says(t, p.url+"/-/ready", "200 "))
	return p
}

// query gives the result of an expression as a list.
func (p prometheus) query(t *testing.T, expr string) ([]any, error) {
	t.Helper()
	status, text, _ := strings.Cut(fetch(t, p.url+"/api/v1/query?query="+url.QueryEscape(expr)), " ")
	var answer struct {
		Error string
		Data  struct{ Result []any }
	}
	if err := json.Unmarshal([]byte(text), &answer); err != nil {
		return nil, fmt.Errorf("%s %s", status, text)
	}
	if answer.Error != "" {
		return nil, fmt.Errorf("%s", answer.Error)
	}
	return answer.Data.Result, nil
}

func (p prometheus) until(t *testing.T, expr string) {
	t.Helper()
	p.Until(t, patience, func() error {
		if result, err := p.query(t, expr); err != nil || len(result) == 0 {
			return fmt.Errorf("%s: nothing (%v)", expr, err)
		}
		return nil
	})
}

func (p prometheus) rulesAreWell(t *testing.T, want int) {
	t.Helper()
	type rule struct{ Name, Health, LastError string }
	p.Until(t, patience, func() error {
		_, text, _ := strings.Cut(fetch(t, p.url+"/api/v1/rules"), " ")
		var answer struct {
			Data struct{ Groups []struct{ Rules []rule } }
		}
		if err := json.Unmarshal([]byte(text), &answer); err != nil || len(answer.Data.Groups) != 1 || len(answer.Data.Groups[0].Rules) != want {
			return fmt.Errorf("rules: %v %s", err, text)
		}
		for _, r := range answer.Data.Groups[0].Rules {
			if r.Health != "ok" {
				return fmt.Errorf("%+v", r)
			}
		}
		return nil
	})
}
