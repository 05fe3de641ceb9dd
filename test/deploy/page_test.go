//go:build interop

package deploy

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"testing"

	"oauth-agent/test/idp"
)

// page is the script of a page with its browser's cookies, as far as it calls the
// agent.
type page struct {
	t              *testing.T
	client         *http.Client
	origin, prefix string
	csrf           string
}

func newPage(t *testing.T, origin, prefix string, transport http.RoundTripper) *page {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &page{t: t, client: &http.Client{Jar: jar, Transport: transport}, origin: origin, prefix: prefix}
}

// call gives status and answer.
func (p *page) call(method, path string, body any) (int, map[string]any) {
	p.t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		p.t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(p.t.Context(), method, p.origin+path, bytes.NewReader(text))
	if err != nil {
		p.t.Fatal(err)
	}
	req.Header.Set("Origin", p.origin)
	req.Header.Set("Content-Type", "application/json")
	if p.csrf != "" {
		req.Header.Set("X-"+p.prefix+"-Csrf", p.csrf)
	}
	resp, err := p.client.Do(req)
	if err != nil {
		p.t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	var object map[string]any
	if json.Unmarshal(answer, &object) != nil {
		object = map[string]any{"body": string(answer)}
	}
	return resp.StatusCode, object
}

// login goes to the authorization server and back.
func (p *page) login(ctx context.Context, atServer *http.Client, user, password string) {
	p.t.Helper()
	status, started := p.call("POST", "/oauth-agent/login/start", map[string]any{})
	to, ok := started["authorizationRequestUrl"].(string)
	if !ok {
		p.t.Fatalf("login/start: %d %v", status, started)
	}
	back, err := idp.Login(ctx, atServer, to, user, password)
	if err != nil {
		p.t.Fatal(err)
	}
	status, ended := p.call("POST", "/oauth-agent/login/end", map[string]any{"pageUrl": back})
	if ended["isLoggedIn"] != true {
		p.t.Fatalf("login/end: %d %v", status, ended)
	}
	p.csrf = ended["csrf"].(string)
}
