package authserver

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"

	"oauth-agent/agent/internal/secret"
	"oauth-agent/agent/internal/strictjson"
)

const (
	// keyBurst and keyPause bound how often keys are fetched: an unknown kid is
	// a reason to look again, an endless row of them is not.
	keyBurst = 5
	keyPause = 15 * time.Second
	// retryKeys is the pause after a failed fetch, which is no token's fault.
	retryKeys = time.Second
	// keyLife is how long a key may be good that the server has taken back.
	keyLife = time.Hour
)

// keySource gives the server's key set. go-oidc keeps the keys and fetches them
// again for every kid that it does not know; what it fetches through is ours.
type keySource struct {
	http *HTTP

	mu        sync.Mutex
	transport *keyTransport
	url       string
	set       *oidc.RemoteKeySet
	born      time.Time // of set
}

func newKeySource(h *HTTP, now func() time.Time) *keySource {
	return &keySource{http: h, transport: &keyTransport{http: h, now: now, tokens: keyBurst, refilled: now()}}
}

// inherit takes over the keys of another, with what has been asked for them.
func (s *keySource) inherit(from *keySource) {
	from.mu.Lock()
	defer from.mu.Unlock()
	s.transport, s.url, s.set, s.born = from.transport, from.url, from.set, from.born
}

// own fetches over the wire of this source, until another asks.
func (s *keySource) own() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.transport.use(s.http)
}

// at gives the set of keys at url. Another url than before is another set, and
// so is an old one: go-oidc itself never forgets a key.
func (s *keySource) at(url string) *oidc.RemoteKeySet {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.transport.use(s.http)
	now := s.transport.now()
	if s.set == nil || s.url != url || now.Sub(s.born) >= keyLife {
		ctx := oidc.ClientContext(context.Background(), &http.Client{Transport: s.transport})
		s.url, s.set, s.born = url, oidc.NewRemoteKeySet(ctx, url), now
	}
	return s.set
}

// keyTransport is an [http.RoundTripper] that bounds the fetching of keys in
// time, size and number, and hands on only keys that can verify. All that it
// returns as an error is [ErrUnavailable]; the rest is no fault of the keys.
type keyTransport struct {
	now func() time.Time

	mu       sync.Mutex
	http     *HTTP
	tokens   int
	refilled time.Time
	failed   time.Time // the last fetch, if it failed
	err      error
	url      string // of body
	body     []byte // the last key set
}

// use fetches over h from now on: over that of who has asked last, since a set that
// is handed on would keep in memory whatever belongs to its first owner.
func (t *keyTransport) use(h *HTTP) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.http = h
}

// RoundTrip implements [http.RoundTripper]. When it is too early to ask again
// it answers from memory, so that a storm of unknown kids sees the keys that
// were there a moment ago, and is refused by them.
func (t *keyTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	url := req.URL.String()
	body, err := t.known(url)
	if body == nil && err == nil {
		body, err = t.fetch(req.Context(), url)
		t.remember(url, body, err)
	}
	if err != nil {
		return nil, err
	}
	return &http.Response{
		StatusCode: http.StatusOK, Status: "200 OK", Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header:  http.Header{"Content-Type": {"application/json"}},
		Body:    io.NopCloser(bytes.NewReader(body)),
		Request: req, ContentLength: int64(len(body)),
	}, nil
}

// known answers without asking, if it is too early to ask; otherwise it gives
// neither keys nor an error, and one token of the bucket is taken.
func (t *keyTransport) known(url string) ([]byte, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.now()
	if t.err != nil {
		if now.Sub(t.failed) < retryKeys {
			return nil, t.err
		}
		return nil, nil
	}
	if pauses := int(now.Sub(t.refilled) / keyPause); pauses > 0 {
		t.tokens = min(keyBurst, t.tokens+pauses)
		t.refilled = t.refilled.Add(time.Duration(pauses) * keyPause)
	}
	if t.tokens == 0 && t.url == url {
		return t.body, nil
	}
	t.tokens = max(0, t.tokens-1)
	return nil, nil
}

func (t *keyTransport) remember(url string, body []byte, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.err = err; err != nil {
		t.failed = t.now()
		return
	}
	t.url, t.body = url, body
}

func (t *keyTransport) fetch(ctx context.Context, url string) ([]byte, error) {
	t.mu.Lock()
	h := t.http
	t.mu.Unlock()
	answer, err := h.At(EndpointKeys).Get(ctx, url, secret.String{})
	if err != nil {
		return nil, err
	}
	if answer.Status != http.StatusOK {
		return nil, unavailable("key set: status %d", answer.Status)
	}
	keys, err := usableKeys(answer.Body)
	if err != nil {
		return nil, unavailable("key set: %w", err)
	}
	return keys, nil
}

var errNoKeys = errors.New("no JSON Web Key Set")

// usableKeys keeps the public signature keys of a set. One key of an unknown
// or broken kind must not spoil the others (RFC 7517 5).
func usableKeys(body []byte) ([]byte, error) {
	o, err := strictjson.Parse(body)
	if err != nil {
		return nil, err
	}
	var all []json.RawMessage
	if json.Unmarshal(o["keys"], &all) != nil || all == nil {
		return nil, errNoKeys
	}
	usable := []json.RawMessage{}
	for _, raw := range all {
		var key jose.JSONWebKey
		if json.Unmarshal(raw, &key) == nil && key.IsPublic() && key.Use != "enc" {
			usable = append(usable, raw)
		}
	}
	return json.Marshal(map[string][]json.RawMessage{"keys": usable})
}
