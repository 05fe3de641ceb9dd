package authserver

import (
	"crypto/rand"
	"crypto/rsa"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"oauth-agent/agent/internal/authserver/authservertest"
	"oauth-agent/agent/internal/secret"
)

func BenchmarkVerifyIDToken(b *testing.B) {
	b.Run("ES256", func(b *testing.B) {
		s := authservertest.NewSigner(b, "k1")
		c, meta := offline(b, s)
		benchVerify(b, c, meta, s.Sign(b, authservertest.Marshal(b, offlineClaims())))
	})
	b.Run("RS256", func(b *testing.B) {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			b.Fatal(err)
		}
		c, meta := offline(b, authservertest.NewSigner(b, "unused"))
		set := authservertest.Marshal(b, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: "k1"}}})
		c.http = NewHTTP(keysOf(set), c.http.Timeout())
		signing := jose.SigningKey{Algorithm: jose.RS256, Key: jose.JSONWebKey{Key: key, KeyID: "k1"}}
		benchVerify(b, c, meta, authservertest.Sign(b, signing, authservertest.Marshal(b, offlineClaims())))
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
