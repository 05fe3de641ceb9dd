package idp

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"slices"
	"sync"

	"github.com/go-jose/go-jose/v4"
)

// The signing algorithms.
const (
	ES256 = "ES256"
	RS256 = "RS256"
)

// maxOldKeys bounds the keys that are kept for the hints of earlier ID tokens.
const maxOldKeys = 8

// keyRing has the signing key and, for id_token_hint alone, the public halves of
// those before it.
type keyRing struct {
	alg jose.SignatureAlgorithm

	mu      sync.Mutex
	current jose.JSONWebKey
	old     []jose.JSONWebKey
}

func newKeyRing(alg string, first crypto.Signer) (*keyRing, error) {
	r := &keyRing{alg: jose.SignatureAlgorithm(alg)}
	if first == nil {
		var err error
		if first, err = generateKey(r.alg); err != nil {
			return nil, err
		}
	}
	r.current = jwk(r.alg, first)
	if _, err := r.sign(r.current, []byte("{}")); err != nil {
		return nil, fmt.Errorf("idp: the signing key does not fit %s: %w", alg, err)
	}
	return r, nil
}

func generateKey(alg jose.SignatureAlgorithm) (crypto.Signer, error) {
	if alg == jose.RS256 {
		return rsa.GenerateKey(rand.Reader, 2048)
	}
	return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
}

// jwk gives key a fresh key id.
func jwk(alg jose.SignatureAlgorithm, key crypto.Signer) jose.JSONWebKey {
	return jose.JSONWebKey{Key: key, KeyID: randomToken("k", 0)[:12], Algorithm: string(alg), Use: "sig"}
}

// stranger is a key that no JWKS has ever had.
func (r *keyRing) stranger() (jose.JSONWebKey, error) {
	key, err := generateKey(r.alg)
	if err != nil {
		return jose.JSONWebKey{}, err
	}
	return jwk(r.alg, key), nil
}

func (r *keyRing) signing() jose.JSONWebKey {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.current
}

// roll replaces the signing key.
func (r *keyRing) roll() error {
	next, err := r.stranger()
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.old = append(r.old, r.current.Public())
	if len(r.old) > maxOldKeys {
		r.old = r.old[1:]
	}
	r.current = next
	return nil
}

// sign makes a compact JWS, with the key id of key unless that is empty.
func (r *keyRing) sign(key jose.JSONWebKey, payload []byte) (string, error) {
	return r.signWith(key, payload, new(jose.SignerOptions).WithType("JWT"))
}

func (r *keyRing) signWith(key jose.JSONWebKey, payload []byte, opts *jose.SignerOptions) (string, error) {
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: r.alg, Key: key}, opts)
	if err != nil {
		return "", err
	}
	jws, err := signer.Sign(payload)
	if err != nil {
		return "", err
	}
	return jws.CompactSerialize()
}

// verify opens a JWS that this provider signed, now or earlier.
func (r *keyRing) verify(token string) ([]byte, error) {
	jws, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{r.alg})
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	keys := append(slices.Clone(r.old), r.current.Public())
	r.mu.Unlock()
	for _, key := range keys {
		if payload, err := jws.Verify(key); err == nil {
			return payload, nil
		}
	}
	return nil, jose.ErrCryptoFailure
}

// RollKeys replaces the signing key and its key id. The old one is gone from the
// JWKS at once.
func (p *Provider) RollKeys() error { return p.keys.roll() }
