package config

import (
	"os"
	"path/filepath"
	"testing"
)

func TestSPA(t *testing.T) {
	index := writeFile(t, "index.html", "page")
	dir := filepath.Dir(index)
	c := load(t, "spa: {dir: "+dir+", csp: \"default-src 'self'\"}\n", agentEnv(nil))
	if c.SPA != (SPA{Dir: dir, CSP: "default-src 'self'"}) {
		t.Errorf("got %+v", c.SPA)
	}
	strange := t.TempDir()
	if err := os.Mkdir(filepath.Join(strange, "index.html"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ dir, csp, key, reason string }{
		{"/nowhere", "", "spa.dir", "cannot be read"},
		{index, "", "spa.dir", "not a directory"},
		{t.TempDir(), "", "spa.dir", "no index.html"},
		{strange, "", "spa.dir", "no index.html"},
		{"", "default-src 'self'", "spa.dir", "though spa.csp is"},
		{dir, "default-src 'self'\r\nSet-Cookie: a=b", "spa.csp", "not a header value"},
	} {
		ms := mistakes(t, "", agentEnv(vars{"SPA_DIR": tt.dir, "SPA_CSP": tt.csp}))
		if len(ms) != 1 {
			t.Errorf("%+v: %v", tt, ms)
		}
		want(t, ms, tt.key, tt.reason)
	}
	want(t, mistakes(t, "", pkceEnv(vars{"SPA_DIR": dir})), "spa.dir", "without the agent")
}
