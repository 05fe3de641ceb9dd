package idp_test

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"oauth-agent/test/idp"
)

func TestDiscovery(t *testing.T) {
	for _, path := range []string{"", "/o", "/realms/my realm"} {
		p := start(t, func(c *idp.Config) { c.Path = strings.ReplaceAll(path, " ", "-") })
		doc := p.get(p.Issuer + "/.well-known/openid-configuration").json(t)
		if doc["issuer"] != p.Issuer {
			t.Errorf("issuer %v, want %s", doc["issuer"], p.Issuer)
		}
		for _, key := range []string{
			"authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint",
			"revocation_endpoint", "end_session_endpoint",
		} {
			if s, _ := doc[key].(string); !strings.HasPrefix(s, p.Issuer+"/") {
				t.Errorf("%s: %v", key, doc[key])
			} else if a := p.get(s); a.StatusCode == 404 {
				t.Errorf("%s is not there", key)
			}
		}
		other := p.get(p.URL + "/.well-known/oauth-authorization-server" + strings.TrimPrefix(p.Issuer, p.URL))
		if other.json(t)["issuer"] != p.Issuer {
			t.Error("RFC 8414 metadata differ")
		}
	}
}

// Every profile that leaves something out must neither announce nor serve it.
func TestDiscoveryOfProfiles(t *testing.T) {
	for _, tc := range []struct {
		key, path string
		profile   func(*idp.Config)
	}{
		{"userinfo_endpoint", "/userinfo", func(c *idp.Config) { c.NoUserinfo = true }},
		{"revocation_endpoint", "/revoke", func(c *idp.Config) { c.NoRevocation = true }},
		{"end_session_endpoint", "/end_session", func(c *idp.Config) { c.NoEndSession = true }},
		{"code_challenge_methods_supported", "", func(c *idp.Config) { c.IgnorePKCE = true }},
		{"code_challenge_methods_supported", "", func(c *idp.Config) { c.HidePKCE = true }},
		{"authorization_response_iss_parameter_supported", "", func(c *idp.Config) { c.NoIssInResponse = true }},
		{"token_endpoint_auth_methods_supported", "", func(c *idp.Config) { c.HideAuthMethods = true }},
	} {
		p := start(t, tc.profile)
		if v, ok := p.get(p.Issuer + "/.well-known/openid-configuration").json(t)[tc.key]; ok {
			t.Errorf("%s is announced: %v", tc.key, v)
		}
		if tc.path != "" && p.get(p.Issuer+tc.path).StatusCode != 404 {
			t.Errorf("%s is served", tc.path)
		}
	}
}

func TestDiscoveryTellsTheRealAlgorithm(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	for alg, profile := range map[string]func(*idp.Config){
		idp.ES256: func(*idp.Config) {},
		idp.RS256: func(c *idp.Config) { c.SigningAlg, c.SigningKey = idp.RS256, key },
	} {
		p := start(t, profile)
		doc := p.get(p.Issuer + "/.well-known/openid-configuration").json(t)
		if !slices.Equal(doc["id_token_signing_alg_values_supported"].([]any), []any{alg}) {
			t.Errorf("announced: %v", doc["id_token_signing_alg_values_supported"])
		}
		idToken := p.tokens()["id_token"]
		if p.claims(idToken)["sub"] != "zoe-1990" {
			t.Error("not verified")
		}
		if got := header(t, idToken)["alg"]; got != alg {
			t.Errorf("alg %v, want %s", got, alg)
		}
	}
}

func TestSigningKeyMustFit(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := idp.New(idp.Config{Issuer: "http://h", SigningAlg: idp.ES256, SigningKey: key}); err == nil {
		t.Error("an RSA key signs ES256")
	}
}

func TestJWKSHasNoPrivateKey(t *testing.T) {
	p := start(t)
	var set struct{ Keys []map[string]any }
	if err := json.Unmarshal([]byte(p.get(p.Issuer+"/jwks").body), &set); err != nil {
		t.Fatal(err)
	}
	if len(set.Keys) != 1 {
		t.Fatalf("%d keys", len(set.Keys))
	}
	if key := set.Keys[0]; key["d"] != nil || key["kid"] == "" || key["alg"] != "ES256" || key["use"] != "sig" {
		t.Errorf("key: %v", key)
	}
}

func TestRollKeys(t *testing.T) {
	p := start(t)
	before := p.tokens()["id_token"]
	if err := p.RollKeys(); err != nil {
		t.Fatal(err)
	}
	if _, err := p.verify(before); err == nil {
		t.Error("the old key is still in the JWKS")
	}
	after := p.tokens()["id_token"]
	p.claims(after)
	if header(t, before)["kid"] == header(t, after)["kid"] {
		t.Error("the key id is the same")
	}
}
