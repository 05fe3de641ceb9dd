package oauthsyntax

import (
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// TenantPlaceholder stands for the tenant in an issuer that differs by tenant, as in
// Entra ID's metadata of "common".
const TenantPlaceholder = "{tenantid}"

// EndpointFault requires that the endpoints of an https issuer are https, and that none
// is on the loopback or the link-local network unless the issuer is there too. Otherwise
// metadata could make the agent send codes and its client secret to another program on
// the same machine. A host that some programs read as a name and others as a number is
// refused as well.
func EndpointFault(endpoint, issuer *url.URL) string {
	host, home := endpoint.Hostname(), issuer.Hostname()
	network := networkOf(host)
	switch {
	case issuer.Scheme != "https":
		return ""
	case endpoint.Scheme != "https":
		return "must be https, as the issuer is"
	case strings.EqualFold(host, home):
		return ""
	case network != "" && network != networkOf(home):
		return "must not be on the " + network + " network, where the issuer is not"
	case !isAddress(host) && !HostName(strings.ToLower(host)):
		return "must have a plain name or address as its host"
	}
	return ""
}

// Loopback reports whether host, a name or an address without brackets, is this machine.
func Loopback(host string) bool {
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.IsLoopback()
}

var (
	hostName = regexp.MustCompile(`^([a-z0-9_-]+\.)*[a-z0-9_-]+\.?$`)
	// numberHost matches what a browser reads as an IPv4 address, or refuses (WHATWG URL
	// 3.5): 2130706433, 0x7f.1.
	numberHost = regexp.MustCompile(`(^|\.)([0-9]+|0x[0-9a-f]*)\.?$`)
	tenant     = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)
)

// HostName reports whether host, in lower case, is a name in ASCII that cannot be read as
// an address.
func HostName(host string) bool { return hostName.MatchString(host) && !NumberHost(host) }

// NumberHost reports whether host, in lower case, ends in a number.
func NumberHost(host string) bool { return numberHost.MatchString(host) }

// networkOf returns "loopback" or "link-local" if the text of host alone puts it there,
// and "" otherwise. No name is resolved.
func networkOf(host string) string {
	host = strings.TrimRight(strings.ToLower(host), ".")
	addr, _ := netip.ParseAddr(host)
	addr = addr.Unmap()
	// Hosts files commonly define these names for loopback, as well as localhost.
	names := []string{
		"localhost.localdomain", "localhost4", "localhost4.localdomain4", "localhost6", "localhost6.localdomain6",
		"ip6-localhost", "ip6-loopback", "ipv6-localhost", "ipv6-loopback",
	}
	switch {
	case Loopback(host), slices.Contains(names, host), thisHost(addr):
		return "loopback"
	case addr.IsLinkLocalUnicast():
		return "link-local"
	}
	return ""
}

// thisHost reports whether addr is in 0.0.0.0/8 or is ::, which reach the machine itself.
func thisHost(addr netip.Addr) bool {
	return addr.IsUnspecified() || addr.Is4() && addr.As4()[0] == 0
}

func isAddress(host string) bool {
	_, err := netip.ParseAddr(host)
	return err == nil
}

// Tenant reports whether s can be the id of a tenant: one segment of the path of an
// issuer.
func Tenant(s string) bool { return tenant.MatchString(s) }
