package authserver

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"oauth-agent/agent/internal/secret"
	"oauth-agent/test/double"
)

const (
	clientID     = "spa agent" // a space and a plus show whether Basic is encoded
	clientSecret = "c4nary+client secret"
	redirectURI  = "https://www.example.com/callback"
)

func newClock() *double.Clock { return double.NewClock(time.Unix(1_900_000_000, 0)) }

// m is a JSON object.
type m = map[string]any

// signer is a key of the server.
type signer struct {
	kid string
	key *ecdsa.PrivateKey
}

func newSigner(t testing.TB, kid string) signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return signer{kid, key}
}

// fixedSigner is the same in every process, as fuzzing needs it.
func fixedSigner(t testing.TB) signer {
	t.Helper()
	key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), bytes.Repeat([]byte{7}, 32))
	if err != nil {
		t.Fatal(err)
	}
	return signer{"k1", key}
}

func (s signer) sign(t testing.TB, payload []byte) string {
	t.Helper()
	return sign(t, jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: s.key, KeyID: s.kid}}, payload)
}

func sign(t testing.TB, key jose.SigningKey, payload []byte) string {
	t.Helper()
	js, err := jose.NewSigner(key, nil)
	if err != nil {
		t.Fatal(err)
	}
	jws, err := js.Sign(payload)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := jws.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func (s signer) public() jose.JSONWebKey {
	return jose.JSONWebKey{Key: s.key.Public(), KeyID: s.kid, Algorithm: "ES256", Use: "sig"}
}

// fakeAS is a small authorization server. Each endpoint can be replaced.
type fakeAS struct {
	*httptest.Server
	t     testing.TB
	clock *double.Clock

	mu       sync.Mutex
	signer   signer
	metadata m                           // the discovery document
	handlers map[string]http.HandlerFunc // by path, in place of the usual
	hits     map[string]int              // by path
	forms    []url.Values                // sent to /token and /revoke
	auth     []string                    // Authorization headers of the same
	answer   func(form url.Values) (int, any)
	login    m   // claims of the next ID token, over the usual ones
	issued   int // counts tokens
	valid    map[string]bool
	spent    map[string]bool
	reuse    int // refresh tokens that came a second time
	noRotate bool
}

func newAS(t testing.TB) *fakeAS {
	t.Helper()
	as := &fakeAS{
		t: t, clock: newClock(), signer: newSigner(t, "k1"),
		handlers: map[string]http.HandlerFunc{}, hits: map[string]int{},
		valid: map[string]bool{}, spent: map[string]bool{},
	}
	as.Server = httptest.NewServer(http.HandlerFunc(as.serve))
	t.Cleanup(as.Close)
	as.metadata = m{
		"issuer":                                as.URL,
		"authorization_endpoint":                as.URL + "/authorize",
		"token_endpoint":                        as.URL + "/token",
		"userinfo_endpoint":                     as.URL + "/userinfo",
		"end_session_endpoint":                  as.URL + "/logout",
		"revocation_endpoint":                   as.URL + "/revoke",
		"jwks_uri":                              as.URL + "/keys",
		"id_token_signing_alg_values_supported": []string{"RS256", "ES256", "HS256", "none"},
	}
	return as
}

func (as *fakeAS) serve(w http.ResponseWriter, r *http.Request) {
	as.mu.Lock()
	as.hits[r.URL.Path]++
	h := as.handlers[r.URL.Path]
	as.mu.Unlock()
	if h != nil {
		h(w, r)
		return
	}
	switch r.URL.Path {
	case "/.well-known/openid-configuration":
		as.mu.Lock()
		doc := maps.Clone(as.metadata)
		as.mu.Unlock()
		reply(w, http.StatusOK, doc)
	case "/keys":
		reply(w, http.StatusOK, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{as.signer.public()}})
	case "/token", "/revoke":
		as.serveForm(w, r)
	case "/userinfo":
		reply(w, http.StatusOK, m{"sub": "alice", "name": "Älice"})
	default:
		http.NotFound(w, r)
	}
}

