package authserver

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"oauth-agent/agent/internal/authserver/authservertest"
	"oauth-agent/agent/internal/secret"
	"oauth-agent/agent/internal/strictjson"
)

// TestIDTokenClaims makes every check of the claims fail once, and its nearest
// good neighbour pass.
func TestIDTokenClaims(t *testing.T) {
	now := authservertest.NewClock().Now().Unix()
	zero, minute := 0, 60
	raw := func(s string) json.RawMessage { return json.RawMessage(s) }

	for _, tt := range []struct {
		name   string
		claims m // over the good ones; nil removes
		want   string
		maxAge *int
		cfg    func(*Config)
	}{
		{name: "good"},
		{name: "no at_hash", claims: m{"at_hash": nil}},
		{name: "aud is a list", claims: m{"aud": []string{clientID}}},
		{name: "azp is us", claims: m{"azp": clientID}},
		{name: "fractions", claims: m{"exp": float64(now) + 30.5, "iat": float64(now) - 0.5}},

		{name: "iss of another", claims: m{"iss": "https://evil.example.com"}, want: "iss is not the configured issuer: https://evil.example.com"},
		{name: "iss missing", claims: m{"iss": nil}, want: "iss"},
		{name: "iss of another type", claims: m{"iss": []string{"x"}}, want: "iss"},
		{name: "iss in another case", claims: m{"iss": nil, "ISS": "x"}, want: "iss"},
		{name: "sub missing", claims: m{"sub": nil}, want: "sub"},
		{name: "sub empty", claims: m{"sub": ""}, want: "sub"},
		{name: "sub a number", claims: m{"sub": 5}, want: "sub"},

		{name: "aud of another", claims: m{"aud": "another"}, want: "aud"},
		{name: "aud missing", claims: m{"aud": nil}, want: "aud"},
		{name: "aud empty list", claims: m{"aud": []string{}}, want: "aud"},
		{name: "aud with a null", claims: m{"aud": []any{clientID, nil}}, want: "aud"},
		{name: "aud an object", claims: m{"aud": m{clientID: 1}}, want: "aud"},
		{name: "more aud, no azp", claims: m{"aud": []string{clientID, "api"}}, want: "azp is missing"},
		{name: "more aud, azp us", claims: m{"aud": []string{"api", clientID}, "azp": clientID}},
		{name: "more aud, azp other", claims: m{"aud": []string{clientID, "api"}, "azp": "api"}, want: "azp"},
		{name: "azp other", claims: m{"azp": "api"}, want: "azp"},
		{name: "azp a number", claims: m{"azp": 5}, want: "azp"},
		{name: "trusted aud", claims: m{"aud": []string{clientID, "api"}, "azp": clientID}, cfg: func(c *Config) { c.TrustedAudiences = []string{"api"} }},
		{name: "trusted aud, no azp", claims: m{"aud": []string{clientID, "api"}}, cfg: func(c *Config) { c.TrustedAudiences = []string{"api"} }},
		{name: "trusted aud, azp other", claims: m{"aud": []string{clientID, "api"}, "azp": "api"}, cfg: func(c *Config) { c.TrustedAudiences = []string{"api"} }, want: "azp"},
		{name: "trusted aud, azp empty", claims: m{"aud": []string{clientID, "api"}, "azp": ""}, cfg: func(c *Config) { c.TrustedAudiences = []string{"api"} }, want: "azp"},
		{name: "untrusted aud, no azp", claims: m{"aud": []string{clientID, "api", "x"}}, cfg: func(c *Config) { c.TrustedAudiences = []string{"api"} }, want: "not trusted"},
		{name: "untrusted aud", claims: m{"aud": []string{clientID, "x"}, "azp": clientID}, cfg: func(c *Config) { c.TrustedAudiences = []string{"api"} }, want: "not trusted"},

		{name: "expired within the skew", claims: m{"exp": now - 59}},
		{name: "expired", claims: m{"exp": now - 60}, want: "expired"},
		{name: "expired, no skew", claims: m{"exp": now - 1}, cfg: func(c *Config) { c.ClockSkew = time.Nanosecond }, want: "expired"},
		{name: "exp missing", claims: m{"exp": nil}, want: "exp"},
		{name: "exp 1e300", claims: m{"exp": raw("1e300")}, want: "exp"},
		{name: "exp 2^63", claims: m{"exp": raw("9223372036854775808")}, want: "exp"},
		{name: "exp huge digits", claims: m{"exp": raw(strings.Repeat("9", 400))}, want: "exp"},
		{name: "exp negative", claims: m{"exp": -1}, want: "exp"},
		{name: "exp a string", claims: m{"exp": "1900000300"}, want: "exp"},
		{name: "exp null", claims: m{"exp": raw("null")}, want: "exp"},
		{name: "iat missing", claims: m{"iat": nil}, want: "iat"},
		{name: "iat ahead within the skew", claims: m{"iat": now + 60}},
		{name: "iat ahead", claims: m{"iat": now + 61}, want: "iat"},
		{name: "iat a string", claims: m{"iat": "1900000000"}, want: "iat"},
		{name: "nbf ahead within the skew", claims: m{"nbf": now + 60}},
		{name: "nbf ahead", claims: m{"nbf": now + 61}, want: "nbf"},
		{name: "nbf a string", claims: m{"nbf": "1"}, want: "nbf"},

		{name: "nonce of another", claims: m{"nonce": "n-2"}, want: "nonce"},
		{name: "nonce missing", claims: m{"nonce": nil}, want: "nonce"},
		{name: "nonce a list", claims: m{"nonce": []string{"n-1"}}, want: "malformed"},

		{name: "at_hash of another", claims: m{"at_hash": authservertest.AtHash("another")}, want: "at_hash"},
		{name: "at_hash empty", claims: m{"at_hash": ""}, want: "at_hash"},
		{name: "at_hash a number", claims: m{"at_hash": 5}, want: "malformed"},

		{name: "auth_time asked for", claims: m{"auth_time": now - 120}, maxAge: &minute},
		{name: "auth_time too old", claims: m{"auth_time": now - 121}, maxAge: &minute, want: "auth_time"},
		{name: "auth_time too old for zero", claims: m{"auth_time": now - 61}, maxAge: &zero, want: "auth_time"},
		{name: "auth_time missing", maxAge: &minute, want: "auth_time"},
		{name: "auth_time in the future", claims: m{"auth_time": now + 61}, maxAge: &minute, want: "auth_time"},
		{name: "auth_time a string", claims: m{"auth_time": "1900000000"}, maxAge: &minute, want: "auth_time"},
		{name: "auth_time 1e300", claims: m{"auth_time": raw("1e300")}, maxAge: &minute, want: "auth_time"},
		{name: "auth_time odd, not asked for", claims: m{"auth_time": "x"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			as := newAS(t)
			as.Login = tt.claims
			grant := goodGrant()
			grant.MaxAge = tt.maxAge
			cfg := tt.cfg
			if cfg == nil {
				cfg = func(*Config) {}
			}
			_, err := as.client(cfg).RedeemCode(t.Context(), grant)
			switch {
			case tt.want == "" && err != nil:
				t.Errorf("error: %v", err)
			case tt.want != "" && (!errors.Is(err, ErrIDToken) || errors.Is(err, ErrUnavailable)):
				t.Errorf("error is %v, want ErrIDToken", err)
			case tt.want != "" && !strings.Contains(err.Error(), tt.want):
				t.Errorf("error is %v, want %q in it", err, tt.want)
			}
		})
	}
}

