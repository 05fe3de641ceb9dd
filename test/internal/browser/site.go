package browser

import (
	"net"
	"net/url"
	"strings"
)

// origin is scheme, host and port (RFC 6454).
func origin(u *url.URL) string { return u.Scheme + "://" + u.Host }

// site is the scheme and the registrable domain, taken for the last two labels,
// which is enough for the names that tests use. Ports make no difference.
func site(u *url.URL) string {
	host := u.Hostname()
	if net.ParseIP(host) == nil {
		labels := strings.Split(host, ".")
		host = strings.Join(labels[max(0, len(labels)-2):], ".")
	}
	return u.Scheme + "://" + host
}

// trustworthy tells whether Secure cookies and Sec-Fetch headers are for u.
func trustworthy(u *url.URL) bool {
	host := u.Hostname()
	ip := net.ParseIP(host)
	return u.Scheme == "https" || host == "localhost" || strings.HasSuffix(host, ".localhost") ||
		ip != nil && ip.IsLoopback()
}

// relation is the value of Sec-Fetch-Site. from is nil for an address typed in.
func relation(from, to *url.URL) string {
	switch {
	case from == nil:
		return "none"
	case origin(from) == origin(to):
		return "same-origin"
	case site(from) == site(to):
		return "same-site"
	default:
		return "cross-site"
	}
}
