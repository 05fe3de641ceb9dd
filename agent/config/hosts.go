package config

import (
	"fmt"
	"net/netip"
	"net/url"
	"strings"

	"oauth-agent/agent/internal/oauthsyntax"
)

// This file knows how a browser writes hosts (WHATWG URL 3.5). What the browser
// sends is compared byte by byte, so that another spelling would never match.

// browserHost is host as a browser writes it, without brackets; ok is false for
// what is none: a name beyond ASCII, a wildcard, a number that is no address.
func browserHost(host string) (written string, ok bool) {
	host = strings.ToLower(host)
	switch addr, err := netip.ParseAddr(host); {
	case err != nil:
		return host, oauthsyntax.HostName(host)
	case addr.Is4In6():
		b := addr.As16() // where Go writes the last four in decimal
		return fmt.Sprintf("::ffff:%x:%x", uint(b[12])<<8|uint(b[13]), uint(b[14])<<8|uint(b[15])), addr.Zone() == ""
	default:
		return addr.String(), addr.Zone() == ""
	}
}

// hasDotSegment tells whether a browser would shorten an escaped path.
func hasDotSegment(path string) bool {
	path = strings.ReplaceAll(strings.ToLower(path), "%2e", ".")
	for segment := range strings.SplitSeq(path, "/") {
		if segment == "." || segment == ".." {
			return true
		}
	}
	return false
}

// covers tells whether cookies of domain go to host (RFC 6265 5.1.3).
func covers(domain, host string) bool {
	domain = strings.TrimPrefix(domain, ".")
	return host == domain || strings.HasSuffix(host, "."+domain)
}

// hostsOf lists the hosts of the URLs that have one.
func hostsOf(urls ...string) []string {
	var out []string
	for _, raw := range urls {
		if u, err := url.Parse(raw); err == nil && isWeb(u) {
			out = append(out, u.Hostname())
		}
	}
	return out
}
