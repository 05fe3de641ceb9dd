package idp_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"oauth-agent/test/idp"
)

func TestIDToken(t *testing.T) {
	p := start(t)
	tokens := p.tokens()
	got := p.claims(tokens["id_token"])
	now := float64(p.clock.Now().Unix())
	sum := sha256.Sum256([]byte(tokens["access_token"].(string)))
	for key, want := range map[string]any{
		"iss": p.Issuer, "sub": "zoe-1990", "aud": "app", "nonce": "n-0S6",
		"iat": now, "exp": now + 300, "auth_time": now,
		"at_hash": base64.RawURLEncoding.EncodeToString(sum[:16]),
		"name":    "Zoë Ångström 李", "email": "zoe@example.com",
	} {
		if got[key] != want {
			t.Errorf("%s: %v, want %v", key, got[key], want)
		}
	}
	if sid, _ := got["sid"].(string); sid == "" {
		t.Error("no sid")
	}
}

// A user's claims never override those that the protocol sets.
func TestUserClaimsCannotOverride(t *testing.T) {
	p := start(t, func(c *idp.Config) { c.Users[0].Claims = map[string]any{"sub": "root", "aud": "x"} })
	tokens := p.tokens()
	got := p.claims(tokens["id_token"])
	if got["sub"] != "zoe-1990" || got["aud"] != "app" || p.userinfo(tokens["access_token"]).json(t)["sub"] != "zoe-1990" {
		t.Errorf("claims: %v", got)
	}
}

// Each bad signature is bad in its own way, and each good one is good.
func TestSigningFaults(t *testing.T) {
	for _, tc := range []struct {
		mode      idp.Signing
		good      bool
		alg       string
		kidOfJWKS bool
	}{
		{idp.SignProperly, true, "ES256", true},
		{idp.SignWithoutKID, true, "ES256", false},
		{idp.SignWrongKey, false, "ES256", true},
		{idp.SignUnknownKID, false, "ES256", false},
		{idp.SignEmbeddedKey, false, "ES256", false},
		{idp.SignTampered, false, "ES256", true},
		{idp.SignStripped, false, "ES256", true},
		{idp.SignNone, false, "none", false},
		{idp.SignHS256ClientSecret, false, "HS256", true},
		{idp.SignHS256PublicKey, false, "HS256", true},
	} {
		t.Run(string(tc.mode), func(t *testing.T) {
			p := start(t)
			p.SetIDTokenFault(idp.IDTokenFault{Signing: tc.mode})
			token := p.tokens()["id_token"]
			if _, err := p.verify(token); (err == nil) != tc.good {
				t.Errorf("verified: %v", err)
			}
			head := header(t, token)
			if head["alg"] != tc.alg || (head["kid"] == p.key().KeyID) != tc.kidOfJWKS {
				t.Errorf("header: %v", head)
			}
			if (head["jwk"] != nil) != (tc.mode == idp.SignEmbeddedKey) {
				t.Errorf("jwk: %v", head["jwk"])
			}
			if payload(t, token)["sub"] != "zoe-1990" {
				t.Errorf("payload: %v", payload(t, token))
			}
		})
	}
}

func TestSignGarbage(t *testing.T) {
	p := start(t)
	p.SetIDTokenFault(idp.IDTokenFault{Signing: idp.SignGarbage})
	if _, err := jose.ParseSignedCompact(p.tokens()["id_token"].(string), []jose.SignatureAlgorithm{jose.ES256}); err == nil {
		t.Error("it is a JWS")
	}
}

// The symmetric forgeries are the real attacks: a verifier that takes HS256 with what
// it has at hand would accept them.
func TestSymmetricForgeries(t *testing.T) {
	p := start(t)
	der, err := x509.MarshalPKIXPublicKey(p.key().Key)
	if err != nil {
		t.Fatal(err)
	}
	for mode, key := range map[idp.Signing][]byte{
		idp.SignHS256ClientSecret: []byte(secret),
		idp.SignHS256PublicKey:    pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}),
	} {
		p.SetIDTokenFault(idp.IDTokenFault{Signing: mode})
		token := p.tokens()["id_token"].(string)
		cut := strings.LastIndexByte(token, '.')
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(token[:cut]))
		if token[cut+1:] != base64.RawURLEncoding.EncodeToString(mac.Sum(nil)) {
			t.Errorf("%s: not that key", mode)
		}
	}
}

func TestMutateIDToken(t *testing.T) {
	p := start(t)
	for name, mutate := range map[string]func(map[string]any){
		"exp":     func(c map[string]any) { c["exp"] = 1e300 },
		"aud":     func(c map[string]any) { c["aud"], c["azp"] = []string{"app", "other"}, "app" },
		"sub":     func(c map[string]any) { delete(c, "sub") },
		"iat":     func(c map[string]any) { c["iat"] = "yesterday" },
		"at_hash": func(c map[string]any) { c["at_hash"] = "wrong" },
	} {
		before := p.claims(p.tokens()["id_token"])[name]
		p.SetIDTokenFault(idp.IDTokenFault{Mutate: mutate})
		after := p.claims(p.tokens()["id_token"])[name]
		p.ClearFaults()
		if x, y := fmtJSON(t, before), fmtJSON(t, after); x == y {
			t.Errorf("%s: still %s", name, x)
		}
	}
}

func TestIDTokenFaultForSomeTokens(t *testing.T) {
	p := start(t)
	p.SetIDTokenFault(idp.IDTokenFault{Omit: true, Times: 2})
	for i, want := range []bool{false, false, true} {
		if _, ok := p.tokens()["id_token"]; ok != want {
			t.Errorf("login %d: ID token %v", i, ok)
		}
	}
	p.SetIDTokenFault(idp.IDTokenFault{Omit: true, GrantType: "refresh_token", Times: 1})
	tokens := p.tokens()
	if tokens["id_token"] == nil {
		t.Fatal("a fault of refreshes hit a login")
	}
	for i, want := range []bool{false, true} {
		if tokens = p.refresh(tokens["refresh_token"]).json(t); (tokens["id_token"] != nil) != want {
			t.Errorf("refresh %d: ID token %v", i, tokens["id_token"])
		}
	}
}

// key is the public key of the JWKS.
func (p *party) key() jose.JSONWebKey {
	p.Helper()
	var set jose.JSONWebKeySet
	if err := json.Unmarshal([]byte(p.get(p.Issuer+"/jwks").body), &set); err != nil {
		p.Fatal(err)
	}
	return set.Keys[0]
}

func fmtJSON(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
