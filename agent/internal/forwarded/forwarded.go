// Package forwarded tells who sent a request, where proxies are in front.
//
// Of addresses only X-Forwarded-For is read, and only as far as those in it are
// trusted proxies'. Forwarded (RFC 7239) is not: most gateways write the one
// and pass the other on as the client sent it, so whoever believed either would
// believe the client.
package forwarded

import (
	"iter"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// maxHops is how many elements of X-Forwarded-For are looked at, from the right.
// Longer chains of trusted proxies do not exist.
const maxHops = 32

// Proxies are the addresses of the proxies in front whose word is taken.
type Proxies []netip.Prefix

// Trusts tells whether a peer, as in [http.Request.RemoteAddr], is one of them.
func (p Proxies) Trusts(remoteAddr string) bool {
	return len(p) > 0 && p.Contains(peer(remoteAddr))
}

// Client is the address of the client: the first one, from the peer on and then
// from the right of X-Forwarded-For, that is not a trusted proxy's. What stands
// left of it was written by somebody who is not trusted. Where a proxy says
// nothing, or nothing that is an address, it is that proxy's own.
//
// It is an address without zone, and IPv4 wherever it can be; the zero Addr where
// the peer has none, as with Unix sockets.
func (p Proxies) Client(r *http.Request) netip.Addr {
	client, hops := peer(r.RemoteAddr), 0
	if !p.Contains(client) {
		return client
	}
	for element := range fromTheRight(r.Header["X-Forwarded-For"]) {
		if hops++; hops > maxHops {
			break
		}
		if element == "" {
			continue // counts for nothing in a list (RFC 9110 5.6.1.2)
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

// Host is the host that the client asked for, with its port: what X-Forwarded-Host
// of a trusted proxy says, and Host otherwise; empty where there is neither, as
// in HTTP/1.0. Of several hosts the last one is what that proxy itself has added;
// the others may be the client's.
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

// Contains tells whether an address, in its plain spelling, is one of them.
func (p Proxies) Contains(addr netip.Addr) bool {
	for _, prefix := range p {
		if prefix.Contains(addr) {
			return true
		}
	}
	return false
}

// peer is the address of the other side of the connection.
func peer(remoteAddr string) netip.Addr {
	peer, err := netip.ParseAddrPort(remoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return plain(peer.Addr())
}

// fromTheRight gives the elements of a list in several lines, the last one first.
func fromTheRight(lines []string) iter.Seq[string] {
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

// parse reads an element: an address, which some gateways put in brackets, or
// write with the client's port.
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

// plain is one spelling of an address, as prefixes want it.
func plain(addr netip.Addr) netip.Addr { return addr.Unmap().WithZone("") }
