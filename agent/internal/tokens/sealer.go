package tokens

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
)

// sealer seals with a random key of this process: no text search of a core dump or a
// swap file finds a token, and a restart forgets them all.
type sealer struct{ aead cipher.AEAD }

func newSealer() sealer {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails
	block, err := aes.NewCipher(key)
	if err != nil { // only for another length
		panic(err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil { // only for another block size
		panic(err)
	}
	return sealer{aead}
}

// Seal returns plain sealed.
func (s sealer) Seal(plain []byte) []byte { return s.aead.Seal(nil, nil, plain, nil) }

// Open returns what was sealed.
func (s sealer) Open(sealed []byte) ([]byte, error) { return s.aead.Open(nil, nil, sealed, nil) }
