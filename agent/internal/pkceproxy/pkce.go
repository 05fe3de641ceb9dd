package pkceproxy

import (
	"crypto/subtle"
	"strings"

	"golang.org/x/oauth2"
)

// The methods of RFC 7636 4.2.
const (
	methodS256  = "S256"
	methodPlain = "plain"
)

// validVerifier tells whether s has the form of a code verifier: 43 to 128
// unreserved characters (RFC 7636 4.1).
func validVerifier(s string) bool {
	return len(s) >= 43 && len(s) <= 128 && only(s, "-._~")
}

// validChallenge tells whether s can be a code challenge: for S256 the
// base64url of 32 bytes, for plain a verifier (RFC 7636 4.2).
func validChallenge(s string, plain bool) bool {
	if plain {
		return validVerifier(s)
	}
	return len(s) == 43 && only(s, "-_")
}

// only tells whether s is of ASCII letters, digits and the others.
func only(s, others string) bool {
	for i := range len(s) {
		c := s[i]
		letter := 'a' <= c|0x20 && c|0x20 <= 'z'
		if !letter && (c < '0' || c > '9') && strings.IndexByte(others, c) < 0 {
			return false
		}
	}
	return true
}

// verifies tells whether verifier is the one of the grant's challenge (RFC 7636
// 4.6), in constant time.
func (g grant) verifies(verifier string) bool {
	computed := verifier
	if !g.Plain {
		computed = oauth2.S256ChallengeFromVerifier(verifier)
	}
	return subtle.ConstantTimeCompare([]byte(computed), []byte(g.Challenge)) == 1
}
