package e2e

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

// The page's library comes from the agent itself, for anybody, as one module.
func TestLibraryIsServed(t *testing.T) {
	t.Parallel()
	for _, base := range []string{"/oauth-agent", "/"} {
		w := newWorld(t, with("BASE_PATH", base))
		url := w.agent.URL + strings.TrimSuffix(base, "/") + "/client.js"
		resp, err := http.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if err != nil || resp.StatusCode != 200 || !strings.Contains(string(body), "createAgent") {
			t.Errorf("%s: %d, %.80s", url, resp.StatusCode, body)
		}
		if h := resp.Header; !strings.HasPrefix(h.Get("Content-Type"), "text/javascript") || h.Get("Access-Control-Allow-Origin") != "*" || h.Get("Set-Cookie") != "" {
			t.Errorf("%s: %v", url, h)
		}
		resp, err = http.Post(url, "text/plain", nil)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != 405 || resp.Header.Get("Allow") != "GET, HEAD, OPTIONS" {
			t.Errorf("POST: %d %q", resp.StatusCode, resp.Header.Get("Allow"))
		}
	}
}
