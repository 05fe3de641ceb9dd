package authserver

import (
	"crypto/rand"
	"crypto/rsa"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"oauth-agent/agent/internal/secret"
)

// BenchmarkRefreshFromMemory is a late call: tokens of a usual size, sealed.
func BenchmarkRefreshFromMemory(b *testing.B) {
	s := newSigner(b, "k1")
	c, _ := offline(b, s)
	id := s.sign(b, marshal(b, offlineClaims()))
	old := RefreshGrant{Refresh: secret.New("old"), Access: secret.New("old"), ID: secret.New(id)}
	fresh := Tokens{Access: secret.New(strings.Repeat("a", 1000)), Refresh: secret.New(strings.Repeat("r", 800)), ID: secret.New(id)}
	if _, err := c.memory.remember(old.Refresh, fresh, false); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Refresh(b.Context(), old); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkVerifyIDToken(b *testing.B) {
	b.Run("ES256", func(b *testing.B) {
		s := newSigner(b, "k1")
		c, meta := offline(b, s)
		benchVerify(b, c, meta, s.sign(b, marshal(b, offlineClaims())))
	})
	b.Run("RS256", func(b *testing.B) {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			b.Fatal(err)
		}
		c, meta := offline(b, newSigner(b, "unused"))
		set := marshal(b, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: "k1"}}})
		c.http = NewHTTP(keysOf(set), c.http.timeout)
		signing := jose.SigningKey{Algorithm: jose.RS256, Key: jose.JSONWebKey{Key: key, KeyID: "k1"}}
		benchVerify(b, c, meta, sign(b, signing, marshal(b, offlineClaims())))
	})
}

func benchVerify(b *testing.B, c *Client, meta *metadata, raw string) {
	b.Helper()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.verifyIDToken(b.Context(), meta, secret.New(raw), secret.New("a")); err != nil {
			b.Fatal(err)
		}
	}
}
