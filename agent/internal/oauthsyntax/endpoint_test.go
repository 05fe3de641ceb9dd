package oauthsyntax

import (
	"net/url"
	"strings"
	"testing"
)

func TestEndpointFault(t *testing.T) {
	for _, tt := range []struct{ issuer, endpoint, want string }{
		{"https://as.example.com", "https://as.example.com/token", ""},
		{"https://as.example.com/{tenantid}/v2.0", "https://as.example.com/common/token", ""},
		{"https://as.example.com", "https://other.example.org:8443/token", ""},
		{"https://as.example.com", "https://192.168.0.1/token", ""},
		{"https://as.example.com", "https://[2001:db8::1]/token", ""},
		{"https://as.example.com", "https://keycloak/token", ""},
		{"https://as.example.com", "https://my_keycloak/token", ""},
		{"https://as.example.com", "http://as.example.com/token", "https"},
		{"https://as.example.com", "http://127.0.0.1:9000/token", "https"},
		{"https://localhost", "http://localhost/token", "https"},

		{"https://as.example.com", "https://localhost/token", "loopback"},
		{"https://as.example.com", "https://LOCALHOST:8443/token", "loopback"},
		{"https://as.example.com", "https://foo.localhost/token", "loopback"},
		{"https://as.example.com", "https://localhost./token", "loopback"},
		{"https://as.example.com", "https://foo.localhost../token", "loopback"},
		{"https://as.example.com", "https://localhost.localdomain/token", "loopback"},
		{"https://as.example.com", "https://localhost4/token", "loopback"},
		{"https://as.example.com", "https://localhost4.localdomain4/token", "loopback"},
		{"https://as.example.com", "https://ip6-localhost/token", "loopback"},
		{"https://as.example.com", "https://ipv6-loopback/token", "loopback"},
		{"https://as.example.com", "https://127.0.0.1/token", "loopback"},
		{"https://as.example.com", "https://127.255.0.9/token", "loopback"},
		{"https://as.example.com", "https://127.0.0.1./token", "loopback"},
		{"https://as.example.com", "https://[::1]/token", "loopback"},
		{"https://as.example.com", "https://[::ffff:127.0.0.1]/token", "loopback"},
		{"https://as.example.com", "https://[::ffff:7f00:1]/token", "loopback"},
		{"https://as.example.com", "https://0.0.0.0/token", "loopback"},
		{"https://as.example.com", "https://0.1.2.3/token", "loopback"},
		{"https://as.example.com", "https://[::]/token", "loopback"},
		{"https://as.example.com", "https://[::ffff:0.0.0.0]/token", "loopback"},
		{"https://as.example.com", "https://169.254.169.254/token", "link-local"},
		{"https://as.example.com", "https://[::ffff:169.254.169.254]/token", "link-local"},
		{"https://as.example.com", "https://[fe80::1]/token", "link-local"},
		{"https://as.example.com", "https://[fe80::1%25eth0]/token", "link-local"},
		{"https://as.example.com", "https://[febf::1]/token", "link-local"},
		{"https://as.example.com", "https://2130706433/token", "plain name"},
		{"https://as.example.com", "https://0x7f000001/token", "plain name"},
		{"https://as.example.com", "https://0177.0.0.1/token", "plain name"},
		{"https://as.example.com", "https://127.1/token", "plain name"},
		{"https://as.example.com", "https://１２７.0.0.1/token", "plain name"},
		{"https://as.example.com", "https://127。0。0。1/token", "plain name"},
		{"https://as.example.com", "https://ⓛocalhost/token", "plain name"},

		{"https://localhost:8443", "https://localhost:9443/token", ""},
		{"https://localhost:8443", "https://127.0.0.1:9443/token", ""},
		{"https://127.0.0.1:8443", "https://[::1]:9443/token", ""},
		{"https://localhost:8443", "https://as.example.com/token", ""},
		{"https://localhost:8443", "https://169.254.0.1/token", "link-local"},
		{"https://169.254.0.1", "https://169.254.0.2/token", ""},
		{"https://169.254.0.1", "https://127.0.0.1/token", "loopback"},
		{"https://münchen.example", "https://münchen.example/token", ""},
		{"http://127.0.0.1", "http://127.0.0.1:1/token", ""},
		{"http://as.internal", "http://127.0.0.1:1/token", ""},
		{"", "http://127.0.0.1:1/token", ""},
	} {
		issuer, err := url.Parse(tt.issuer)
		if err != nil {
			t.Fatal(err)
		}
		endpoint, err := url.Parse(tt.endpoint)
		if err != nil {
			t.Fatal(err)
		}
		got := EndpointFault(endpoint, issuer)
		if (got == "") != (tt.want == "") || !strings.Contains(got, tt.want) {
			t.Errorf("%s of %s: %q, want %q", tt.endpoint, tt.issuer, got, tt.want)
		}
	}
}
