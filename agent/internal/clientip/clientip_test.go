package clientip_test

import (
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"oauth-agent/agent/internal/clientip"
)

// proxies trusts a network of either family.
func proxies() clientip.Proxies {
	return clientip.Proxies{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("2001:db8::/32")}
}

func request(peer string, lines ...string) *http.Request {
	return &http.Request{RemoteAddr: peer, Header: http.Header{"X-Forwarded-For": lines}}
}

func TestClient(t *testing.T) {
	for _, tt := range []struct {
		name, peer string
		lines      []string
		want       string
	}{
		{"no header", "192.0.2.1:50000", nil, "192.0.2.1"},
		{"an untrusted peer", "192.0.2.1:50000", []string{"198.51.100.7"}, "192.0.2.1"},
		{"an untrusted peer names a proxy", "192.0.2.1:50000", []string{"198.51.100.7, 10.0.0.1"}, "192.0.2.1"},
		{"a proxy that says nothing", "10.0.0.1:50000", nil, "10.0.0.1"},
		{"an empty line", "10.0.0.1:50000", []string{""}, "10.0.0.1"},
		{"one proxy", "10.0.0.1:50000", []string{"198.51.100.7"}, "198.51.100.7"},
		{"what the client wrote", "10.0.0.1:50000", []string{"1.1.1.1, 198.51.100.7"}, "198.51.100.7"},
		{"the client names a proxy", "10.0.0.1:50000", []string{"10.9.9.9, 198.51.100.7"}, "198.51.100.7"},
		{"two proxies", "10.0.0.1:50000", []string{"1.1.1.1, 198.51.100.7, 10.0.0.2"}, "198.51.100.7"},
		{"two lines", "10.0.0.1:50000", []string{"1.1.1.1", "198.51.100.7", "10.0.0.2"}, "198.51.100.7"},
		{"two lines of lists", "10.0.0.1:50000", []string{"1.1.1.1,198.51.100.7", "10.0.0.3,10.0.0.2"}, "198.51.100.7"},
		{"proxies alone", "10.0.0.1:50000", []string{"10.0.0.3, 10.0.0.2"}, "10.0.0.3"},
		{"both families", "[2001:db8::1]:50000", []string{"2001:db9::7, 10.0.0.2"}, "2001:db9::7"},
		{"without spaces", "10.0.0.1:50000", []string{"1.1.1.1,198.51.100.7"}, "198.51.100.7"},
		{"with tabs", "10.0.0.1:50000", []string{"1.1.1.1,\t198.51.100.7 "}, "198.51.100.7"},
		{"empty elements", "10.0.0.1:50000", []string{"198.51.100.7, ,", ","}, "198.51.100.7"},

		{"a port", "10.0.0.1:50000", []string{"198.51.100.7:1234"}, "198.51.100.7"},
		{"brackets", "10.0.0.1:50000", []string{"[2001:db9::7]"}, "2001:db9::7"},
		{"brackets and a port", "10.0.0.1:50000", []string{"[2001:db9::7]:1234"}, "2001:db9::7"},
		{"brackets around IPv4", "10.0.0.1:50000", []string{"[198.51.100.7]"}, "10.0.0.1"},
		{"half a bracket", "10.0.0.1:50000", []string{"[2001:db9::7"}, "10.0.0.1"},
		{"a zone", "10.0.0.1:50000", []string{"fe80::1%eth0"}, "fe80::1"},
		{"mapped", "10.0.0.1:50000", []string{"::ffff:198.51.100.7"}, "198.51.100.7"},
		{"a mapped proxy", "10.0.0.1:50000", []string{"198.51.100.7, ::ffff:10.0.0.2"}, "198.51.100.7"},
		{"a mapped peer", "[::ffff:10.0.0.1]:50000", []string{"198.51.100.7"}, "198.51.100.7"},
		{"a mapped peer, untrusted", "[::ffff:192.0.2.1]:50000", []string{"198.51.100.7"}, "192.0.2.1"},
		{"a peer with a zone", "[2001:db8::1%eth0]:50000", []string{"198.51.100.7"}, "198.51.100.7"},

		{"unknown", "10.0.0.1:50000", []string{"198.51.100.7, unknown"}, "10.0.0.1"},
		{"unknown behind a proxy", "10.0.0.1:50000", []string{"198.51.100.7, unknown, 10.0.0.2"}, "10.0.0.2"},
		{"obfuscated", "10.0.0.1:50000", []string{"_hidden"}, "10.0.0.1"},
		{"quoted", "10.0.0.1:50000", []string{`"198.51.100.7"`}, "10.0.0.1"},
		{"a name", "10.0.0.1:50000", []string{"localhost"}, "10.0.0.1"},
		{"leading zeros", "10.0.0.1:50000", []string{"198.051.100.007"}, "10.0.0.1"},
		{"a number", "10.0.0.1:50000", []string{"3325256711"}, "10.0.0.1"},
		{"a prefix", "10.0.0.1:50000", []string{"198.51.100.0/24"}, "10.0.0.1"},
		{"another separator", "10.0.0.1:50000", []string{"198.51.100.7; 10.0.0.2"}, "10.0.0.1"},
		{"junk left of the client", "10.0.0.1:50000", []string{"<script>, \x00, 198.51.100.7"}, "198.51.100.7"},

		{"10 KB of one word", "10.0.0.1:50000", []string{strings.Repeat("1", 10<<10)}, "10.0.0.1"},
		{"10 KB left of the client", "10.0.0.1:50000", []string{strings.Repeat("1.1.1.1,", 1280) + "198.51.100.7"}, "198.51.100.7"},
		{"10 KB of commas", "10.0.0.1:50000", []string{"198.51.100.7" + strings.Repeat(",", 10<<10)}, "10.0.0.1"},
		{"the most hops", "10.0.0.1:50000", []string{"198.51.100.7" + strings.Repeat(",10.0.0.2", 31)}, "198.51.100.7"},
		{"too many hops", "10.0.0.1:50000", []string{"198.51.100.7" + strings.Repeat(",10.0.0.2", 32)}, "10.0.0.2"},
		{"too many lines", "10.0.0.1:50000", append([]string{"198.51.100.7"}, strings.Split(strings.Repeat("10.0.0.2,", 32), ",")...), "10.0.0.2"},

		{"a Unix socket", "@", []string{"198.51.100.7"}, "invalid IP"},
		{"no peer", "", []string{"198.51.100.7"}, "invalid IP"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := request(tt.peer, tt.lines...)
			before := strings.Join(tt.lines, "\n")
			if got := proxies().Client(r); got.String() != tt.want {
				t.Errorf("%s, want %s", got, tt.want)
			}
			if strings.Join(tt.lines, "\n") != before {
				t.Errorf("the header was changed: %q", tt.lines)
			}
		})
	}
}

