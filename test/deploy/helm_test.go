//go:build interop

package deploy

import (
	"maps"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"oauth-agent/agent/config"
)

const secretsDir = "/run/secrets/oauth-agent"

// valuesFiles are those of the chart, by name.
func valuesFiles(t *testing.T) map[string]string {
	t.Helper()
	files, err := filepath.Glob(chart + "/ci/*-values.yaml")
	if err != nil || len(files) < 3 {
		t.Fatal(files, err)
	}
	out := map[string]string{}
	for _, file := range files {
		out[strings.TrimSuffix(filepath.Base(file), "-values.yaml")] = file
	}
	return out
}

func render(t *testing.T, release, values string, more ...string) string {
	t.Helper()
	args := append([]string{"template", release, chart, "--namespace", "shop", "--kube-version", "1.30.0", "-f", values}, more...)
	return must(t, "", tool(t, "helm"), args...)
}

func TestChartLintsStrictly(t *testing.T) {
	for name, file := range valuesFiles(t) {
		t.Run(name, func(t *testing.T) {
			must(t, "", tool(t, "helm"), "lint", "--strict", chart, "-f", file)
		})
	}
}

func TestChartRenders(t *testing.T) {
	for name, file := range valuesFiles(t) {
		t.Run(name, func(t *testing.T) {
			out := render(t, "demo", file)
			golden(t, "testdata/helm-"+name+".yaml", out)
			must(t, out, tool(t, "k8scheck"))
		})
	}
}

// What the chart renders is what the program takes, and each file that it names is
// one that is mounted.
func TestChartSettingsLoad(t *testing.T) {
	for name, file := range valuesFiles(t) {
		t.Run(name, func(t *testing.T) {
			all := manifests(t, render(t, "demo", file))
			settings := all["ConfigMap demo-oauth-agent"].at("data", "agent.yaml").(string)
			pod := all["Deployment demo-oauth-agent"].in("spec", "template", "spec")
			for _, path := range filesIn(parse(t, settings)) {
				if !slices.Contains(mounted(t, pod), path) {
					t.Errorf("the settings name %s, which is not mounted", path)
				}
			}
			if cfg := load(t, settings); cfg.AdminAddr != ":7090" || cfg.Port != 8080 {
				t.Errorf("admin_addr %s, port %d", cfg.AdminAddr, cfg.Port)
			} else {
				fits(t, pod, cfg)
			}
		})
	}
}

// fits wants a grace period that is longer than a stop can take: the delay, the
// requests, and then the calls that nobody waits for.
func fits(t *testing.T, pod node, cfg *config.Config) {
	t.Helper()
	grace := time.Duration(pod.at("terminationGracePeriodSeconds").(int)) * time.Second
	if least := cfg.ShutdownDelay + 2*cfg.Timeouts.Shutdown; grace <= least || grace > least+15*time.Second {
		t.Errorf("the grace period is %v, and a stop takes up to %v", grace, least)
	}
}

// filesIn lists the files that settings name.
func filesIn(settings node) []string {
	var out []string
	for key, value := range settings {
		switch v := value.(type) {
		case map[string]any:
			out = append(out, filesIn(v)...)
		case string:
			if strings.HasSuffix(key, "_file") {
				out = append(out, v)
			}
		}
	}
	return out
}

// mounted lists the files of the volume of secrets.
func mounted(t *testing.T, pod node) []string {
	t.Helper()
	var out []string
	sources, _ := pod.at("volumes", 1, "projected", "sources").([]any)
	for _, s := range sources {
		items, _ := node(s.(map[string]any)).at("secret", "items").([]any)
		for _, item := range items {
			out = append(out, secretsDir+"/"+item.(map[string]any)["path"].(string))
		}
	}
	if len(out) == 0 || pod.at("containers", 0, "volumeMounts", 1, "mountPath") != secretsDir {
		t.Fatal("no secrets are mounted")
	}
	return out
}

