// Package seal encrypts and authenticates what the program hands out and wants
// back: cookies above all.
//
// A [Ring] is made of the configured keys. [Ring.For] gives the [Box] of one
// purpose, with keys of its own, so that a value of one kind never opens as
// another. The first key seals and all of them open: a key is replaced by
// putting the new one first, and nobody is logged out.
//
// It is the only package that knows gorilla/securecookie (AES-256-CTR, then
// HMAC-SHA-256 over name, time and ciphertext).
package seal

import (
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/gorilla/securecookie"

	"oauth-agent/agent/internal/secret"
)

// KeySize is the size of a configured key, in bytes.
const KeySize = 32

// ErrSealed is all that a caller learns of a value that does not open: a wrong
// key, a wrong purpose, a changed byte and an age past the limit look alike.
var ErrSealed = errors.New("the sealed value does not open")

// Ring is a list of keys; the first one seals.
type Ring struct {
	keys  [][]byte
	grace Grace
}

// Grace is the time in which a key that is new to this process only opens, while the
// one that it has had for longest goes on sealing: other processes may not have the
// new one yet. The zero value is none.
type Grace struct {
	Ages   *KeyAges
	Period time.Duration
	Clock  func() time.Time
}

// WithGrace returns the ring with a time of grace for its first key.
func (r *Ring) WithGrace(grace Grace) *Ring { return &Ring{r.keys, grace} }

// Sealing returns the index of the key that seals now.
func (r *Ring) Sealing() int {
	if r.grace.Ages == nil {
		return 0
	}
	return r.grace.Ages.sealing(r.keys, r.grace.Clock().Add(-r.grace.Period))
}

// NewRing takes keys of 64 hexadecimal characters, as the settings have them.
func NewRing(keys []secret.String) (*Ring, error) {
	if len(keys) == 0 {
		return nil, errors.New("no key")
	}
	ring := &Ring{}
	for i, k := range keys {
		raw, err := hex.DecodeString(k.Reveal())
		if err != nil || len(raw) != KeySize {
			// The decoder's own error would quote a character of the key.
			return nil, fmt.Errorf("key %d is not %d hexadecimal characters", i+1, 2*KeySize)
		}
		ring.keys = append(ring.keys, raw)
	}
	return ring, nil
}

// Box seals and opens values of one purpose.
type Box struct {
	purpose string
	sealing func() int
	codecs  []securecookie.Codec
	strict  *base64.Encoding
}

// For derives the box of a purpose: for each key an authentication and an
// encryption key (HKDF-SHA-256, RFC 5869). Values older than maxAge do not
// open; zero means no limit.
func (r *Ring) For(purpose string, maxAge time.Duration) *Box {
	b := &Box{purpose: purpose, sealing: r.Sealing, strict: base64.URLEncoding.Strict()}
	for _, key := range r.keys {
		pair, err := hkdf.Key(sha256.New, key, nil, "oauth-agent/seal/v1/"+purpose, 2*KeySize)
		if err != nil { // only for an absurd length, which ours is not
			panic(err)
		}
		sc := securecookie.New(pair[:KeySize], pair[KeySize:])
		sc.MaxLength(0) // the cookie room splits; its limits are those of browsers
		sc.MaxAge(int(maxAge / time.Second))
		sc.SetSerializer(securecookie.NopEncoder{})
		b.codecs = append(b.codecs, sc)
	}
	return b
}

// Seal returns a value of URL-safe characters and '='. An empty plaintext is an
// error: the library would seal it and then never open it.
func (b *Box) Seal(plain []byte) (string, error) {
	if len(plain) == 0 {
		return "", fmt.Errorf("sealing %s: nothing to seal", b.purpose)
	}
	// NopEncoder encrypts in place.
	sealed, err := b.codecs[b.sealing()].Encode(b.purpose, slices.Clone(plain))
	if err != nil {
		return "", fmt.Errorf("sealing %s: %w", b.purpose, err)
	}
	return sealed, nil
}

// Open returns what was sealed, or [ErrSealed].
func (b *Box) Open(sealed string) ([]byte, error) {
	if !b.canonical(sealed) {
		return nil, failure{Malformed}
	}
	reason := Key
	for _, c := range b.codecs {
		var plain []byte
		err := c.Decode(b.purpose, sealed, &plain)
		if err == nil {
			return plain, nil
		}
		if !errors.Is(err, securecookie.ErrMacInvalid) {
			reason = Expired // the key was right, or else it is no base64
		}
	}
	if !b.wellFormed(sealed) {
		reason = Malformed
	}
	return nil, failure{reason}
}

// minSealed is less than the length of any sealed value: its IV and its MAC alone
// take as much. A request can bring thousands that are shorter, for a few bytes each.
const minSealed = (16 + sha256.Size) / 3 * 4

// canonical tells whether s is the one spelling of its bytes, provided that it
// decodes at all. A lenient decoder skips line breaks, and ignores the bits of
// the last character that no byte needs: two texts for one value.
func (b *Box) canonical(s string) bool {
	if len(s) < minSealed || strings.ContainsAny(s, "\r\n") {
		return false
	}
	_, err := b.strict.DecodeString(s[len(s)-4:])
	return err == nil
}
