package main

import (
	"context"
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"oauth-agent/test/idp"
)

// TestMain makes this test binary the program under the name of oauth-agent, for
// the scripts and for serve_test.go.
func TestMain(m *testing.M) {
	_ = os.Setenv("GORACE", "atexit_sleep_ms=0") // or each of the programs takes a second to end
	testscript.Main(m, map[string]func(){"oauth-agent": main})
}

// What is seen on the command line is in the scripts.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                "testdata/script",
		RequireUniqueNames: true,
		Cmds:               map[string]func(*testscript.TestScript, bool, []string){"provider": provider},
	})
}

// provider starts an OpenID provider, which ISSUER names from here on.
func provider(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) > 0 {
		ts.Fatalf("usage: provider")
	}
	srv, err := idp.Start(context.Background(), "127.0.0.1:0", idp.Config{
		Clients: []idp.Client{{ID: "spa", Secret: "c4nary-secret", RedirectURIs: []string{"https://www.example.com/"}}},
	})
	ts.Check(err)
	ts.Defer(func() { _ = srv.Close() })
	ts.Setenv("ISSUER", srv.Issuer)
}