func (as *fakeAS) serveForm(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil || r.Method != http.MethodPost {
		reply(w, http.StatusBadRequest, m{"error": "invalid_request"})
		return
	}
	as.mu.Lock()
	defer as.mu.Unlock()
	as.forms = append(as.forms, r.PostForm)
	as.auth = append(as.auth, r.Header.Get("Authorization"))
	switch {
	case r.URL.Path == "/revoke":
		delete(as.valid, r.PostForm.Get("token"))
		w.WriteHeader(http.StatusOK)
	case as.answer != nil:
		status, body := as.answer(r.PostForm)
		reply(w, status, body)
	default:
		status, body := as.grant(r.PostForm)
		reply(w, status, body)
	}
}

// grant plays by the rules: it rotates refresh tokens and revokes all of them
// when one comes a second time. The lock is held.
func (as *fakeAS) grant(form url.Values) (int, m) {
	if form.Get("grant_type") == "refresh_token" {
		old := form.Get("refresh_token")
		if as.spent[old] {
			as.reuse++
			clear(as.valid)
		}
		if !as.valid[old] {
			return http.StatusBadRequest, m{"error": "invalid_grant"}
		}
		if as.noRotate {
			as.issued++
			return http.StatusOK, m{"access_token": fmt.Sprintf("access-%d", as.issued), "expires_in": 300}
		}
		delete(as.valid, old)
		as.spent[old] = true
	}
	return http.StatusOK, as.tokens()
}

// tokens are fresh ones. The lock is held.
func (as *fakeAS) tokens() m {
	as.issued++
	access, refresh := fmt.Sprintf("access-%d", as.issued), fmt.Sprintf("refresh-%d", as.issued)
	as.valid[refresh] = true
	return m{
		"access_token": access, "refresh_token": refresh, "token_type": "bearer", "expires_in": 300,
		"id_token": as.signer.sign(as.t, marshal(as.t, as.claims(access))),
	}
}

// claims are those of a good ID token, with as.login on top; nil removes one.
func (as *fakeAS) claims(access string) m {
	now := as.clock.Now().Unix()
	c := m{
		"iss": as.URL, "sub": "alice", "aud": clientID, "exp": now + 300, "iat": now,
		"nonce": "n-1", "at_hash": atHash(access), "name": "Älice",
	}
	for name, v := range as.login {
		if c[name] = v; v == nil {
			delete(c, name)
		}
	}
	return c
}

func atHash(access string) string {
	sum := sha256.Sum256([]byte(access))
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}

func marshal(t testing.TB, v any) []byte {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// reply writes v as JSON; a string goes as it is, under a wrong Content-Type,
// which must not matter.
func reply(w http.ResponseWriter, status int, v any) {
	if s, ok := v.(string); ok {
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(status)
		_, _ = w.Write([]byte(s))
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

// handle replaces an endpoint; nil restores it.
func (as *fakeAS) handle(path string, h http.HandlerFunc) {
	as.mu.Lock()
	defer as.mu.Unlock()
	as.handlers[path] = h
}

func (as *fakeAS) count(path string) int {
	as.mu.Lock()
	defer as.mu.Unlock()
	return as.hits[path]
}

// set changes what the server does, under its lock.
func (as *fakeAS) set(change func()) {
	as.mu.Lock()
	defer as.mu.Unlock()
	change()
}

func (as *fakeAS) config() Config {
	return Config{
		Issuer: as.URL, Client: Credentials{clientID, secret.New(clientSecret)},
		RedirectURI: redirectURI, Scope: []string{"openid", "profile"},
	}
}

// client is one of the server, with its clock.
func (as *fakeAS) client(change ...func(*Config)) *Client {
	cfg := as.config()
	for _, c := range change {
		c(&cfg)
	}
	return New(cfg, Options{HTTP: NewHTTP(nil, 5*time.Second), Clock: as.clock.Now})
}

// enter makes a session.
func (as *fakeAS) enter(c *Client) Tokens {
	as.t.Helper()
	tokens, err := c.Exchange(as.t.Context(), goodGrant())
	if err != nil {
		as.t.Fatal(err)
	}
	return tokens
}

func goodGrant() CodeGrant {
	return CodeGrant{Code: secret.New("c4nary-code-" + rand.Text()), // both good once
		Verifier: secret.New("c4nary-verifier-" + rand.Text()), Nonce: "n-1", OpenID: true}
}

func grantOf(t Tokens) RefreshGrant {
	return RefreshGrant{Refresh: t.Refresh, Access: t.Access, ID: t.ID}
}
