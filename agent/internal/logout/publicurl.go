package logout

import (
	"net/http"
	"net/netip"
	"net/url"
	"strings"
)

// publicURL returns the origin under which the browser of a request reaches the agent.
// Where the page is of the same origin, Origin names it, whatever the gateways in
// between have made of Host; it was checked to be a trusted one.
func (h *Handlers) publicURL(r *http.Request) string {
	origin := r.Header.Get("Origin")
	site := r.Header["Sec-Fetch-Site"]
	if origin != "" && len(site) == 1 && site[0] == "same-origin" {
		return origin
	}
	if h.PublicURL != "" {
		return h.PublicURL
	}
	host := h.Proxies.Host(r)
	if host == "" { // HTTP/1.0 needs none
		return origin
	}
	if page, err := url.Parse(origin); err == nil && !mayBeSameSite(page.Hostname(), (&url.URL{Host: host}).Hostname()) {
		h.Log.WarnContext(r.Context(), "the logout URL is under a host that the page's browser cannot reach with its cookies: "+
			"set public_url, or let the gateway keep Host", "host", host, "origin", origin)
	}
	scheme := "http://"
	if h.Jar.Policy().Secure {
		scheme = "https://"
	}
	return scheme + host
}

// mayBeSameSite reports whether two hosts can be of one site, as cookies that are
// SameSite=Strict need. Public suffixes of more than one label are not known here, so it
// may be true for two sites.
func mayBeSameSite(a, b string) bool {
	if strings.EqualFold(a, b) {
		return true
	}
	return siteOf(a) != "" && strings.EqualFold(siteOf(a), siteOf(b))
}

// siteOf returns the last two labels of a name. It is empty for an address, and for a
// name of one label.
func siteOf(host string) string {
	if _, err := netip.ParseAddr(host); err == nil {
		return ""
	}
	labels := strings.Split(strings.TrimSuffix(host, "."), ".")
	if len(labels) < 2 {
		return ""
	}
	return strings.Join(labels[len(labels)-2:], ".")
}
