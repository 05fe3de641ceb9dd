//go:build interop

package interop

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"oauth-agent/test/internal/browser"
	"oauth-agent/test/internal/process"
)

const (
	clientID = "interop client"
	// All printable ASCII that Basic and form encoding are known to break.
	clientSecret = "s3cret:+/%25&=?~ \"secret\" secret-secret"
)

// product is a real authorization server: how to run it, and how its pages work.
type product struct {
	issuerPath string
	// agent is what the agent is told beside the issuer.
	agent   map[string]string
	command func(f *fixture) process.Command
	// endSessions makes every token of the state's server invalid.
	endSessions func(f *fixture)

	loginShown func(*browser.Tab) bool
	logIn      func(tab *browser.Tab, user string) error
	deny       func(*browser.Tab) error
}

// asks fails unless a login form is shown where none is expected to be skipped.
func asks(tab *browser.Tab, field string) error {
	if !tab.Form(field) {
		return fmt.Errorf("no form with %q at %s (status %d): %.500q", field, tab.URL.Redacted(), tab.Status, tab.Body)
	}
	return nil
}

func oidcProvider(t *testing.T) product {
	dir := absolute(t, "oidc-provider")
	node := filepath.Join(dir, "node_modules", ".bin", "node")
	needs(t, node)
	return product{
		command: func(f *fixture) process.Command {
			return process.Command{Path: node, Args: []string{"server.mjs"}, Dir: dir, Env: map[string]string{
				"PORT": strconv.Itoa(f.asPort), "ISSUER": f.issuer, "STATE_FILE": filepath.Join(f.state, "state.json"),
				"CLIENT_ID": clientID, "CLIENT_SECRET": clientSecret,
				"REDIRECT_URIS": f.spaURL, "POST_LOGOUT_REDIRECT_URIS": f.spaURL,
			}}
		},
		endSessions: func(f *fixture) { // the user logs out at the server itself
			tab := f.user.open(f.issuer + "/session/end")
			f.check(tab.Submit(map[string]string{"logout": "yes"}))
		},
		loginShown: func(tab *browser.Tab) bool { return tab.Form("login") },
		logIn: func(tab *browser.Tab, user string) error {
			if tab.Form("login") {
				if err := tab.Submit(map[string]string{"login": user, "password": "password"}); err != nil {
					return err
				}
			}
			if tab.Form("deny") { // consent
				return tab.Submit(nil)
			}
			return nil
		},
		deny: func(tab *browser.Tab) error { return tab.Submit(map[string]string{"deny": "yes"}) },
	}
}

func django(t *testing.T) product {
	const python = "/usr/bin/python3" // Debian's, which has Debian's packages
	dir := absolute(t, "django")
	needs(t, python)
	needs(t, "/usr/lib/python3/dist-packages/oauth2_provider")
	command := func(f *fixture) process.Command {
		return process.Command{Path: python, Args: []string{"server.py", "serve"}, Dir: dir, Env: map[string]string{
			"PORT": strconv.Itoa(f.asPort), "STATE_DIR": f.state,
			"CLIENT_ID": clientID, "CLIENT_SECRET": clientSecret, "REDIRECT_URIS": f.spaURL,
		}}
	}
	return product{
		issuerPath: "/o",
		// Not announced by this server.
		agent:   map[string]string{"REVOCATION_ENDPOINT": "{issuer}/revoke_token/"},
		command: command,
		endSessions: func(f *fixture) {
			c := command(f)
			c.Args = []string{"server.py", "end-sessions"}
			process.Run(f.t, patience, c)
		},
		loginShown: func(tab *browser.Tab) bool { return tab.Form("username") },
		logIn: func(tab *browser.Tab, user string) error {
			if tab.Form("username") {
				if err := tab.Submit(map[string]string{"username": user, "password": "password"}); err != nil {
					return err
				}
			}
			if err := asks(tab, "allow"); err != nil {
				return err
			}
			return tab.Submit(map[string]string{"allow": "Authorize"})
		},
		deny: func(tab *browser.Tab) error {
			if err := tab.Submit(map[string]string{"username": "jane", "password": "password"}); err != nil {
				return err
			}
			if err := asks(tab, "allow"); err != nil {
				return err
			}
			return tab.Submit(nil)
		},
	}
}

func absolute(t *testing.T, dir string) string {
	t.Helper()
	path, err := filepath.Abs(dir)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func needs(t *testing.T, path string) {
	t.Helper()
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("%s is missing; ./test/run installs it", strings.TrimSpace(path))
	}
}
