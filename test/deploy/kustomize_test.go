//go:build interop

package deploy

import (
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"
)

const kustomize = top + "/deployments/kustomize"

// The base is what the chart renders, without what only Helm needs, and with the
// settings in a file of their own: one truth for both.
func TestKustomizeBaseIsTheChart(t *testing.T) {
	all := manifests(t, render(t, "oauth-agent", valuesFiles(t)["small"],
		"--set", "serviceMonitor.enabled=true", "--set", "prometheusRule.enabled=true"))
	settings := all["ConfigMap oauth-agent"].at("data", "agent.yaml").(string)
	delete(all, "ConfigMap oauth-agent")
	base, monitoring := "", ""
	for _, id := range slices.Sorted(maps.Keys(all)) {
		text := "---\n" + withoutHelm(t, all[id])
		if strings.HasPrefix(id, "ServiceMonitor ") || strings.HasPrefix(id, "PrometheusRule ") {
			monitoring += text
		} else {
			base += text
		}
	}
	const head = "# Made from deployments/helm by: go test -tags interop ./test/deploy -update\n"
	golden(t, kustomize+"/base/oauth-agent.yaml", head+base)
	golden(t, kustomize+"/base/agent.yaml", head+settings)
	golden(t, kustomize+"/components/monitoring/monitoring.yaml", head+monitoring)
}

func withoutHelm(t *testing.T, n node) string {
	t.Helper()
	for _, path := range [][]any{{"metadata", "labels"}, {"spec", "template", "metadata", "labels"}} {
		labels := n.in(path...)
		delete(labels, "helm.sh/chart")
		delete(labels, "app.kubernetes.io/managed-by")
	}
	text, err := yaml.Dump(map[string]any(n), yaml.WithIndent(2))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestKustomizeBuilds(t *testing.T) {
	for _, dir := range []string{"base", "overlays/example"} {
		t.Run(dir, func(t *testing.T) {
			out := must(t, "", tool(t, "kustomize"), "build", filepath.Join(kustomize, dir))
			golden(t, "testdata/kustomize-"+filepath.Base(dir)+".yaml", out)
			must(t, out, tool(t, "k8scheck"))
			all := manifests(t, out)
			pod := all["Deployment oauth-agent"].in("spec", "template", "spec")
			// Without a hash in its name, so that a change is a reload.
			if name := pod.at("volumes", 0, "configMap", "name"); name != "oauth-agent" {
				t.Errorf("the settings are in %v", name)
			}
			fits(t, pod, load(t, all["ConfigMap oauth-agent"].at("data", "agent.yaml").(string)))
		})
	}
}
