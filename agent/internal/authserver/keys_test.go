package authserver

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"log/slog"
	"math/big"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"oauth-agent/agent/internal/authserver/authservertest"
)

// TestReadKeys: what does not verify signatures is left out, and does not
// spoil the rest.
func TestReadKeys(t *testing.T) {
	as := newAS(t)
	public := as.Signer.Public()
	good, _ := public.MarshalJSON()
	private, _ := jose.JSONWebKey{Key: as.Signer.Key, KeyID: "p"}.MarshalJSON()
	enc := strings.Replace(string(good), `"sig"`, `"enc"`, 1)
	oct := `{"kty":"oct","k":"AAAA","kid":"o"}`
	for _, tt := range []struct {
		body string
		want int // keys; -1: an error
	}{
		{`{"keys":[` + string(good) + `]}`, 1},
		{`{"keys":[` + oct + `,` + string(private) + `,` + enc + `]}`, 0},
		{`{"keys":[{"kty":"OKP","crv":"Ed448","x":"AA"},{"kty":"new"},5,null,{"kty":"EC","crv":"P-256","x":"!"},` + string(good) + `]}`, 1},
		{`{"keys":[]}`, 0},
		{`{"keys":null}`, -1},
		{`{"keys":{}}`, -1},
		{`{}`, -1},
		{`[]`, -1},
	} {
		got, _, err := readKeys([]byte(tt.body))
		if (err != nil) != (tt.want < 0) || err == nil && len(got) != tt.want {
			t.Errorf("%s: %d keys, want %d; %v", tt.body, len(got), tt.want, err)
		}
	}
}

// jwk is a key as the server writes it, for tests to write it otherwise.
func jwk(s authservertest.Signer) m {
	x, y := point(s)
	return m{"kty": "EC", "crv": "P-256", "kid": s.KID, "use": "sig", "alg": "ES256", "x": b64(x), "y": b64(y)}
}

// point is the coordinates in their full length.
func point(s authservertest.Signer) (x, y []byte) {
	raw, err := s.Key.PublicKey.Bytes()
	if err != nil {
		panic(err)
	}
	return raw[1:33], raw[33:]
}

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// withShortX makes a key of which a coordinate begins with a zero.
func withShortX(t *testing.T) authservertest.Signer {
	t.Helper()
	for {
		s := authservertest.NewSigner(t, "k1")
		if x, _ := point(s); x[0] == 0 {
			return s
		}
	}
}

