package logout

import "testing"

func TestMayBeSameSite(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want bool
	}{
		{"www.example.com", "www.example.com", true}, {"www.example.com", "API.Example.com", true}, {"example.com", "www.example.com.", true},
		{"localhost", "LOCALHOST", true}, {"127.0.0.1", "127.0.0.1", true}, {"a.co.uk", "b.co.uk", true}, // not known to be two sites
		{"www.example.com", "agent.internal", false}, {"www.example.com", "www.example.org", false}, {"localhost", "127.0.0.1", false},
		{"10.0.0.1", "10.1.0.1", false}, {"a", "b", false}, {"", "a", false}, {"::1", "::2", false},
	} {
		if mayBeSameSite(tt.a, tt.b) != tt.want || mayBeSameSite(tt.b, tt.a) != tt.want {
			t.Errorf("%q and %q: not %v", tt.a, tt.b, tt.want)
		}
	}
}
