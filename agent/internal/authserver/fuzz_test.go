package authserver

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"oauth-agent/agent/internal/authserver/authservertest"
	"oauth-agent/agent/internal/secret"
)

// FuzzTokenAnswer: whatever a token endpoint says, what is taken from it can
// stand in a header, is what every other reader would take, and no error quotes
// the answer.
func FuzzTokenAnswer(f *testing.F) {
	for _, seed := range []string{
		`{"access_token":"a","token_type":"Bearer","expires_in":60,"refresh_token":"r","id_token":"i"}`,
		`{"access_token":"a","access_token":"b"}`, `{"Access_Token":"a"}`, `{"access_token":"a\r\nb"}`,
		`{"access_token":"a","expires_in":1e300}`, `{"access_token":"a","expires_in":"-0x1p-2"}`,
		`access_token=a&token_type=bearer`, `[]`, `null`, "{\"access_token\":\"\xff\"}", `{"access_token":"\ud800"}`,
		`{"access_token":"0","":1e700}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		got, err := parseTokenAnswer(body)
		if err != nil {
			if len(body) > 60 && strings.Contains(err.Error(), string(body)) {
				t.Errorf("error quotes the answer: %v", err)
			}
			return
		}
		var other map[string]any
		dec := json.NewDecoder(bytes.NewReader(body))
		dec.UseNumber() // any number is JSON
		if err := dec.Decode(&other); err != nil {
			t.Fatalf("taken though it is no JSON: %v", err)
		}
		if other["access_token"] != got.access.Reveal() || got.access.Empty() {
			t.Errorf("access token %q", got.access.Reveal())
		}
		if strings.ContainsFunc(got.access.Reveal(), func(r rune) bool { return r < ' ' || r > '~' }) {
			t.Errorf("access token %q would break a header", got.access.Reveal())
		}
		if got.life < 0 || got.life > longestLife {
			t.Errorf("life %v", got.life)
		}
	})
}

// keysOf serves a key set without a network.
type keysOf []byte

func (k keysOf) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(k)), Request: r}, nil
}

// offline is a client that needs no network to verify what s signs.
func offline(t testing.TB, s authservertest.Signer) (*Client, *metadata) {
	t.Helper()
	cfg := Config{
		Client: Credentials{ID: clientID}, Issuer: "https://as.example.com",
		Authorize: "https://as.example.com/a", Token: "https://as.example.com/t",
		Userinfo: "https://as.example.com/u", JWKS: "https://as.example.com/k",
	}
	set := authservertest.Marshal(t, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{s.Public()}})
	c := New(cfg, Options{HTTP: NewHTTP(keysOf(set), time.Second), Clock: authservertest.NewClock().Now})
	return c, configured(cfg)
}

func offlineClaims() m {
	now := authservertest.NewClock().Now().Unix()
	return m{"iss": "https://as.example.com", "sub": "alice", "aud": clientID, "exp": now + 300, "iat": now, "nonce": "n-1"}
}

// FuzzIDToken: raw is a token as it may come; it passes only with the payload
// that was signed. payload is signed by the right key; it passes only when an
// independent reader finds the claims in it.
func FuzzIDToken(f *testing.F) {
	s := authservertest.FixedSigner(f)
	c, meta := offline(f, s)
	good := authservertest.Marshal(f, offlineClaims())
	raw := s.Sign(f, good)
	part := strings.Split(raw, ".")
	for _, seed := range []string{
		raw, part[0] + "." + part[1] + ".", "eyJhbGciOiJub25lIn0." + part[1] + ".", part[0] + ".." + part[2], "..", "",
		`{"payload":"` + part[1] + `","signatures":[{"protected":"` + part[0] + `","signature":"` + part[2] + `"}]}`,
	} {
		f.Add(seed, good)
	}
	for _, seed := range []string{
		`{"exp":1e300}`, `[]`, `{"aud":[null]}`, `{"aud":{}}`, `{"exp":"1"}`, `{"iss":"https://as.example.com","iss":"x"}`,
		`{"_claim_names":{"a":"b"}}`, `{"_claim_names":{"a":""}}`, `{"at_hash":5}`, `{"sub":"\ud800"}`,
	} {
		f.Add("", []byte(seed))
	}
	f.Add("", bytes.Replace(good, []byte("{"), []byte(`{"Exp":1,`), 1))
	f.Fuzz(func(t *testing.T, token string, payload []byte) {
		if got, err := c.verifyIDToken(t.Context(), meta, secret.New(token), secret.New("a")); err == nil {
			read, _, err := c.ReadIDToken(secret.New(token))
			if err != nil || !bytes.Equal(read, good) || got.identity().Subject != "alice" {
				t.Errorf("accepted: %q", token)
			}
		}
		got, err := c.verifyIDToken(t.Context(), meta, secret.New(s.Sign(t, payload)), secret.New("a"))
		if err != nil {
			return
		}
		var other map[string]any // by exact names, which a struct's are not
		dec := json.NewDecoder(bytes.NewReader(payload))
		dec.UseNumber() // any number is JSON
		if err := dec.Decode(&other); err != nil {
			t.Fatalf("accepted %q: %v", payload, err)
		}
		list, _ := other["aud"].([]any)
		number := func(name string) float64 {
			n, _ := other[name].(json.Number)
			f, err := n.Float64()
			if err != nil {
				t.Errorf("accepted %q: %v", payload, err)
			}
			return f
		}
		exp, iat := number("exp"), number("iat")
		now := float64(c.now().Unix())
		if other["iss"] != c.cfg.Issuer || other["sub"] != got.identity().Subject || got.identity().Subject == "" ||
			(other["aud"] != clientID && !slices.Contains(list, any(clientID))) || exp <= now-60 || iat > now+61 {
			t.Errorf("accepted %q", payload)
		}
	})
}

// FuzzMetadata: whatever a discovery document says, secrets go only where the rules
// let them, an algorithm is one by a public key, and nothing is quoted.
func FuzzMetadata(f *testing.F) {
	for _, changes := range []m{
		{}, {"token_endpoint": "https://127.0.0.1/t"}, {"jwks_uri": 5}, {"userinfo_endpoint": "http://as.example.com/u"},
		{"token_endpoint_auth_methods_supported": "client_secret_basic"}, {"token_endpoint_auth_methods_supported": []any{nil, "client_secret_post"}},
		{"id_token_signing_alg_values_supported": []any{"none", "HS256", 5}}, {"authorization_response_iss_parameter_supported": "true"},
		{"revocation_endpoint": "https://[::ffff:7f00:1]/r"}, {"end_session_endpoint": "https://１２７.0.0.1/e"}, {"issuer": m{}},
	} {
		f.Add(authservertest.Marshal(f, document(changes)))
	}
	f.Add([]byte(`{"issuer":"https://as.example.com","issuer":"https://as.example.com"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		got, err := parseMetadata(body, Config{Issuer: asIssuer, Scope: []string{"openid"}})
		if err != nil {
			return
		}
		var other map[string]any // by exact names
		dec := json.NewDecoder(bytes.NewReader(body))
		dec.UseNumber()
		if err := dec.Decode(&other); err != nil || other["issuer"] != asIssuer {
			t.Fatalf("taken: %q", body)
		}
		for _, e := range got.endpoints(Config{}) {
			if *e.value == "" {
				continue
			}
			u, err := url.Parse(*e.value)
			if err != nil || u.Scheme != "https" || u.Host == "" || other[e.member] != *e.value {
				t.Errorf("%s is %q", e.member, *e.value)
				continue
			}
			if ip := net.ParseIP(u.Hostname()); ip != nil && (ip.IsLoopback() || ip.IsUnspecified() || ip.IsLinkLocalUnicast()) {
				t.Errorf("%s is %q", e.member, *e.value)
			}
		}
		for _, alg := range got.algorithms {
			if !slices.Contains(asymmetric(), alg) {
				t.Errorf("algorithm %q", alg)
			}
		}
		for _, warning := range got.warnings {
			if member, _, _ := strings.Cut(warning, " "); other[member] == nil || len(warning) > 150 {
				t.Errorf("warning %q", warning)
			}
		}
	})
}

// FuzzKeySet: whatever a key set says, each of its keys is a public one of a size that
// is allowed, verifying by it does not panic, and none verifies what it has not signed.
func FuzzKeySet(f *testing.F) {
	s := authservertest.FixedSigner(f)
	good := jwk(s)
	jws, err := jose.ParseSignedCompact(authservertest.NewSigner(f, "k1").Sign(f, []byte("{}")), joseAlgorithms(asymmetric()))
	if err != nil {
		f.Fatal(err)
	}
	for _, key := range []any{
		good, with(good, m{"x5c": []string{"x"}, "x5t#S256": "AAAA"}), with(good, m{"x": "AAAA"}), with(good, m{"d": "AAAA"}), with(good, m{"kid": nil}),
		m{"kty": "RSA", "n": modulus(2048), "e": "AQAB"}, m{"kty": "RSA", "n": modulus(1024), "e": "Aw"}, m{"kty": "RSA", "n": modulus(2048), "e": 3},
		m{"kty": "OKP", "crv": "Ed25519", "x": b64(make([]byte, 32))}, m{"kty": "oct", "k": "AAAA"}, 5, nil,
	} {
		f.Add(authservertest.Marshal(f, m{"keys": []any{key}}))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		keys, skipped, err := readKeys(body)
		if err != nil {
			return
		}
		for _, k := range keys {
			switch key := k.key.(type) {
			case *rsa.PublicKey:
				if bits := key.N.BitLen(); bits < 2048 || bits > 16384 || key.E < 3 {
					t.Errorf("RSA key of %d bits, exponent %d", bits, key.E)
				}
			case *ecdsa.PublicKey, ed25519.PublicKey:
			default:
				t.Errorf("a key of type %T", key)
			}
		}
		if _, _, err := verifyBy(keys, jws); err == nil {
			t.Error("a key verifies what another has signed")
		}
		for _, text := range skipped {
			if !strings.HasPrefix(text, "key ") || len(text) > 200 {
				t.Errorf("skipped: %q", text)
			}
		}
	})
}