// certificate is one for another key than those of the server.
func certificate(t *testing.T) []byte {
	t.Helper()
	key := authservertest.NewSigner(t, "").Key
	template := &x509.Certificate{SerialNumber: big.NewInt(1)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// serveKeys answers with keys as they are.
func (as *fakeAS) serveKeys(keys ...any) {
	as.Handle("/keys", func(w http.ResponseWriter, _ *http.Request) { authservertest.Reply(w, 200, m{"keys": keys}) })
}

// with is a copy of key with changes; nil removes a member.
func with(key, changes m) m {
	out := m{}
	for _, from := range []m{key, changes} {
		for name, value := range from {
			if out[name] = value; value == nil {
				delete(out, name)
			}
		}
	}
	return out
}

// TestKeysInOtherWords: keys as real servers write them verify ID tokens, whatever
// stands beside what makes the key.
func TestKeysInOtherWords(t *testing.T) {
	der := certificate(t)
	sum := sha256.Sum256(der)
	inPEM := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	short := withShortX(t)
	x, y := point(short)
	for name, changes := range map[string]m{
		"plain":                      {},
		"x5t#S256 of another":        {"x5t#S256": b64(sum[:])},
		"x5t#S256 no base64":         {"x5t#S256": "!"},
		"x5t of a wrong size":        {"x5t": "AAAA"},
		"x5c of another":             {"x5c": []string{base64.StdEncoding.EncodeToString(der)}},
		"x5c in PEM":                 {"x5c": []string{inPEM}},
		"x5c a text":                 {"x5c": inPEM},
		"x5c and x5t":                {"x5c": []string{inPEM}, "x5t": "AAAA", "x5t#S256": b64(sum[:])},
		"x5u no URL":                 {"x5u": ":%"},
		"x5u a number":               {"x5u": 5},
		"31 bytes":                   {"x": b64(x[1:])},
		"33 bytes":                   {"x": b64(append([]byte{0}, x...)), "y": b64(append([]byte{0}, y...))},
		"padded":                     {"x": base64.URLEncoding.EncodeToString(x), "y": base64.URLEncoding.EncodeToString(y)},
		"plain base64":               {"x": base64.StdEncoding.EncodeToString(x), "y": base64.StdEncoding.EncodeToString(y)},
		"plain base64, not padded":   {"x": base64.RawStdEncoding.EncodeToString(x), "y": base64.RawStdEncoding.EncodeToString(y)},
		"no kid":                     {"kid": nil},
		"kid null":                   {"kid": (*int)(nil)},
		"kid a number":               {"kid": 5},
		"no use":                     {"use": nil},
		"use a list":                 {"use": []string{"sig"}},
		"no alg":                     {"alg": nil},
		"alg a number":               {"alg": 7},
		"key_ops odd":                {"key_ops": "verify"},
		"members that nobody knows":  {"issuer": 5, "exp": m{}, "": nil},
		"an issuer, without tenants": {"issuer": "https://other.example.com"},
	} {
		t.Run(name, func(t *testing.T) {
			as := newAS(t)
			as.Signer = short
			as.serveKeys(m{"kty": "new"}, with(jwk(short), changes))
			as.enter(as.client())
		})
	}
}

func TestRSAKeysInOtherWords(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	n := key.N.Bytes()
	plain := m{"kty": "RSA", "kid": "k1", "e": "AQAB", "n": b64(n)}
	for name, changes := range map[string]m{
		"plain":           {},
		"padded":          {"n": base64.URLEncoding.EncodeToString(n), "e": "AQAB=="},
		"plain base64":    {"n": base64.StdEncoding.EncodeToString(n)},
		"a zero before":   {"n": b64(append([]byte{0}, n...)), "e": "AAEAAQ"},
		"x5c in PEM":      {"x5c": []string{"-----BEGIN CERTIFICATE-----"}},
		"x5t of no size":  {"x5t#S256": "AAAA"},
		"without its kid": {"kid": nil},
	} {
		t.Run(name, func(t *testing.T) {
			as := newAS(t)
			as.serveKeys(with(plain, changes))
			signing := jose.SigningKey{Algorithm: jose.RS256, Key: jose.JSONWebKey{Key: key, KeyID: "k1"}}
			as.Answer = answerWith(authservertest.Sign(t, signing, authservertest.Marshal(t, as.Claims("access-1"))))
			as.enter(as.client())
		})
	}
}

// TestKeyWithoutKID: it is a candidate where no key has the token's kid, and only then.
func TestKeyWithoutKID(t *testing.T) {
	named, unnamed, other := authservertest.NewSigner(t, "k1"), authservertest.NewSigner(t, ""), authservertest.NewSigner(t, "")
	for _, tt := range []struct {
		name string
		keys []any
		by   authservertest.Signer
		kid  string
		ok   bool
	}{
		{"the only one", []any{jwk(unnamed)}, unnamed, "k1", true},
		{"beside one of another name", []any{jwk(authservertest.NewSigner(t, "k2")), jwk(unnamed)}, unnamed, "k1", true},
		{"beside one of another kind", []any{m{"kty": "RSA", "n": "AQAB", "e": "AQAB"}, jwk(unnamed)}, unnamed, "k1", true},
		{"beside the one that is named", []any{jwk(named), jwk(unnamed)}, unnamed, "k1", false},
		{"not the one that signed", []any{jwk(other)}, unnamed, "k1", false},
		{"no kid in the token either", []any{jwk(unnamed)}, unnamed, "", true},
		{"no kid in the token alone", []any{jwk(named)}, named, "", true},
		{"another kid", []any{with(jwk(named), m{"kid": "k2"})}, named, "k1", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			as := newAS(t)
			as.serveKeys(tt.keys...)
			as.Signer = authservertest.Signer{KID: tt.kid, Key: tt.by.Key}
			if _, err := as.client().RedeemCode(t.Context(), goodGrant()); (err == nil) != tt.ok || err != nil && !errors.Is(err, ErrIDToken) {
				t.Errorf("%v", err)
			}
		})
	}
}

// modulus is an odd number of so many bits.
func modulus(bits uint) string {
	n := new(big.Int).Lsh(big.NewInt(1), bits)
	return b64(n.Sub(n, big.NewInt(1)).Bytes())
}

// TestSkippedKeys: each is named by its place and its kid, with the reason.
func TestSkippedKeys(t *testing.T) {
	good := jwk(authservertest.NewSigner(t, "k1"))
	rsaKey := m{"kty": "RSA", "kid": "r", "e": "AQAB"}
	for _, tt := range []struct {
		key  any
		want string // empty: not skipped
	}{
		{with(rsaKey, m{"n": modulus(2048)}), ""},
		{with(rsaKey, m{"n": modulus(16384)}), ""},
		{with(rsaKey, m{"n": modulus(2047)}), "key 1 (r): it has 2047 bits, not 2048 to 16384"},
		{with(rsaKey, m{"n": modulus(1024)}), "key 1 (r): it has 1024 bits"},
		{with(rsaKey, m{"n": modulus(16385)}), "key 1 (r): it has 16385 bits"},
		{with(rsaKey, m{"n": "AAAA"}), "it has 0 bits"},
		{with(rsaKey, m{"n": nil}), "n or e is missing"},
		{with(rsaKey, m{"n": "!"}), "not base64url"},
		{with(rsaKey, m{"n": 5}), "n or e is missing"},
		{with(rsaKey, m{"n": modulus(2048), "e": "AQ"}), "none of an RSA key"},
		{with(rsaKey, m{"n": modulus(2048), "e": "AQAA"}), "none of an RSA key"},
		{with(rsaKey, m{"n": modulus(2048), "e": "AQAAAAE"}), "none of an RSA key"},
		{with(good, m{}), ""},
		{with(good, m{"use": "enc"}), ""}, // is not there, and nobody needs to know
		{with(good, m{"alg": "ES256K"}), "key 1 (k1): its alg"},
		{with(good, m{"alg": "HS256"}), "its alg"},
		{with(good, m{"alg": "RSA-OAEP"}), "its alg"},
		{with(good, m{"d": "AAAA"}), "not a public key"},
		{with(good, m{"kty": "oct", "k": "AAAA"}), "not a public key"},
		{with(good, m{"kty": "c4nary"}), "its kty"},
		{with(good, m{"kty": nil}), "its kty"},
		{with(good, m{"crv": "secp256k1"}), "its curve"},
		{with(good, m{"crv": "P-384"}), "not on it"},
		{with(good, m{"x": nil}), "not on it"},
		{with(good, m{"x": good["y"]}), "not on it"},
		{with(good, m{"x": b64(bytes.Repeat([]byte{1}, 33))}), "not on it"},
		{m{"kty": "OKP", "crv": "Ed25519", "x": b64(make([]byte, 31))}, "its curve"},
		{m{"kty": "OKP", "crv": "Ed448", "x": b64(make([]byte, 57))}, "its curve"},
		{with(good, m{"kid": "c4nary text", "kty": "x"}), "key 1: its kty"},
		{5, "key 1: not a JSON object"},
		{nil, "key 1: not a JSON object"},
	} {
		keys, skipped, err := readKeys(authservertest.Marshal(t, m{"keys": []any{tt.key, good}}))
		told := strings.Join(skipped, "; ")
		if err != nil || len(keys) == 0 || (told == "") != (tt.want == "") || !strings.Contains(told, tt.want) {
			t.Errorf("%v: %d keys, skipped %q, want %q, %v", tt.key, len(keys), told, tt.want, err)
		}
		if strings.Contains(told, "c4nary") {
			t.Errorf("it quotes the key: %s", told)
		}
	}
}

// TestLargeRSAKey: one beyond what go-jose reads by itself.
func TestLargeRSAKey(t *testing.T) {
	key := &rsa.PrivateKey{PublicKey: rsa.PublicKey{N: big.NewInt(1), E: 65537}}
	totient := big.NewInt(1)
	for range 5 { // of several primes, or finding them would take minutes
		p, err := rand.Prime(rand.Reader, 1024)
		if err != nil {
			t.Fatal(err)
		}
		key.Primes = append(key.Primes, p)
		key.N.Mul(key.N, p)
		totient.Mul(totient, new(big.Int).Sub(p, big.NewInt(1)))
	}
	if key.D = new(big.Int).ModInverse(big.NewInt(65537), totient); key.D == nil {
		t.Skip("primes that do not go with the exponent")
	}
	key.Precompute()
	as := newAS(t)
	as.serveKeys(m{"kty": "RSA", "kid": "k1", "e": "AQAB", "n": b64(key.N.Bytes())})
	signing := jose.SigningKey{Algorithm: jose.RS256, Key: jose.JSONWebKey{Key: key, KeyID: "k1"}}
	as.Answer = answerWith(authservertest.Sign(t, signing, authservertest.Marshal(t, as.Claims("access-1"))))
	as.enter(as.client())
}

func TestSmallRSAKeyVerifiesNothing(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Skip(err) // a later Go makes none
	}
	as := newAS(t)
	as.serveKeys(m{"kty": "RSA", "kid": "k1", "e": "AQAB", "n": b64(key.N.Bytes())})
	signing := jose.SigningKey{Algorithm: jose.RS256, Key: jose.JSONWebKey{Key: key, KeyID: "k1"}}
	as.Answer = answerWith(authservertest.Sign(t, signing, authservertest.Marshal(t, as.Claims("access-1"))))
	if _, err := as.client().RedeemCode(t.Context(), goodGrant()); !errors.Is(err, ErrIDToken) {
		t.Errorf("%v", err)
	}
}

