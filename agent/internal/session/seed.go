package session

import (
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"

	"oauth-agent/agent/internal/secret"
)

// Seed is what the identifier and the CSRF token of a session are made from. It is
// chosen when the login begins, so that two calls that complete one login with one
// code make one session.
type Seed [idSize + csrfSize]byte

// NewSeed returns a random seed.
func NewSeed() (s Seed) {
	_, _ = rand.Read(s[:]) // never fails, see its documentation
	return s
}

// With derives the seed of the session that a code makes (HKDF-SHA-256, RFC 5869).
// The seed of the login alone would not do: its cookie could be used at two replicas
// for the codes of two users, and their sessions would have the same identifier.
func (s Seed) With(code secret.String) Seed {
	derived, err := hkdf.Key(sha256.New, s[:], nil, "oauth-agent/session/v1/"+code.Reveal(), len(s))
	if err != nil { // only for an absurd length, which ours is not
		panic(err)
	}
	return Seed(derived)
}