// TestIDTokenPayloads are payloads that are signed and still no claims.
func TestIDTokenPayloads(t *testing.T) {
	as := newAS(t)
	good := string(authservertest.Marshal(t, as.Claims("access-1")))
	for name, payload := range map[string]string{
		"array":           "[" + good + "]",
		"null":            "null",
		"string":          `"x"`,
		"empty":           "",
		"two objects":     good + good,
		"no UTF-8":        strings.Replace(good, "Älice", "\xc4lice", 1),
		"sub twice":       strings.Replace(good, "{", `{"sub":"bob",`, 1),
		"iss in capitals": strings.Replace(good, `"iss"`, `"Iss"`, 1),
	} {
		raw := as.Signer.Sign(t, []byte(payload))
		as.Answer = answerWith(raw)
		if _, err := as.client().RedeemCode(t.Context(), goodGrant()); !errors.Is(err, ErrIDToken) {
			t.Errorf("%s: error is %v, want ErrIDToken", name, err)
		}
	}
	// Not a mistake, though a map without case would see one.
	as.Answer = answerWith(as.Signer.Sign(t, []byte(strings.Replace(good, "{", `{"Sub2":"x",`, 1))))
	if _, err := as.client().RedeemCode(t.Context(), goodGrant()); err != nil {
		t.Error(err)
	}
}