// TestSkippedKeysAreLogged, once as long as they are the same.
func TestSkippedKeysAreLogged(t *testing.T) {
	as := newAS(t)
	var out bytes.Buffer
	c := New(as.config(), Options{HTTP: NewHTTP(nil, 5*time.Second), Clock: as.Clock.Now, Log: slog.New(slog.NewTextHandler(&out, nil))})
	for i, tt := range []struct {
		bad  any
		told int // lines so far
	}{
		{m{"kty": "c4nary", "kid": "old"}, 1}, {m{"kty": "c4nary", "kid": "old"}, 1}, {m{"kty": "c4nary", "kid": "new"}, 2},
	} {
		as.serveKeys(jwk(as.Signer), tt.bad)
		as.Clock.Add(keyLife)
		as.enter(c)
		if n := strings.Count(out.String(), "keys of the authorization server are skipped"); n != tt.told {
			t.Errorf("step %d: %d lines, want %d:\n%s", i, n, tt.told, &out)
		}
	}
	if text := out.String(); !strings.Contains(text, "key 2 (old): its kty") || strings.Contains(text, "c4nary") {
		t.Errorf("it says\n%s", text)
	}
	if got := c.Probe(t.Context()); len(got.SkippedKeys) != 1 || !strings.Contains(got.SkippedKeys[0], "key 2 (new)") {
		t.Errorf("the probe: %+v", got)
	}
}

// TestCoordinatesOfEveryCurve has them with zeros too many, and too few.
func TestCoordinatesOfEveryCurve(t *testing.T) {
	for crv, curve := range map[string]elliptic.Curve{"P-256": elliptic.P256(), "P-384": elliptic.P384(), "P-521": elliptic.P521()} {
		key, err := ecdsa.GenerateKey(curve, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		raw, err := key.PublicKey.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		size := len(raw) / 2
		x, y := raw[1:1+size], raw[1+size:]
		for zeros := range 3 {
			more := make([]byte, zeros)
			jwk := m{"kty": "EC", "crv": crv, "x": b64(append(more, x...)), "y": b64(append(more, bytes.TrimLeft(y, "\x00")...))}
			keys, skipped, err := readKeys(authservertest.Marshal(t, m{"keys": []any{jwk}}))
			if err != nil || len(keys) != 1 || !key.PublicKey.Equal(keys[0].key) {
				t.Errorf("%s, %d zeros: %v, %v", crv, zeros, skipped, err)
			}
		}
	}
}