// load has the program read settings, with fresh secrets where they name files.
func load(t *testing.T, settings string) *config.Config {
	t.Helper()
	dir := t.TempDir()
	for i, path := range filesIn(parse(t, settings)) {
		write(t, filepath.Join(dir, filepath.Base(path)), strings.Repeat("0123456789abcde"+strconv.Itoa(i%10), 4)+"\n")
	}
	certificate(t, dir)
	write(t, dir+"/index.html", "<!doctype html>")
	settings = strings.NewReplacer(secretsDir, dir, "/srv/spa", dir).Replace(settings)
	file := filepath.Join(t.TempDir(), "agent.yaml")
	write(t, file, settings)
	cfg, err := config.Load(file, nil)
	if err != nil {
		t.Fatalf("%v\n%s", err, settings)
	}
	return cfg
}

const (
	behindIngress = "ingress: {enabled: true, host: www.example.com}"
	pkce          = "pkce_proxy: {client_id: x, auth_url: 'https://a', token_url: 'https://a', redirect_url: 'https://a', allowed_redirect_uris: ['https://a']}"
)

func TestChartRefusesBadValues(t *testing.T) {
	for _, tt := range []struct{ name, base, values, want string }{
		{"nothing set", "", "{}", "client_id"},
		{"an unknown value", "small", "replica: 3", "'replica'"},
		{"an unknown setting", "small", "settings: {isuer: x}", "'isuer'"},
		{"a secret by value", "small", "settings: {client_secret: x}", "'client_secret'"},
		{"a cookie key by value", "small", "settings: {cookie: {encryption_keys: [x]}}", "'encryption_keys'"},
		{"a file of one's own", "small", "settings: {client_secret_file: /x}", "'client_secret_file'"},
		{"the chart's own port", "small", "settings: {port: 1}", "'port'"},
		{"the chart's own address", "small", `settings: {admin_addr: "off"}`, "'admin_addr'"},
		{"no secret for the cookies", "small", "secrets: {cookieKeys: {name: null}}", "cookieKeys"},
		{"a key of unknown age", "pkce-proxy", "settings: {client_id: x}", "missing property 'cookie'"},
		{"a key of unknown age with a prefix", "pkce-proxy", "settings: {client_id: x, cookie: {name_prefix: x}}", "missing property 'key_created'"},
		{"an empty one", "small", `secrets: {client: {name: ""}}`, "/secrets/client/name"},
		{"a name that no Secret has", "small", "secrets: {client: {name: A_B}}", "/secrets/client/name"},
		{"no tag", "small", "image: {tag: null}", "/image"},
		{"the tag latest", "small", "image: {tag: latest}", "/image/tag"},
		{"half a digest", "small", `image: {digest: "sha256:12"}`, "/image/digest"},
		{"a count as text", "small", `replicas: "2"`, "/replicas"},
		{"no replica", "small", "replicas: 0", "/replicas"},
		{"a duration without unit", "small", "settings: {session: {lifetime: 8}}", "/settings/session/lifetime"},
		{"an origin with a path", "small", `settings: {trusted_web_origins: ["https://www.example.com/"]}`, "trusted_web_origins"},
		{"an origin with a star", "small", `settings: {trusted_web_origins: ["https://*.example.com"]}`, "trusted_web_origins"},
		{"a route without upstream", "small", "settings: {routes: [{path: /api}]}", "upstream"},
		{"a log format", "small", "settings: {log: {format: xml}}", "/settings/log/format"},
		{"all of the monitoring away", "small", "networkPolicy: {monitoringFrom: []}", "monitoringFrom"},
		{"forward auth for everybody", "small", "forwardAuth: {enabled: true}", "forwardAuthFrom"},
		{"fewer replicas at most than at least", "small", "autoscaling: {enabled: true, minReplicas: 5, maxReplicas: 2}", "maxReplicas"},
		{"forward auth without a policy", "small", "forwardAuth: {enabled: true}\nnetworkPolicy: {enabled: false}", "openToCluster"},
		{"forward auth without a policy half allowed", "small", "forwardAuth: {enabled: true, openToCluster: false}\nnetworkPolicy: {enabled: false}", "/forwardAuth/openToCluster"},
		{"forward auth with a policy for nobody", "small", "forwardAuth: {enabled: true, openToCluster: true}", "forwardAuthFrom"},
		{"an empty peer", "small", "networkPolicy: {publicFrom: [{}]}", "publicFrom"},
		{"an ingress for every host", "small", "ingress: {enabled: true}", "/ingress/host"},
		{"an ingress whose clients are one", "small", behindIngress, "trusted_proxies"},
		{"an ingress that is nobody", "small", behindIngress + "\nsettings: {trusted_proxies: []}", "/settings/trusted_proxies"},
		{"an ingress with the other limit off", "small", behindIngress + "\nsettings: {limits: {token: 0}}", "login_start"},
		{"an ingress of the PKCE proxy", "pkce-proxy", behindIngress, "trusted_proxies"},
		{"an ingress of the PKCE proxy with the other limit off", "pkce-proxy", behindIngress + "\nsettings: {limits: {login_start: 0}}", "'token'"},
		{"an ingress of both with one limit off", "full", "settings: {trusted_proxies: [], limits: {login_start: 0}, " + pkce + "}\nsecrets: {pkceProxy: {name: x}}", "'token'"},
		{"a budget of words", "small", "podDisruptionBudget: {maxUnavailable: some}", "maxUnavailable"},
		{"two volumes in one", "small", "spa: {volume: {emptyDir: {}, configMap: {name: x}}}", "/spa/volume"},
		{"a PKCE proxy without its secrets", "small", "settings: {" + pkce + "}", "pkceProxy"},
		{"half a PKCE proxy", "pkce-proxy", "settings: {pkce_proxy: {token_url: null}}", "token_url"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "values.yaml")
			write(t, file, tt.values)
			args := []string{"template", "demo", chart, "-f", file}
			if tt.base != "" {
				args = []string{"template", "demo", chart, "-f", valuesFiles(t)[tt.base], "-f", file}
			}
			out, err := try(t, "", tool(t, "helm"), args...)
			switch {
			case err == nil:
				t.Error("that was rendered")
			case !strings.Contains(out, tt.want):
				t.Errorf("%q is not told:\n%s", tt.want, out)
			}
		})
	}
}

