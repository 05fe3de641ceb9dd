package tokens

import (
	"strings"
	"testing"
	"time"

	"oauth-agent/agent/internal/authserver"
	"oauth-agent/agent/internal/secret"
)

// BenchmarkRefreshFromMemory is a late call: tokens of a usual size, sealed.
func BenchmarkRefreshFromMemory(b *testing.B) {
	as := newAS(b)
	s := as.source(life(time.Hour))
	session := as.enter(s)
	old := Grant{Refresh: secret.New("old"), Access: secret.New("old"), ID: session.ID}
	fresh := authserver.Tokens{Access: secret.New(strings.Repeat("a", 1000)), Refresh: secret.New(strings.Repeat("r", 800)), ID: session.ID}
	if _, err := s.remember(b.Context(), old.Refresh, fresh, false); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Refresh(b.Context(), old); err != nil {
			b.Fatal(err)
		}
	}
}
