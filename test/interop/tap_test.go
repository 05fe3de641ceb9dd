//go:build interop

package interop

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// tap is a reverse proxy in front of an authorization server. It learns the
// secrets that pass, counts grants, and can take the server off the network.
type tap struct {
	address string
	proxy   *httputil.ReverseProxy
	server  *http.Server

	mu      sync.Mutex
	secrets map[string]string // secret to what it is
	grants  map[string]int    // answered with 200, by grant_type
}

func newTap(address string, upstream *url.URL) *tap {
	p := &tap{address: address, secrets: map[string]string{}, grants: map[string]int{}}
	p.proxy = &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(upstream)
			r.Out.Host = r.In.Host // the server's name is ours
		},
		ModifyResponse: p.answered,
		// A server that is not there is not one that answers 502.
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
	}
	return p
}

// open begins to listen, close ends all connections.
func (p *tap) open(t testing.TB) {
	t.Helper()
	listener, err := net.Listen("tcp", p.address)
	if err != nil {
		t.Fatal(err)
	}
	p.server = &http.Server{Handler: http.HandlerFunc(p.asked), ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = p.server.Serve(listener) }()
}

func (p *tap) close() { _ = p.server.Close() }

func (p *tap) asked(w http.ResponseWriter, r *http.Request) {
	if authorization := r.Header.Get("Authorization"); authorization != "" {
		p.learnAuthorization(authorization)
	}
	if r.Method == http.MethodPost {
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		form, _ := url.ParseQuery(string(body))
		for _, name := range []string{"client_secret", "code", "code_verifier", "refresh_token", "token", "client_assertion"} {
			p.learn(name, form.Get(name))
		}
		r.Header.Set("X-Tap-Grant", form.Get("grant_type")) // for answered; servers do not care
	}
	p.proxy.ServeHTTP(w, r)
}

func (p *tap) answered(r *http.Response) error {
	if r.Request.Method != http.MethodPost || !strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
		return nil
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	var answer map[string]any
	if json.Unmarshal(body, &answer) != nil {
		return nil
	}
	for _, name := range []string{"access_token", "refresh_token", "id_token"} {
		value, _ := answer[name].(string)
		p.learn(name, value)
		if part := strings.Split(value, "."); name == "id_token" && len(part) == 3 {
			p.learn("id_token payload", part[1])
			p.learn("id_token signature", part[2])
		}
	}
	if grant := r.Request.Header.Get("X-Tap-Grant"); grant != "" && r.StatusCode == http.StatusOK {
		p.mu.Lock()
		p.grants[grant]++
		p.mu.Unlock()
	}
	return nil
}

func (p *tap) learnAuthorization(value string) {
	scheme, credentials, _ := strings.Cut(value, " ")
	p.learn(scheme+" credentials", credentials)
	decoded, err := base64.StdEncoding.DecodeString(credentials)
	if strings.EqualFold(scheme, "Basic") && err == nil {
		_, password, _ := strings.Cut(string(decoded), ":")
		p.learn("client_secret as sent", password)
	}
}

func (p *tap) learn(name, value string) {
	if value == "" {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, form := range []string{value, url.QueryEscape(value)} {
		if p.secrets[form] == "" { // a token to be revoked is known by a better name
			p.secrets[form] = name
		}
	}
}

func (p *tap) count(grant string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.grants[grant]
}

// leaks names the secrets that text holds.
func (p *tap) leaks(text string) []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var found []string
	for value, name := range p.secrets {
		if strings.Contains(text, value) {
			found = append(found, fmt.Sprintf("%s (%.6s…)", name, value))
		}
	}
	return found
}

// unseen names what every login needs and yet did not pass.
func (p *tap) unseen() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	seen := slices.Collect(maps.Values(p.secrets))
	return slices.DeleteFunc([]string{
		"client_secret as sent", "code", "code_verifier", "access_token", "refresh_token",
	}, func(name string) bool { return slices.Contains(seen, name) })
}