// What is refused above is taken with what it lacked.
func TestChartTakesGoodValues(t *testing.T) {
	for _, tt := range []struct{ name, base, values string }{
		{"an ingress whose addresses are known", "small", behindIngress + "\nsettings: {trusted_proxies: [192.0.2.7]}"},
		{"an ingress without a limit", "small", behindIngress + "\nsettings: {limits: {login_start: 0}}"},
		{"an ingress of the PKCE proxy without a limit", "pkce-proxy", behindIngress + "\nsettings: {limits: {token: 0}}"},
		{"forward auth without a policy", "small", "forwardAuth: {enabled: true, openToCluster: true}\nnetworkPolicy: {enabled: false}"},
		{"no ingress", "small", "ingress: {enabled: false}"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "values.yaml")
			write(t, file, tt.values)
			render(t, "demo", valuesFiles(t)[tt.base], "-f", file)
		})
	}
}

// Who installs it is told what a policy is worth, where tokens depend on it.
func TestChartNotes(t *testing.T) {
	const warning = "answers hold access tokens"
	for values, want := range map[string]string{
		"forwardAuth: {enabled: false}": "",
		"forwardAuth: {enabled: true}\nnetworkPolicy: {forwardAuthFrom: [{podSelector: {}}]}": "does nothing where the network plugin",
		"forwardAuth: {enabled: true, openToCluster: true}\nnetworkPolicy: {enabled: false}":  "Every pod of the cluster",
	} {
		file := filepath.Join(t.TempDir(), "values.yaml")
		write(t, file, values)
		_, notes, _ := strings.Cut(must(t, "", tool(t, "helm"), "install", "demo", chart, "--dry-run=client", "-f", valuesFiles(t)["small"], "-f", file), "\nNOTES:\n")
		if !strings.Contains(notes, want) || strings.Contains(notes, warning) != (want != "") || !strings.Contains(notes, "/readyz") {
			t.Errorf("%s: the notes are\n%s", values, notes)
		}
	}
}

// ownSettings are set by the chart itself, and refused from elsewhere; secrets are
// never values.
var ownSettings = strings.Fields(`port bind_address tls.cert_file tls.key_file admin_addr shutdown_delay timeouts.shutdown
	forward_auth.addr spa.dir client_secret client_secret_file cookie.encryption_keys cookie.encryption_keys_file
	log.subject_key log.subject_key_file pkce_proxy.client_secret pkce_proxy.client_secret_file pkce_proxy.signing_key
	pkce_proxy.signing_key_file pkce_proxy.encryption_key pkce_proxy.encryption_key_file`)