func answerWith(idToken string) func(url.Values) (int, any) {
	return func(url.Values) (int, any) {
		return http.StatusOK, m{"access_token": "access-1", "id_token": idToken}
	}
}

// TestIDTokenSignatures: "none", HMAC with what an attacker knows, foreign
// keys, and every byte that may be changed.
func TestIDTokenSignatures(t *testing.T) {
	as := newAS(t)
	payload := authservertest.Marshal(t, as.Claims("access-1"))
	good := as.Signer.Sign(t, payload)
	part := strings.Split(good, ".")
	b64 := func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
	der, err := x509.MarshalPKIXPublicKey(as.Signer.Key.Public())
	if err != nil {
		t.Fatal(err)
	}
	jwk := as.Signer.Public()
	jwkJSON, _ := jwk.MarshalJSON()
	hmac := func(key []byte) string {
		return authservertest.Sign(t, jose.SigningKey{Algorithm: jose.HS256, Key: jose.JSONWebKey{Key: key, KeyID: "k1"}}, payload)
	}
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	ps256 := authservertest.Sign(t, jose.SigningKey{Algorithm: jose.PS256, Key: jose.JSONWebKey{Key: rsaKey, KeyID: "k1"}}, payload)

	tests := map[string]string{
		"none":                    b64(`{"alg":"none"}`) + "." + part[1] + ".",
		"none in capitals":        b64(`{"alg":"NONE","kid":"k1"}`) + "." + part[1] + "." + part[2],
		"no alg":                  b64(`{"kid":"k1"}`) + "." + part[1] + "." + part[2],
		"no signature":            part[0] + "." + part[1] + ".",
		"HMAC with client secret": hmac([]byte(clientSecret + clientSecret)),
		"HMAC with DER":           hmac(der),
		"HMAC with JWK":           hmac(jwkJSON),
		"algorithm not announced": ps256,
		"another key, same kid":   authservertest.NewSigner(t, "k1").Sign(t, payload),
		"another key, its kid":    authservertest.NewSigner(t, "k2").Sign(t, payload),
		"another key, no kid":     authservertest.NewSigner(t, "").Sign(t, payload),
		"payload of another":      part[0] + "." + b64(strings.Replace(string(payload), "alice", "mally", 1)) + "." + part[2],
		"crit":                    b64(`{"alg":"ES256","kid":"k1","crit":["x"],"x":1}`) + "." + part[1] + "." + part[2],
		"white space":             part[0] + "." + part[1] + "\n." + part[2],
		"JSON and more":           `{"payload":"` + part[1] + `","protected":"` + part[0] + `","signature":"` + part[2] + `"}x`,
		"JSON serialization":      `{"payload":"` + part[1] + `","protected":"` + part[0] + `","signature":"` + part[2] + `"}`,
		"five parts":              good + ".a.b",
		"two parts":               part[0] + "." + part[1],
		"text":                    "c4nary",
	}
	// A key in the header is not one of the server's.
	own := authservertest.NewSigner(t, "k1")
	js, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: own.Key}, &jose.SignerOptions{EmbedJWK: true})
	if err != nil {
		t.Fatal(err)
	}
	jws, _ := js.Sign(payload)
	tests["embedded key"], _ = jws.CompactSerialize()

	c := as.client()
	for name, raw := range tests {
		t.Run(name, func(t *testing.T) {
			as.Answer = answerWith(raw)
			_, err := c.RedeemCode(t.Context(), goodGrant())
			if !errors.Is(err, ErrIDToken) || errors.Is(err, ErrUnavailable) {
				t.Errorf("error is %v, want ErrIDToken", err)
			}
			if err != nil && strings.Contains(err.Error(), "c4nary") {
				t.Errorf("error quotes the token: %v", err)
			}
		})
	}
	as.Answer = answerWith(good)
	if _, err := c.RedeemCode(t.Context(), goodGrant()); err != nil {
		t.Errorf("the good one: %v", err)
	}
}

