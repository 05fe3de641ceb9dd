package agent

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"text/tabwriter"

	"oauth-agent/agent/config"
	"oauth-agent/agent/internal/httproute"
)

var update = flag.Bool("update", false, "write testdata/routes.txt anew")

// The whole HTTP surface of a process with all its parts, as a table: which port, path
// and methods, what kind of request it is for, and what guards it from the outside in.
func TestRoutes(t *testing.T) {
	const file = "testdata/routes.txt"
	got := table(t)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("the HTTP surface has changed. If it should have: go test ./agent -run TestRoutes -update\n%s", got)
	}
}

// table has a line for each endpoint.
func table(t *testing.T) string {
	t.Helper()
	page := t.TempDir()
	if err := os.WriteFile(page+"/index.html", []byte("<!doctype html><title>x</title>"), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Load("", append(pkceEnv(),
		"ISSUER=http://127.0.0.1:1", "CLIENT_ID=spa", "CLIENT_SECRET=c4nary-secret",
		"REDIRECT_URI="+testOrigin+"/", "TRUSTED_WEB_ORIGIN="+testOrigin,
		"COOKIE_ENCRYPTION_KEY="+strings.Repeat("a1", 32),
		"ROUTES=/api=http://127.0.0.1:9000, /api/reports=http://127.0.0.1:9001",
		"SPA_DIR="+page, "FORWARD_AUTH_ADDR=127.0.0.1:8081", "OAUTH_REVOCATION_URL=http://127.0.0.1:1/revoke",
	))
	if err != nil {
		t.Fatal(err)
	}
	s, err := New(t.Context(), cfg, Options{Transport: noNetwork{}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	g := s.current.Load()

	var out strings.Builder
	w := tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)
	section := func(port string, outer chain, routes ...httproute.Route) {
		fmt.Fprintf(w, "\n# %s: %s\n", port, strings.Join(outer.names(), " > "))
		for _, rt := range routes {
			methods := strings.Join(rt.Methods, ",")
			if methods == "" {
				methods = "any"
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", methods, rt.Path, rt.Policy, strings.Join(g.chain(rt).names(), " > "))
		}
	}
	public := append(g.publicRoutes(), g.pkce.Routes()...)
	for _, r := range cfg.Routes {
		api := g.apis()
		api.Path = strings.TrimSuffix(r.Path, "/") + "/*"
		public = append(public, api)
	}
	files := g.page()
	files.Path = "/* (the page's files)"
	section("public port", g.port(nil, nil), append(public, files, g.nothing())...)
	section("gateways' port", g.port(nil, nil), g.forwardAuth())
	section("operator's port", g.operatorPort(), g.operatorRoutes()...)
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	return strings.TrimPrefix(out.String(), "\n")
}