// The schema knows every setting that the program has, and none beside.
func TestChartKnowsEverySetting(t *testing.T) {
	schema := parse(t, read(t, chart+"/values.schema.json"))
	got := slices.Sorted(maps.Keys(schemaKeys(t, schema.in("properties", "settings"), "")))
	want := map[string]bool{}
	yamlKeys(reflect.TypeFor[config.Config](), "", want)
	for _, own := range ownSettings {
		if !want[own] {
			t.Errorf("%s is no setting any more", own)
		}
		delete(want, own)
	}
	if all := slices.Sorted(maps.Keys(want)); !slices.Equal(got, all) {
		t.Errorf("the schema has\n%v\nand the program\n%v", got, all)
	}
}

// schemaKeys are the leaves, and each level must be closed.
func schemaKeys(t *testing.T, schema node, prefix string) map[string]bool {
	t.Helper()
	if closed, _ := schema.at("additionalProperties").(bool); closed || schema.at("additionalProperties") == nil {
		t.Errorf("%q is open to anything", prefix)
	}
	out := map[string]bool{}
	for key, value := range schema.in("properties") {
		sub := node(value.(map[string]any))
		switch {
		case sub.at("properties") != nil:
			maps.Copy(out, schemaKeys(t, sub, prefix+key+"."))
		case sub.at("items", "properties") != nil:
			maps.Copy(out, schemaKeys(t, sub.in("items"), prefix+key+"."))
		default:
			out[prefix+key] = true
		}
	}
	return out
}

func yamlKeys(typ reflect.Type, prefix string, into map[string]bool) {
	for i := range typ.NumField() {
		f := typ.Field(i)
		key := f.Tag.Get("yaml")
		inner := f.Type
		if inner.Kind() == reflect.Slice {
			inner = inner.Elem()
		}
		switch {
		case f.Anonymous:
			yamlKeys(inner, prefix, into)
		case key == "":
		case inner.Kind() == reflect.Struct && inner.Name() != "String": // a secret is a leaf
			yamlKeys(inner, prefix+key+".", into)
		default:
			into[prefix+key] = true
		}
	}
}

func TestPodIsRestricted(t *testing.T) {
	for name, file := range valuesFiles(t) {
		pod := manifests(t, render(t, "demo", file))["Deployment demo-oauth-agent"].in("spec", "template", "spec")
		for _, want := range []struct {
			path []any
			is   any
		}{
			{[]any{"automountServiceAccountToken"}, false},
			{[]any{"securityContext", "runAsNonRoot"}, true},
			{[]any{"securityContext", "seccompProfile", "type"}, "RuntimeDefault"},
			{[]any{"containers", 0, "securityContext", "allowPrivilegeEscalation"}, false},
			{[]any{"containers", 0, "securityContext", "readOnlyRootFilesystem"}, true},
			{[]any{"containers", 0, "securityContext", "capabilities", "drop", 0}, "ALL"},
			{[]any{"containers", 0, "livenessProbe", "httpGet", "path"}, "/livez"},
			{[]any{"containers", 0, "readinessProbe", "httpGet", "path"}, "/readyz"},
			{[]any{"containers", 0, "readinessProbe", "httpGet", "port"}, "admin"},
		} {
			if got := pod.at(want.path...); got != want.is {
				t.Errorf("%s: %v is %v", name, want.path, got)
			}
		}
		for _, mount := range pod.at("containers", 0, "volumeMounts").([]any) {
			if m := mount.(map[string]any); m["readOnly"] != true || m["subPath"] != nil {
				t.Errorf("%s: %v can be written, or does not follow changes", name, m)
			}
		}
	}
}

const rulesFile = top + "/deployments/prometheus/oauth-agent.rules.yaml"

// The chart has the rules of deployments/prometheus, and they come out as they are.
func TestChartHasTheRules(t *testing.T) {
	golden(t, chart+"/files/oauth-agent.rules.yaml", read(t, rulesFile))
	rule := manifests(t, render(t, "demo", valuesFiles(t)["full"]))["PrometheusRule demo-oauth-agent"]
	if got, want := rule.at("spec", "groups"), parse(t, read(t, rulesFile)).at("groups"); !reflect.DeepEqual(got, want) {
		t.Errorf("%v\nis not\n%v", got, want)
	}
}
