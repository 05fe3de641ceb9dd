// Package clientip finds the address of the client that sent a request, and the host
// that it asked for, behind trusted proxies.
//
// Of the headers with addresses only X-Forwarded-For is read, and only as far as trusted
// proxies have written it. Forwarded (RFC 7239) is ignored: most gateways write one of
// the two and pass the other on as the client sent it, so reading both would let any
// client choose its address.
package clientip

import (
	"iter"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// maxHops is how many elements of X-Forwarded-For are read, from the right. No chain of
// trusted proxies is longer.
const maxHops = 32

// Proxies are the addresses of the trusted proxies.
type Proxies []netip.Prefix

// Trusts reports whether a peer, as in [http.Request.RemoteAddr], is one of them.
func (p Proxies) Trusts(remoteAddr string) bool {
	return len(p) > 0 && p.Contains(peer(remoteAddr))
}

// Client returns the address of the client: the first address that is not a trusted
// proxy's, starting at the peer and going on from the right of X-Forwarded-For. Whatever
// is left of it was written by a party that is not trusted. If a trusted proxy has added
// nothing, or something that is not an address, its own address is returned.
//
// The address has no zone, and an IPv4 address mapped to IPv6 is returned as IPv4. It is
// the zero Addr if the peer has no address, as on a Unix socket.
func (p Proxies) Client(r *http.Request) netip.Addr {
	client, hops := peer(r.RemoteAddr), 0
	if !p.Contains(client) {
		return client
	}
	for element := range backward(r.Header["X-Forwarded-For"]) {
		if hops++; hops > maxHops {
			break
		}
		if element == "" {
			continue // empty elements of a list are ignored (RFC 9110 5.6.1.2)
		}
		addr, ok := parse(element)
		if !ok {
			break
		}
		if client = addr; !p.Contains(client) {
			break
		}
	}
	return client
}

// Host returns the host that the client asked for, with its port: that of
// X-Forwarded-Host if a trusted proxy has sent it, and that of Host otherwise. It is
// empty if there is neither, as in HTTP/1.0. Of several hosts the last one counts: the
// proxy itself has added it, while the others may come from the client.
func (p Proxies) Host(r *http.Request) string {
	lines := r.Header["X-Forwarded-Host"]
	if len(lines) == 0 || !p.Trusts(r.RemoteAddr) {
		return r.Host
	}
	last := lines[len(lines)-1]
	host := strings.Trim(last[strings.LastIndexByte(last, ',')+1:], " \t")
	if u, err := url.Parse("//" + host); err != nil || host == "" || u.Host != host {
		return r.Host
	}
	return host
}

// Contains reports whether addr, without a zone and not mapped, is one of them.
func (p Proxies) Contains(addr netip.Addr) bool {
	for _, prefix := range p {
		if prefix.Contains(addr) {
			return true
		}
	}
	return false
}

// peer returns the address of the other end of the connection, or the zero Addr.
func peer(remoteAddr string) netip.Addr {
	peer, err := netip.ParseAddrPort(remoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return plain(peer.Addr())
}

// backward yields the elements of a list header, which may have several lines, from the
// last one to the first.
func backward(lines []string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, line := range slices.Backward(lines) {
			for more := true; more; {
				i := strings.LastIndexByte(line, ',')
				if !yield(strings.Trim(line[i+1:], " \t")) {
					return
				}
				if more = i >= 0; more {
					line = line[:i]
				}
			}
		}
	}
}

// parse returns the address in an element. Some gateways put an IPv6 address in brackets,
// or add the port of the client.
func parse(element string) (netip.Addr, bool) {
	if addr, err := netip.ParseAddr(element); err == nil {
		return plain(addr), true
	}
	if addr, err := netip.ParseAddrPort(element); err == nil {
		return plain(addr.Addr()), true
	}
	inner, ok := strings.CutPrefix(element, "[")
	inner, ok2 := strings.CutSuffix(inner, "]")
	addr, err := netip.ParseAddr(inner)
	return plain(addr), ok && ok2 && err == nil && addr.Is6()
}

// plain returns addr in the form that prefixes are compared with.
func plain(addr netip.Addr) netip.Addr { return addr.Unmap().WithZone("") }
