package config

import (
	"fmt"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"oauth-agent/agent/internal/oauthsyntax"
)

// urlRules are what a URL in the settings may look like.
type urlRules struct {
	insecure bool // http:// beyond loopback
	query    bool // may have a query
	metadata bool // may be that of a server's metadata
}

func (rules urlRules) check(ms *Mistakes, key, env, raw string) {
	u, err := url.Parse(raw)
	switch {
	case err != nil || !isWeb(u):
		ms.add(key, env, quote(raw)+" is not an absolute http(s) URL", "Write it in full, such as https://login.example.com/path.")
	case strings.ContainsFunc(raw, unicode.IsSpace):
		ms.add(key, env, "has a blank in it", "Remove it, or write %20 for one that belongs there.")
	case isMetadata(u) && !rules.metadata:
		ms.add(key, env, "is the address of a server's metadata", metadataRemedy(u))
	case u.User != nil:
		ms.add(key, env, "has a user name", "Remove what stands before the @.")
	case u.Fragment != "" || strings.HasSuffix(raw, "#"):
		ms.add(key, env, "has a fragment", "Remove what begins with #.")
	case u.RawQuery != "" && !rules.query:
		ms.add(key, env, "has a query", "Remove what begins with ?.")
	default:
		rules.checkScheme(ms, key, env, u)
	}
}

// metadataPaths returns where servers have their metadata (OpenID Connect Discovery
// 1.0 4.1, RFC 8414 3).
func metadataPaths() []string {
	return []string{"/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"}
}

func isMetadata(u *url.URL) bool {
	return slices.ContainsFunc(metadataPaths(), func(path string) bool { return strings.Contains(u.Path+"/", path+"/") })
}

// metadataRemedy derives the issuer from the address of its metadata: what is
// inserted in front of the issuer's path (RFC 8414 3.1) or added behind it.
func metadataRemedy(u *url.URL) string {
	issuer := *u
	issuer.RawQuery, issuer.Fragment = "", ""
	for _, path := range metadataPaths() {
		issuer.Path = strings.Replace(issuer.Path, path, "", 1)
	}
	issuer.RawPath = ""
	return "Set issuer (ISSUER) to what the metadata says is its issuer, probably " + quote(issuer.String()) + ": the rest is found from there."
}

func (rules urlRules) checkScheme(ms *Mistakes, key, env string, u *url.URL) {
	if u.Scheme == "http" && !rules.insecure && !oauthsyntax.Loopback(u.Hostname()) {
		ms.add(key, env, "http:// to "+u.Hostname()+" would send secrets in clear",
			"Use https://, or set insecure_http: true (INSECURE_HTTP=true) where the network is trusted.")
	}
}

// checkAuthorizationEndpoint looks for parameters that each request sets itself,
// and for those that are set besides.
func checkAuthorizationEndpoint(ms *Mistakes, key, env, raw string, besides ...string) {
	u, err := url.Parse(raw)
	if err != nil {
		return // told
	}
	if fault := oauthsyntax.AuthorizationEndpointFault(u, besides...); fault != "" {
		ms.add(key, env, fault, "Remove it from the query.")
	}
}

// isWeb tells an absolute http(s) URL, with a host and a port that exist.
func isWeb(u *url.URL) bool {
	_, err := strconv.ParseUint(u.Port(), 10, 16)
	return (u.Scheme == "http" || u.Scheme == "https") && u.Hostname() != "" && (u.Port() == "" || err == nil)
}

// quote shows a URL of the settings without what may be secret in it: what
// stands before an @, and the query. Where the one is in the other, a password
// may have a question mark, and nothing is shown.
func quote(raw string) string {
	shown, query, _ := strings.Cut(raw, "?")
	if strings.Contains(query, "@") {
		return strconv.Quote("…")
	}
	if i := strings.LastIndex(shown, "@"); i >= 0 {
		shown = "…" + shown[i:]
	}
	return strconv.Quote(shown)
}

// checkOrigin wants an origin spelled as a browser does, since it is compared
// byte by byte.
func checkOrigin(ms *Mistakes, key, env, raw string, insecure bool) {
	u, err := url.Parse(raw)
	if err != nil || !isWeb(u) {
		ms.add(key, env, quote(raw)+" is not a web origin", "Write scheme and host, such as https://www.example.com.")
		return
	}
	if strings.ContainsFunc(u.Host, func(r rune) bool { return r > unicode.MaxASCII }) {
		ms.add(key, env, quote(raw)+" is not how a browser writes that origin", "Write its host in Punycode, such as https://xn--mnchen-3ya.example.")
		return
	}
	if _, ok := browserHost(u.Hostname()); !ok {
		ms.add(key, env, quote(raw)+" is not how a browser writes that origin", "Name every host in full: there are no wildcards.")
		return
	}
	if want := serialiseOrigin(u); want != raw {
		ms.add(key, env, quote(raw)+" is not how a browser writes that origin", fmt.Sprintf("Write %q.", want))
		return
	}
	urlRules{insecure: insecure}.checkScheme(ms, key, env, u)
}

// serialiseOrigin is RFC 6454 6.2, for hosts that [browserHost] takes.
func serialiseOrigin(u *url.URL) string {
	host, _ := browserHost(u.Hostname())
	port := strings.TrimLeft(u.Port(), "0")
	if port == "" || u.Scheme == "http" && port == "80" || u.Scheme == "https" && port == "443" {
		if strings.Contains(host, ":") {
			host = "[" + host + "]"
		}
		return u.Scheme + "://" + host
	}
	return u.Scheme + "://" + net.JoinHostPort(host, port)
}

var plainPath = regexp.MustCompile(`^(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+$`)

// cleanPath wants a plain absolute path, and takes a slash at its end off.
func cleanPath(ms *Mistakes, key, env, path string) string {
	clean := strings.TrimSuffix(path, "/")
	if path == "/" {
		return path
	}
	if !plainPath.MatchString(clean) {
		ms.add(key, env, fmt.Sprintf("%q is not a plain absolute path", path), "Use one such as /oauth-agent, or /.")
	}
	return clean
}
