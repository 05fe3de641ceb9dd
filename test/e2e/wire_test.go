package e2e

import (
	"bytes"
	"io"
	"net/http"
	"net/url"
	"slices"
	"sync"
)

// wire is the agent's way to the authorization server. It notes the secrets
// that pass which the server did not make.
type wire struct {
	base *http.Transport
	told told

	mu    sync.Mutex
	codes []string // verifiers
	seen  []string // states
}

func newWire() *wire { return &wire{base: http.DefaultTransport.(*http.Transport).Clone()} }

// RoundTrip implements [http.RoundTripper].
func (x *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	x.told.note(r)
	if r.Body != nil {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		if form, err := url.ParseQuery(string(body)); err == nil && form.Has("code_verifier") {
			x.mu.Lock()
			x.codes = append(x.codes, form.Get("code_verifier"))
			x.mu.Unlock()
		}
	}
	return x.base.RoundTrip(r)
}

// started notes the state of an authorization request.
func (x *wire) started(authorizationURL string) {
	u, err := url.Parse(authorizationURL)
	if err != nil || u.Query().Get("state") == "" {
		return
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.seen = append(x.seen, u.Query().Get("state"), u.Query().Get("nonce"))
}

func (x *wire) verifiers() []string {
	x.mu.Lock()
	defer x.mu.Unlock()
	return slices.Clone(x.codes)
}

func (x *wire) states() []string {
	x.mu.Lock()
	defer x.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(x.seen), func(s string) bool { return s == "" })
}

func (x *wire) close() { x.base.CloseIdleConnections() }
