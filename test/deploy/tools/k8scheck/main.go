// Command k8scheck reads manifests from standard input and wants each to be what
// the API of Kubernetes knows: no field that it does not have, none of another
// type, none twice. Kinds of the Prometheus operator are counted and not looked
// into.
package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	apps "k8s.io/api/apps/v1"
	autoscaling "k8s.io/api/autoscaling/v2"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	policy "k8s.io/api/policy/v1"
	"sigs.k8s.io/yaml"
)

func main() {
	if err := run(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(in io.Reader, out io.Writer) error {
	text, err := io.ReadAll(in)
	if err != nil {
		return err
	}
	var errs []error
	for _, document := range bytes.Split(text, []byte("\n---")) {
		kind, err := check(bytes.TrimPrefix(document, []byte("---")))
		errs = append(errs, err)
		if kind != "" {
			fmt.Fprintln(out, kind)
		}
	}
	return errors.Join(errs...)
}

// check gives the kind of a document, which is empty for one of comments alone.
func check(document []byte) (string, error) {
	var head struct{ APIVersion, Kind string }
	if err := yaml.Unmarshal(document, &head); err != nil {
		return "", err
	}
	id := strings.TrimPrefix(head.APIVersion+" "+head.Kind, " ")
	into := object(id)
	switch {
	case id == "" || strings.HasPrefix(id, "monitoring.coreos.com/v1 "):
		return id, nil
	case into == nil:
		return id, fmt.Errorf("%s: not known here", id)
	}
	if err := yaml.UnmarshalStrict(document, into); err != nil {
		return id, fmt.Errorf("%s: %w", id, err)
	}
	return id, nil
}

func object(id string) any {
	switch id {
	case "v1 ConfigMap":
		return new(core.ConfigMap)
	case "v1 Service":
		return new(core.Service)
	case "v1 ServiceAccount":
		return new(core.ServiceAccount)
	case "apps/v1 Deployment":
		return new(apps.Deployment)
	case "autoscaling/v2 HorizontalPodAutoscaler":
		return new(autoscaling.HorizontalPodAutoscaler)
	case "networking.k8s.io/v1 Ingress":
		return new(networking.Ingress)
	case "networking.k8s.io/v1 NetworkPolicy":
		return new(networking.NetworkPolicy)
	case "policy/v1 PodDisruptionBudget":
		return new(policy.PodDisruptionBudget)
	}
	return nil
}
