//go:build interop

package replicas

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

// The replicas trust nginx with traces, so it passes on none of a client's.
func TestClientsChooseNoTrace(t *testing.T) {
	const theirs = "4bf92f3577b34da6a3ce929d0e0e4736"
	w := behindNginx(t, sticky, 0)
	s, err := w.login(w.transport(1))
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.origin+"/api/trace", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Origin", w.origin)
	req.Header.Set("Traceparent", "00-"+theirs+"-00f067aa0ba902b7-01")
	req.Header.Set("Tracestate", "theirs=1")
	resp, err := s.http.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if got := string(text); err != nil || !strings.HasPrefix(got, "00-") || strings.Contains(got, theirs) {
		t.Errorf("%d, the API is told of the trace %q, %v", resp.StatusCode, got, err)
	}
}
