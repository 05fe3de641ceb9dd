package idp

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"strings"

	"github.com/go-jose/go-jose/v4"
)

// Signing is how an ID token is signed.
type Signing string

// The ways of signing. All but the first two make a token that must be refused.
const (
	SignProperly    Signing = ""
	SignWithoutKID  Signing = "without kid" // a good signature, and no kid to find its key by
	SignWrongKey    Signing = "wrong key"   // the kid of the JWKS, another key
	SignUnknownKID  Signing = "unknown kid" // a key that is not in the JWKS
	SignEmbeddedKey Signing = "embedded"    // such a key, which the header brings along as jwk
	SignTampered    Signing = "tampered"    // claims changed after signing
	SignStripped    Signing = "stripped"    // the real header, an empty signature
	SignNone        Signing = "none"        // alg none
	SignGarbage     Signing = "garbage"     // not a JWT

	SignHS256ClientSecret Signing = "HS256 client secret" // HMAC with the client secret
	SignHS256PublicKey    Signing = "HS256 public key"    // HMAC with the public key as PEM
)

// signIDToken makes the JWT, well or as badly as mode says.
func (p *Provider) signIDToken(claims map[string]any, mode Signing, client *Client) (string, error) {
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", fmt.Errorf("idp: claims: %w", err)
	}
	key := p.keys.signing()
	switch mode {
	case SignProperly:
		return p.keys.sign(key, payload)
	case SignWithoutKID:
		key.KeyID = ""
		return p.keys.sign(key, payload)
	case SignWrongKey, SignUnknownKID, SignEmbeddedKey:
		return p.signAsStranger(payload, mode)
	case SignTampered, SignStripped:
		return p.damage(payload, mode)
	case SignNone:
		return unsigned(map[string]string{"alg": "none", "typ": "JWT"}, payload) + ".", nil
	case SignHS256ClientSecret:
		return p.hs256([]byte(client.Secret), payload), nil
	case SignHS256PublicKey:
		secret, err := publicPEM(key)
		return p.hs256(secret, payload), err
	case SignGarbage:
		return "not.a-jwt", nil
	}
	return "", fmt.Errorf("idp: unknown signing %q", mode)
}

// signAsStranger signs with a key that nobody knows.
func (p *Provider) signAsStranger(payload []byte, mode Signing) (string, error) {
	key, err := p.keys.stranger()
	if err != nil {
		return "", err
	}
	opts := new(jose.SignerOptions).WithType("JWT")
	switch mode {
	case SignWrongKey:
		key.KeyID = p.keys.signing().KeyID
	case SignEmbeddedKey:
		opts.EmbedJWK = true
	}
	return p.keys.signWith(key, payload, opts)
}

// damage signs well and then breaks it.
func (p *Provider) damage(payload []byte, mode Signing) (string, error) {
	token, err := p.keys.sign(p.keys.signing(), payload)
	if err != nil {
		return "", err
	}
	parts := strings.Split(token, ".")
	if mode == SignStripped {
		return parts[0] + "." + parts[1] + ".", nil
	}
	changed := strings.Replace(string(payload), "{", `{"admin":true,`, 1)
	return parts[0] + "." + base64.RawURLEncoding.EncodeToString([]byte(changed)) + "." + parts[2], nil
}

// hs256 makes a JWS by hand: go-jose refuses keys as weak as these, and an attacker
// does not use go-jose.
func (p *Provider) hs256(secret, payload []byte) string {
	input := unsigned(map[string]string{"alg": "HS256", "typ": "JWT", "kid": p.keys.signing().KeyID}, payload)
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(input))
	return input + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// unsigned is what a JWS signs, header and payload.
func unsigned(header map[string]string, payload []byte) string {
	h, _ := json.Marshal(header) // strings always marshal
	return base64.RawURLEncoding.EncodeToString(h) + "." + base64.RawURLEncoding.EncodeToString(payload)
}

func publicPEM(key jose.JSONWebKey) ([]byte, error) {
	der, err := x509.MarshalPKIXPublicKey(key.Public().Key)
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), nil
}
