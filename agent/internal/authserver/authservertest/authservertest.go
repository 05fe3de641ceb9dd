// Package authservertest is a small authorization server for the tests of the rooms that
// speak to one. It plays by the rules: it rotates refresh tokens and detects their reuse;
// each endpoint can be replaced.
package authservertest

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

	"oauth-agent/test/double"
)

const (
	ClientID     = "spa agent" // a space and a plus show whether Basic is encoded
	ClientSecret = "c4nary+client secret"
	RedirectURI  = "https://www.example.com/callback"
)

// NewClock shows a time far from now.
func NewClock() *double.Clock { return double.NewClock(time.Unix(1_900_000_000, 0)) }

// M is a JSON object.
type M = map[string]any

// Signer is a key of the server.
type Signer struct {
	KID string
	Key *ecdsa.PrivateKey
}

func NewSigner(t testing.TB, kid string) Signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return Signer{kid, key}
}

// FixedSigner is the same in every process, as fuzzing needs it.
func FixedSigner(t testing.TB) Signer {
	t.Helper()
	key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), bytes.Repeat([]byte{7}, 32))
	if err != nil {
		t.Fatal(err)
	}
	return Signer{"k1", key}
}

func (s Signer) Sign(t testing.TB, payload []byte) string {
	t.Helper()
	return Sign(t, jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: s.Key, KeyID: s.KID}}, payload)
}

func Sign(t testing.TB, key jose.SigningKey, payload []byte) string {
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

func (s Signer) Public() jose.JSONWebKey {
	return jose.JSONWebKey{Key: s.Key.Public(), KeyID: s.KID, Algorithm: "ES256", Use: "sig"}
}

// Server is a small authorization server. Each endpoint can be replaced.
type Server struct {
	*httptest.Server
	t     testing.TB
	Clock *double.Clock

	Mu       sync.Mutex
	Signer   Signer
	Metadata M                           // the discovery document
	handlers map[string]http.HandlerFunc // by path, in place of the usual
	hits     map[string]int              // by path
	Forms    []url.Values                // sent to /token and /revoke
	Auth     []string                    // Authorization headers of the same
	Answer   func(form url.Values) (int, any)
	Login    M   // claims of the next ID token, over the usual ones
	Issued   int // counts tokens
	Valid    map[string]bool
	spent    map[string]bool
	Reuse    int // refresh tokens that came a second time
	NoRotate bool
}

// New starts one.
func New(t testing.TB) *Server {
	t.Helper()
	as := &Server{
		t: t, Clock: NewClock(), Signer: NewSigner(t, "k1"),
		handlers: map[string]http.HandlerFunc{}, hits: map[string]int{},
		Valid: map[string]bool{}, spent: map[string]bool{},
	}
	as.Server = httptest.NewServer(http.HandlerFunc(as.serve))
	t.Cleanup(as.Close)
	as.Metadata = M{
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

func (as *Server) serve(w http.ResponseWriter, r *http.Request) {
	as.Mu.Lock()
	as.hits[r.URL.Path]++
	h := as.handlers[r.URL.Path]
	as.Mu.Unlock()
	if h != nil {
		h(w, r)
		return
	}
	switch r.URL.Path {
	case "/.well-known/openid-configuration":
		as.Mu.Lock()
		doc := maps.Clone(as.Metadata)
		as.Mu.Unlock()
		Reply(w, http.StatusOK, doc)
	case "/keys":
		Reply(w, http.StatusOK, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{as.Signer.Public()}})
	case "/token", "/revoke":
		as.ServeForm(w, r)
	case "/userinfo":
		Reply(w, http.StatusOK, M{"sub": "alice", "name": "Älice"})
	default:
		http.NotFound(w, r)
	}
}

func (as *Server) ServeForm(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil || r.Method != http.MethodPost {
		Reply(w, http.StatusBadRequest, M{"error": "invalid_request"})
		return
	}
	as.Mu.Lock()
	defer as.Mu.Unlock()
	as.Forms = append(as.Forms, r.PostForm)
	as.Auth = append(as.Auth, r.Header.Get("Authorization"))
	switch {
	case r.URL.Path == "/revoke":
		delete(as.Valid, r.PostForm.Get("token"))
		w.WriteHeader(http.StatusOK)
	case as.Answer != nil:
		status, body := as.Answer(r.PostForm)
		Reply(w, status, body)
	default:
		status, body := as.Grant(r.PostForm)
		Reply(w, status, body)
	}
}

// grant plays by the rules: it rotates refresh tokens and revokes all of them
// when one comes a second time. The lock is held.
func (as *Server) Grant(form url.Values) (int, M) {
	if form.Get("grant_type") == "refresh_token" {
		old := form.Get("refresh_token")
		if as.spent[old] {
			as.Reuse++
			clear(as.Valid)
		}
		if !as.Valid[old] {
			return http.StatusBadRequest, M{"error": "invalid_grant"}
		}
		if as.NoRotate {
			as.Issued++
			return http.StatusOK, M{"access_token": fmt.Sprintf("access-%d", as.Issued), "expires_in": 300}
		}
		delete(as.Valid, old)
		as.spent[old] = true
	}
	return http.StatusOK, as.Tokens()
}

// tokens are fresh ones. The lock is held.
func (as *Server) Tokens() M {
	as.Issued++
	access, refresh := fmt.Sprintf("access-%d", as.Issued), fmt.Sprintf("refresh-%d", as.Issued)
	as.Valid[refresh] = true
	return M{
		"access_token": access, "refresh_token": refresh, "token_type": "bearer", "expires_in": 300,
		"id_token": as.Signer.Sign(as.t, Marshal(as.t, as.Claims(access))),
	}
}

// claims are those of a good ID token, with as.Login on top; nil removes one.
func (as *Server) Claims(access string) M {
	now := as.Clock.Now().Unix()
	c := M{
		"iss": as.URL, "sub": "alice", "aud": ClientID, "exp": now + 300, "iat": now,
		"nonce": "n-1", "at_hash": AtHash(access), "name": "Älice",
	}
	for name, v := range as.Login {
		if c[name] = v; v == nil {
			delete(c, name)
		}
	}
	return c
}

// AtHash is the at_hash of an access token (OpenID Connect Core 3.1.3.6).
func AtHash(access string) string {
	sum := sha256.Sum256([]byte(access))
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}

// Marshal is v as JSON.
func Marshal(t testing.TB, v any) []byte {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Reply writes v as JSON; a string goes as it is, under a wrong Content-Type,
// which must not matter.
func Reply(w http.ResponseWriter, status int, v any) {
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
func (as *Server) Handle(path string, h http.HandlerFunc) {
	as.Mu.Lock()
	defer as.Mu.Unlock()
	as.handlers[path] = h
}

func (as *Server) Count(path string) int {
	as.Mu.Lock()
	defer as.Mu.Unlock()
	return as.hits[path]
}

// set changes what the server does, under its lock.
func (as *Server) Set(change func()) {
	as.Mu.Lock()
	defer as.Mu.Unlock()
	change()
}

// Refreshes counts the refresh exchanges that the server saw.
func (as *Server) Refreshes() (n int) {
	as.Mu.Lock()
	defer as.Mu.Unlock()
	for _, f := range as.Forms {
		if f.Get("grant_type") == "refresh_token" {
			n++
		}
	}
	return n
}

// Reused counts the refresh tokens that came a second time.
func (as *Server) Reused() int {
	as.Mu.Lock()
	defer as.Mu.Unlock()
	return as.Reuse
}
