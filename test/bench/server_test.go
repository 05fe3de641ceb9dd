package bench

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

const clientID = "spa"

// Sizes of what is issued, in bytes: what real servers issue.
const (
	accessSize  = 1024
	refreshSize = 820
	idTokenSize = 1024
)

// server is the least that is an authorization server. It takes any code, and
// a code is the nonce of its ID token.
type server struct {
	*httptest.Server
	key    *ecdsa.PrivateKey
	signer jose.Signer
	issued atomic.Int64
}

func newServer(tb testing.TB) *server {
	tb.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: key, KeyID: "1"}}, nil)
	if err != nil {
		tb.Fatal(err)
	}
	s := &server{key: key, signer: signer}
	mux := http.NewServeMux()
	mux.HandleFunc("/.well-known/openid-configuration", s.discovery)
	mux.HandleFunc("/jwks", s.jwks)
	mux.HandleFunc("/token", s.token)
	mux.HandleFunc("/userinfo", func(w http.ResponseWriter, _ *http.Request) {
		write(w, map[string]any{"sub": "ada", "name": "Ada Lovelace", "email": "ada@example.com"})
	})
	mux.HandleFunc("/revoke", func(http.ResponseWriter, *http.Request) {})
	s.Server = httptest.NewServer(mux)
	tb.Cleanup(s.Close)
	return s
}

func (s *server) discovery(w http.ResponseWriter, _ *http.Request) {
	write(w, map[string]any{
		"issuer": s.URL, "authorization_endpoint": s.URL + "/authorize", "token_endpoint": s.URL + "/token",
		"userinfo_endpoint": s.URL + "/userinfo", "jwks_uri": s.URL + "/jwks", "revocation_endpoint": s.URL + "/revoke",
		"end_session_endpoint": s.URL + "/logout", "id_token_signing_alg_values_supported": []string{"ES256"},
		"response_types_supported": []string{"code"}, "subject_types_supported": []string{"public"},
		"code_challenge_methods_supported": []string{"S256"},
	})
}

func (s *server) jwks(w http.ResponseWriter, _ *http.Request) {
	write(w, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: s.key.Public(), KeyID: "1", Algorithm: "ES256", Use: "sig"}}})
}

// token issues three tokens that were never there before.
func (s *server) token(w http.ResponseWriter, r *http.Request) {
	n := s.issued.Add(1)
	write(w, map[string]any{
		"token_type": "Bearer", "expires_in": 300,
		"access_token": pad("access", n, accessSize), "refresh_token": pad("refresh", n, refreshSize),
		"id_token": s.idToken(r.FormValue("code")),
	})
}

func (s *server) idToken(nonce string) string {
	claims := map[string]any{
		"iss": s.URL, "aud": clientID, "sub": "ada", "name": "Ada Lovelace",
		"iat": time.Now().Unix(), "exp": time.Now().Add(5 * time.Minute).Unix(), "pad": "",
	}
	if nonce != "" {
		claims["nonce"] = nonce
	}
	short := s.sign(claims)
	claims["pad"] = strings.Repeat("x", (idTokenSize-len(short))*3/4) // base64
	return s.sign(claims)
}

func (s *server) sign(claims map[string]any) string {
	payload, err := json.Marshal(claims)
	if err != nil {
		panic(err)
	}
	jws, err := s.signer.Sign(payload)
	if err != nil {
		panic(err)
	}
	text, err := jws.CompactSerialize()
	if err != nil {
		panic(err)
	}
	return text
}

// pad makes a token of a size.
func pad(name string, n int64, size int) string {
	text, _ := json.Marshal(n)
	token := name + "-" + string(text) + "-"
	return token + strings.Repeat("x", size-len(token))
}

func write(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v)
}
