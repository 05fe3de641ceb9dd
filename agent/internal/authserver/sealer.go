package authserver

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
)

// processSealer seals with a random key of this process: no text search of a
// core dump or a swap file finds a token, and a restart forgets them all.
type processSealer struct{ aead cipher.AEAD }

func newProcessSealer() Sealer {
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
	return processSealer{aead}
}

// Seal implements [Sealer].
func (s processSealer) Seal(plain []byte) (string, error) {
	return string(s.aead.Seal(nil, nil, plain, nil)), nil
}

// Open implements [Sealer].
func (s processSealer) Open(sealed string) ([]byte, error) {
	return s.aead.Open(nil, nil, []byte(sealed), nil)
}