func TestIDTokenByRSA(t *testing.T) {
	as := newAS(t)
	delete(as.Metadata, "id_token_signing_alg_values_supported") // RS256 by default
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	as.Handle("/keys", func(w http.ResponseWriter, _ *http.Request) {
		authservertest.Reply(w, 200, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: "rsa", Use: "sig"}}})
	})
	signed := authservertest.Sign(t, jose.SigningKey{Algorithm: jose.RS256, Key: key}, authservertest.Marshal(t, as.Claims("access-1")))
	as.Answer = answerWith(signed)
	if _, err := as.client().RedeemCode(t.Context(), goodGrant()); err != nil {
		t.Error(err)
	}
	// The same key, by an algorithm that is not announced.
	as.Answer = answerWith(authservertest.Sign(t, jose.SigningKey{Algorithm: jose.PS256, Key: key}, authservertest.Marshal(t, as.Claims("access-1"))))
	if _, err := as.client().RedeemCode(t.Context(), goodGrant()); !errors.Is(err, ErrIDToken) {
		t.Errorf("PS256, though only RS256 is the default: %v", err)
	}
}

// TestIDTokenWithoutIssuer: a server that is known by its endpoints alone.
func TestIDTokenWithoutIssuer(t *testing.T) {
	as := newAS(t)
	explicit := func(c *Config) {
		c.Issuer, c.Authorize, c.Token, c.JWKS = "", as.URL+"/authorize", as.URL+"/token", as.URL+"/keys"
	}
	if got := as.enter(as.client(explicit)); got.Identity.Issuer != as.URL {
		t.Errorf("issuer %q is kept", got.Identity.Issuer)
	}
	as.Login = m{"iss": nil}
	if _, err := as.client(explicit).RedeemCode(t.Context(), goodGrant()); !errors.Is(err, ErrIDToken) {
		t.Errorf("without iss: %v", err)
	}
}

func TestKeysRolledBetweenTwoLogins(t *testing.T) {
	as := newAS(t)
	c := as.client()
	as.enter(c)
	as.Set(func() { as.Signer = authservertest.NewSigner(t, "k2") })
	as.enter(c)
	as.Set(func() { as.Signer = authservertest.NewSigner(t, "k2") }) // even under the same name
	as.enter(c)
	if n := as.Count("/keys"); n != 3 {
		t.Errorf("keys fetched %d times, want 3", n)
	}
}

// A key that the server has taken back must not be good for ever, even when no
// other key comes by that would be a reason to look.
func TestKeyThatWasTakenBack(t *testing.T) {
	as := newAS(t)
	c := as.client()
	as.enter(c)
	revoked := as.Signer
	as.Handle("/keys", func(w http.ResponseWriter, _ *http.Request) {
		authservertest.Reply(w, 200, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{authservertest.NewSigner(t, "k2").Public()}})
	})
	as.Clock.Add(keyLife - time.Second)
	as.enter(c) // not known yet
	as.Clock.Add(time.Second)
	as.Set(func() { as.Answer = answerWith(revoked.Sign(t, authservertest.Marshal(t, as.Claims("access-1")))) })
	if _, err := c.RedeemCode(t.Context(), goodGrant()); !errors.Is(err, ErrIDToken) {
		t.Errorf("error is %v, want ErrIDToken", err)
	}
}