// A client could otherwise choose its address, by sending Forwarded through a gateway
// that writes X-Forwarded-For alone.
func TestOtherHeadersAreIgnored(t *testing.T) {
	r := request("10.0.0.1:50000", "198.51.100.7")
	for name, value := range map[string]string{
		"Forwarded": "for=203.0.113.9", "X-Real-Ip": "203.0.113.9", "X_forwarded_for": "203.0.113.9",
		"True-Client-Ip": "203.0.113.9", "X-Client-Ip": "203.0.113.9",
	} {
		r.Header.Set(name, value)
	}
	if got := proxies().Client(r).String(); got != "198.51.100.7" {
		t.Error(got)
	}
	delete(r.Header, "X-Forwarded-For")
	if got := proxies().Client(r).String(); got != "10.0.0.1" {
		t.Error(got)
	}
}

func TestTrusts(t *testing.T) {
	for peer, want := range map[string]bool{
		"10.0.0.1:1": true, "[::ffff:10.0.0.1]:1": true, "[2001:db8::1%eth0]:1": true, "[2001:db8::1]:1": true,
		"11.0.0.1:1": false, "[2001:db9::1]:1": false, "10.0.0.1": false, "@": false, "": false, "localhost:1": false,
	} {
		if got := proxies().Trusts(peer); got != want {
			t.Errorf("%q: %v", peer, got)
		}
		if clientip.Proxies(nil).Trusts(peer) {
			t.Errorf("%q is trusted by an empty list", peer)
		}
	}
}

// The address of an untrusted peer is its own whatever it sends, and what is left of an
// untrusted address never matters.
func FuzzClient(f *testing.F) {
	f.Add("198.51.100.7, 10.0.0.2", "unknown")
	f.Add("::ffff:10.0.0.1,[::1]:80", "10.0.0.2,,")
	f.Add(strings.Repeat(",", 100), "fe80::1%x")
	f.Fuzz(func(t *testing.T, first, second string) {
		p := proxies()
		if got := p.Client(request("192.0.2.1:1", first, second)); got.String() != "192.0.2.1" {
			t.Errorf("an untrusted peer is %s", got)
		}
		if got := p.Client(request("10.0.0.1:1", first, second+", 198.51.100.7")); got.String() != "198.51.100.7" {
			t.Errorf("behind a proxy: %s", got)
		}
		if got := p.Client(request("10.0.0.1:1", first, second)); !got.IsValid() || got.Zone() != "" || got.Is4In6() {
			t.Errorf("%v", got)
		}
	})
}

func BenchmarkClient(b *testing.B) {
	r := request("10.0.0.1:50000", "1.1.1.1, 198.51.100.7, 10.0.0.2")
	p := proxies()
	b.ReportAllocs()
	for b.Loop() {
		p.Client(r)
	}
}

func TestHost(t *testing.T) {
	for _, tt := range []struct {
		name, peer string
		lines      []string
		want       string
	}{
		{"no header", "10.0.0.1:50000", nil, "inside:8080"},
		{"an untrusted peer", "192.0.2.1:50000", []string{"evil.example"}, "inside:8080"},
		{"a proxy", "10.0.0.1:50000", []string{"www.example.com"}, "www.example.com"},
		{"with a port", "10.0.0.1:50000", []string{"www.example.com:8443"}, "www.example.com:8443"},
		{"an address", "10.0.0.1:50000", []string{"[2001:db8::7]:8443"}, "[2001:db8::7]:8443"},
		{"what the client wrote", "10.0.0.1:50000", []string{"evil.example, www.example.com"}, "www.example.com"},
		{"what the client wrote, in a line", "10.0.0.1:50000", []string{"evil.example", "www.example.com"}, "www.example.com"},
		{"empty", "10.0.0.1:50000", []string{""}, "inside:8080"},
		{"ends with a comma", "10.0.0.1:50000", []string{"www.example.com,"}, "inside:8080"},
		{"a path", "10.0.0.1:50000", []string{"www.example.com/x"}, "inside:8080"},
		{"a user", "10.0.0.1:50000", []string{"www.example.com@evil.example"}, "inside:8080"},
		{"no host", "10.0.0.1:50000", []string{"a b"}, "inside:8080"},
	} {
		r := &http.Request{RemoteAddr: tt.peer, Host: "inside:8080", Header: http.Header{"X-Forwarded-Host": tt.lines}}
		if got := proxies().Host(r); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}
