package pkceproxy

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"oauth-agent/agent/internal/oauthsyntax"
)

// redirectURIs are the registered redirect URIs.
//
// A URI from a request is never parsed to be compared: two parsers that
// disagree about a host are how codes end up elsewhere. It is compared as a
// string, and what was compared is what is redirected to (RFC 9700 4.1.3).
type redirectURIs struct {
	exact    map[string]bool
	loopback []loopbackURI
	origins  map[string]bool // of the http and https ones, for CORS
}

// loopbackURI is a URI on a loopback address. Native apps listen on whatever
// port is free, so it may differ (RFC 8252 7.3).
type loopbackURI struct{ beforePort, afterPort string }

func newRedirectURIs(uris []string) redirectURIs {
	list := redirectURIs{exact: map[string]bool{}, origins: map[string]bool{}}
	for _, uri := range uris {
		list.exact[uri] = true
		u, err := url.Parse(uri)
		if err != nil {
			continue // New has refused it
		}
		if u.Scheme == "http" || u.Scheme == "https" {
			list.origins[originOf(u)] = true
		}
		if isLoopback(u) {
			before := "http://" + strings.TrimSuffix(u.Host, ":"+u.Port())
			after := strings.TrimPrefix(uri[len("http://"):], u.Host)
			list.loopback = append(list.loopback, loopbackURI{before, after})
		}
	}
	return list
}

// allow tells whether uri is registered.
func (l redirectURIs) allow(uri string) bool {
	return l.exact[uri] || slices.ContainsFunc(l.loopback, func(r loopbackURI) bool {
		return anyPort(uri, r.beforePort, r.afterPort)
	})
}

// allowOrigin tells whether a page of origin belongs to a registered URI.
func (l redirectURIs) allowOrigin(origin string) bool {
	return l.origins[origin] || slices.ContainsFunc(l.loopback, func(r loopbackURI) bool {
		return anyPort(origin, r.beforePort, "")
	})
}

// anyPort tells whether s is before, a port or none, and after.
func anyPort(s, before, after string) bool {
	s, ok := strings.CutPrefix(s, before)
	if !ok {
		return false
	}
	s, ok = strings.CutSuffix(s, after)
	if !ok || s == "" {
		return ok
	}
	digits, ok := strings.CutPrefix(s, ":")
	port, err := strconv.ParseUint(digits, 10, 16)
	return ok && err == nil && port > 0 && strconv.FormatUint(port, 10) == digits
}

// isLoopback tells whether u names a loopback address. The name localhost is
// not one: it may resolve to another machine (RFC 8252 8.3), and is taken
// exactly as registered.
func isLoopback(u *url.URL) bool {
	addr, err := netip.ParseAddr(u.Hostname())
	return u.Scheme == "http" && err == nil && addr.IsLoopback()
}

// originOf serializes an origin as browsers do (RFC 6454 6.2).
func originOf(u *url.URL) string {
	host := strings.ToLower(u.Host)
	if u.Scheme == "https" {
		host = strings.TrimSuffix(host, ":443")
	} else {
		host = strings.TrimSuffix(host, ":80")
	}
	return u.Scheme + "://" + host
}

func checkRedirectURIs(uris []string) error {
	if len(uris) == 0 {
		return errors.New("allowed redirect URIs: there must be one")
	}
	var errs []error
	for _, uri := range uris {
		if fault := oauthsyntax.RedirectURIFault(uri); fault != "" {
			errs = append(errs, fmt.Errorf("allowed redirect URI %q: %s", uri, fault))
		}
	}
	return errors.Join(errs...)
}

// withQuery appends parameters to a URI that has no fragment. The URI stays as
// it is, byte for byte. A space becomes %20, since not every client takes + for
// one.
func withQuery(uri string, params url.Values) string {
	separator := "?"
	if strings.HasSuffix(uri, "?") || strings.HasSuffix(uri, "&") {
		separator = ""
	} else if strings.Contains(uri, "?") {
		separator = "&"
	}
	return uri + separator + strings.ReplaceAll(params.Encode(), "+", "%20")
}
