package authserver

import (
	"bytes"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4"

	"oauth-agent/agent/internal/strictjson"
)

// RSA keys of fewer bits are too weak, and verifying by larger ones is work that
// nobody needs.
const (
	minRSABits = 2048
	maxRSABits = 16384
)

// publicKey is one by which the server signs.
type publicKey struct {
	key    any // as go-jose verifies by
	id     string
	issuer string // of the tenant that alone may use it, as Entra ID has it; empty: any
}

var errNoKeys = errors.New("no JSON Web Key Set")

// readKeys reads a JSON Web Key Set (RFC 7517 5). A key that cannot be used must not
// spoil the others: skipped says which ones, and why.
func readKeys(body []byte) (keys []publicKey, skipped []string, err error) {
	o, err := strictjson.Parse(body)
	if err != nil {
		return nil, nil, err
	}
	var all []json.RawMessage
	if json.Unmarshal(o["keys"], &all) != nil || all == nil {
		return nil, nil, errNoKeys
	}
	for i, raw := range all {
		o, err := strictjson.Parse(raw)
		if err != nil {
			skipped = append(skipped, fmt.Sprintf("key %d: %v", i+1, err))
			continue
		}
		if use, _ := o.Text("use"); use == "enc" {
			continue // is for something else
		}
		key, err := readKey(o)
		if err != nil {
			skipped = append(skipped, fmt.Sprintf("key %d%s: %v", i+1, codeSuffix(key.id), err))
			continue
		}
		keys = append(keys, key)
	}
	return keys, skipped, nil
}

// readKey reads a public key (RFC 7518 6, RFC 8037 2). Only what makes the key is
// handed to go-jose: certificates beside it, which it would compare, are no concern of
// ours. The errors quote nothing.
func readKey(o strictjson.Object) (k publicKey, err error) {
	k.id, _ = o.Text("kid")
	k.issuer, _ = o.Text("issuer")
	if alg, _ := o.Text("alg"); alg != "" && !slices.Contains(asymmetric(), alg) {
		return k, errors.New("its alg is none for ID tokens")
	}
	if o.Has("d") || o.Has("k") {
		return k, errors.New("it is not a public key")
	}
	switch kty, _ := o.Text("kty"); kty {
	case "RSA":
		k.key, err = rsaKey(o)
	case "EC", "OKP":
		k.key, err = curveKey(o, kty)
	default:
		err = errors.New("its kty is none for ID tokens")
	}
	return k, err
}

// rsaKey is not read by go-jose, whose limit of 4,096 bits is a variable of the whole
// process.
func rsaKey(o strictjson.Object) (*rsa.PublicKey, error) {
	n, nOK := integer(o, "n")
	e, eOK := integer(o, "e")
	switch {
	case !nOK || !eOK:
		return nil, errors.New("its n or e is missing or not base64url")
	case n.BitLen() < minRSABits || n.BitLen() > maxRSABits:
		return nil, fmt.Errorf("it has %d bits, not %d to %d", n.BitLen(), minRSABits, maxRSABits)
	case n.Bit(0) == 0 || e.Bit(0) == 0 || e.BitLen() < 2 || e.BitLen() > 31:
		return nil, errors.New("its n or e is none of an RSA key")
	}
	return &rsa.PublicKey{N: n, E: int(e.Int64())}, nil
}

func integer(o strictjson.Object, member string) (*big.Int, bool) {
	b, ok := octets(o, member)
	return new(big.Int).SetBytes(b), ok
}

// curveKey has go-jose read a key of an elliptic curve. Coordinates come to it in their
// full length, though some servers leave zeros out at their begin, or have one more.
func curveKey(o strictjson.Object, kty string) (any, error) {
	crv, _ := o.Text("crv")
	plain := map[string]string{"kty": kty, "crv": crv}
	size := map[string]int{"P-256": 32, "P-384": 48, "P-521": 66}[crv]
	for _, member := range []string{"x", "y"} {
		if coordinate, ok := octets(o, member); ok {
			plain[member] = base64.RawURLEncoding.EncodeToString(resize(coordinate, size))
		}
	}
	raw, err := json.Marshal(plain)
	if err != nil {
		return nil, errors.New("it is no JSON")
	}
	var key jose.JSONWebKey
	if key.UnmarshalJSON(raw) != nil || !key.IsPublic() {
		return nil, errors.New("its curve is none for ID tokens, or its coordinates are not on it")
	}
	return key.Key, nil
}

// resize brings a number to size bytes by zeros at its begin; size 0: as it is.
func resize(number []byte, size int) []byte {
	if size == 0 {
		return number
	}
	number = bytes.TrimLeft(number, "\x00")
	return append(make([]byte, max(0, size-len(number))), number...)
}

// octets reads base64url, also padded and in the other alphabet, as some servers have it.
func octets(o strictjson.Object, member string) ([]byte, bool) {
	text, _ := o.Text(member)
	text = strings.NewReplacer("+", "-", "/", "_").Replace(strings.TrimRight(text, "="))
	b, err := base64.RawURLEncoding.DecodeString(text)
	return b, err == nil && len(b) > 0
}

// candidates are the keys by which a token with this kid may be signed. One without
// kid is named by none, and stands for itself where no other is.
func candidates(keys []publicKey, kid string) []publicKey {
	if kid == "" {
		return keys
	}
	var named, unnamed []publicKey
	for _, k := range keys {
		switch k.id {
		case kid:
			named = append(named, k)
		case "":
			unnamed = append(unnamed, k)
		}
	}
	if len(named) > 0 {
		return named
	}
	return unnamed
}