// TestUnknownKidStorm: tokens of unknown keys, one after the other and at once,
// do not become requests without end.
func TestUnknownKidStorm(t *testing.T) {
	as := newAS(t)
	c := as.client()
	as.enter(c)
	stranger := authservertest.NewSigner(t, "stranger")
	as.Answer = answerWith(stranger.Sign(t, authservertest.Marshal(t, as.Claims("access-1"))))
	storm := func() {
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				for range 25 {
					if _, err := c.RedeemCode(t.Context(), goodGrant()); !errors.Is(err, ErrIDToken) {
						t.Errorf("error is %v, want ErrIDToken", err)
					}
				}
			})
		}
		wg.Wait()
	}
	storm()
	if n := as.Count("/keys"); n > keyBurst {
		t.Errorf("keys fetched %d times, want %d at most", n, keyBurst)
	}
	as.Clock.Add(2 * keyPause)
	storm()
	if n := as.Count("/keys"); n != keyBurst+2 {
		t.Errorf("keys fetched %d times, want %d", n, keyBurst+2)
	}
	as.Answer = nil
	as.enter(c) // the known key still does
	as.Set(func() { as.Signer = authservertest.NewSigner(t, "k3") })
	as.Clock.Add(keyPause)
	as.enter(c) // and a new one after the pause
}

// TestKeysUnavailable: a key set that cannot be fetched is no verdict on the
// token, and is there again as soon as the server is.
func TestKeysUnavailable(t *testing.T) {
	as := newAS(t)
	c := as.client()
	as.Handle("/keys", func(w http.ResponseWriter, _ *http.Request) { authservertest.Reply(w, 404, "c4nary") })
	for range 3 * keyBurst {
		_, err := c.RedeemCode(t.Context(), goodGrant())
		if !errors.Is(err, ErrUnavailable) || errors.Is(err, ErrIDToken) || strings.Contains(err.Error(), "c4nary") {
			t.Fatalf("error is %v, want ErrUnavailable", err)
		}
	}
	if n := as.Count("/keys"); n != 1 {
		t.Errorf("keys fetched %d times within the pause, want 1", n)
	}
	as.Handle("/keys", nil)
	as.Clock.Add(retryKeys)
	as.enter(c)
}

func TestKeysWhenTheCallerLeaves(t *testing.T) {
	as := newAS(t)
	asked := make(chan struct{})
	as.Handle("/keys", func(w http.ResponseWriter, r *http.Request) { close(asked); hang(w, r) })
	c := New(as.config(), Options{HTTP: NewHTTP(nil, time.Second), Clock: as.Clock.Now})
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-asked; cancel() }()
	if _, err := c.RedeemCode(ctx, goodGrant()); !errors.Is(err, ErrUnavailable) || !errors.Is(err, context.Canceled) {
		t.Errorf("error is %v", err)
	}
}

// TestReadIDToken: claims are UTF-8 (Curity's Node agent decoded them as
// latin1, which garbled every name outside ASCII).
func TestReadIDToken(t *testing.T) {
	as := newAS(t)
	c := as.client()
	session := as.enter(c)
	raw, id, err := c.ReadIDToken(session.ID)
	if err != nil {
		t.Fatal(err)
	}
	var claims struct{ Name string }
	if err := json.Unmarshal(raw, &claims); err != nil || claims.Name != "Älice" {
		t.Errorf("name %q, %v", claims.Name, err)
	}
	if id != session.Identity {
		t.Errorf("identity %v", id)
	}
	for name, token := range map[string]string{
		"empty": "", "text": "c4nary", "array": as.Signer.Sign(t, []byte(`["c4nary"]`)),
		"no UTF-8": as.Signer.Sign(t, []byte("{\"a\":\"\xff\"}")), "none": "eyJhbGciOiJub25lIn0.e30.",
	} {
		_, _, err := c.ReadIDToken(secret.New(token))
		if err == nil || strings.Contains(err.Error(), "c4nary") {
			t.Errorf("%s: error is %v", name, err)
		}
	}
}

func TestDateBounds(t *testing.T) {
	for in, want := range map[string]bool{
		"0": true, "253402300799": true, "253402300800": false, "-0.1": false, "1e11": true, "1e400": false, `"1"`: false,
	} {
		o, err := strictjson.Parse([]byte(`{"exp":` + in + `}`))
		if err != nil {
			t.Fatal(err)
		}
		if d, ok := (claims{o}).date("exp"); ok != want || d.Unix() > math.MaxInt32*200 {
			t.Errorf("%s: %v %v", in, d, ok)
		}
	}
}
