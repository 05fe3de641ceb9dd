package session

import (
	"net/http/httptest"
	"strings"
	"testing"

	"oauth-agent/agent/internal/secret"
)

// typical is tokens of the usual sizes: 1 KB access, 0.8 KB refresh, 1 KB ID.
func typical() Tokens {
	return Tokens{
		Access: secret.New(strings.Repeat("a", 1024)), Refresh: secret.New(strings.Repeat("r", 820)),
		ID: secret.New(strings.Repeat("i", 1024)),
	}
}

func BenchmarkStart(b *testing.B) {
	st := store(b, newClock(), 0)
	got := browser{}.got()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := st.Start(httptest.NewRecorder(), got, typical(), NewSeed(), secret.String{}); err != nil {
			b.Fatal(err)
		}
	}
}

// What an API call needs: the access token alone.
func BenchmarkCurrent(b *testing.B) {
	st := store(b, newClock(), 0)
	user, _ := start(b, st, typical())
	got := user.got()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := st.Current(got); err != nil {
			b.Fatal(err)
		}
	}
}

// What a state-changing API call needs: the CSRF token besides.
func BenchmarkCurrentWithCSRF(b *testing.B) {
	st := store(b, newClock(), 0)
	user, csrf := start(b, st, typical())
	got, header := user.got(), []string{csrf.Reveal()}
	b.ReportAllocs()
	for b.Loop() {
		s, err := st.Current(got)
		if err != nil || s.CheckCSRF(header) != nil {
			b.Fatal(err)
		}
	}
}
