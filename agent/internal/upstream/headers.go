package upstream

import (
	"maps"
	"net/http"
	"slices"
	"strings"
)

// Names are compared as a CGI or WSGI server does that turns every hyphen into
// an underscore: X_Forwarded_For is then the same variable as X-Forwarded-For.

// isForwarding reports whether proxies say by a header where a request came from
// and what it asked for. Only trusted proxies are believed.
func isForwarding(name string) bool {
	return looksLike(name, "forwarded") || looksLike(name, "x-real-ip") ||
		looksLike(name, "x-forwarded") || beginsLike(name, "x-forwarded-")
}

// isRerouting reports whether a header makes some frameworks serve another path
// than the one in the request line, or is the one that CGI takes for a proxy
// setting (CVE-2016-5385).
func isRerouting(name string) bool {
	return looksLike(name, "x-original-url") || looksLike(name, "x-rewrite-url") || looksLike(name, "proxy")
}

// isTracing reports whether a header identifies a request or its trace: the agent
// sends upstreams its own.
func isTracing(name string) bool {
	return looksLike(name, "x-request-id") || looksLike(name, "traceparent") || looksLike(name, "tracestate")
}

// IsMethodOverride reports whether a header makes some frameworks see another
// method.
func IsMethodOverride(name string) bool {
	return looksLike(name, "x-http-method-override") || looksLike(name, "x-http-method") ||
		looksLike(name, "x-method-override")
}

// IsToken reports whether s is a token (RFC 9110 5.6.2), as methods and names of
// headers have to be. net/http checks that for HTTP/1.1, and not all of it for
// HTTP/2.
func IsToken(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(c rune) bool {
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
		return !letter && (c >= 0x80 || !strings.ContainsRune("!#$%&'*+-.^_`|~", c))
	})
}

// looksLike reports whether a header name is want, which is in lower case, and
// beginsLike whether it begins with it.
func looksLike(name, want string) bool { return len(name) == len(want) && beginsLike(name, want) }

func beginsLike(name, want string) bool {
	if len(name) < len(want) {
		return false
	}
	for i := range len(want) {
		if fold(name[i]) != want[i] {
			return false
		}
	}
	return true
}

// fold returns letters in lower case, and a hyphen for all but letters and digits.
func fold(c byte) byte {
	switch {
	case 'A' <= c && c <= 'Z':
		return c + 'a' - 'A'
	case 'a' <= c && c <= 'z', '0' <= c && c <= '9':
		return c
	}
	return '-'
}

// folded returns a name in the form that [looksLike] compares with.
func folded(name string) string {
	b := []byte(name)
	for i, c := range b {
		b[i] = fold(c)
	}
	return string(b)
}

// withoutCookies removes the agent's cookies from Cookie headers, and leaves the
// rest as it came. It returns nil if nothing is left.
func withoutCookies(lines []string, owns func(name string) bool) []string {
	var out []string
	for _, line := range lines {
		if line = withoutOwned(line, owns); line != "" {
			out = append(out, line)
		}
	}
	return out
}

func withoutOwned(line string, owns func(name string) bool) string {
	var kept []string
	for pair := range strings.SplitSeq(line, ";") {
		name, _, _ := strings.Cut(pair, "=")
		if !owns(strings.Trim(name, " \t")) {
			kept = append(kept, pair)
		}
	}
	return strings.Trim(strings.Join(kept, ";"), " \t")
}

// dropCookies removes the agent's cookies from the headers of a response.
func dropCookies(h http.Header, owns func(name string) bool) {
	lines, ok := h["Set-Cookie"]
	if !ok {
		return
	}
	lines = slices.DeleteFunc(lines, func(line string) bool { return owns(setCookieName(line)) })
	if len(lines) == 0 {
		delete(h, "Set-Cookie")
	} else {
		h["Set-Cookie"] = lines
	}
}

// setCookieName returns the name under which a browser will send a cookie back.
// A cookie without a name is sent as its bare value, which servers then read as
// name and value.
func setCookieName(line string) string {
	pair, _, _ := strings.Cut(line, ";")
	for pair = strings.Trim(pair, " \t"); strings.HasPrefix(pair, "="); {
		pair = strings.Trim(pair[1:], " \t")
	}
	name, _, _ := strings.Cut(pair, "=")
	return strings.Trim(name, " \t")
}

// dropClearing removes a header by which an upstream could end the session: it
// clears the cookies of the whole site.
func dropClearing(h http.Header) {
	for _, line := range h["Clear-Site-Data"] {
		if strings.Contains(line, "cookies") || strings.Contains(line, "*") {
			delete(h, "Clear-Site-Data")
			return
		}
	}
}

// dropCORS removes the upstream's own CORS headers: the agent decides which origins
// are trusted, and browsers ignore a second Access-Control-Allow-Origin and the
// first one with it.
func dropCORS(h http.Header) {
	for name := range h {
		if strings.HasPrefix(name, "Access-Control-") {
			delete(h, name)
		}
	}
}

// expose lets the page read the headers of a response whose body it may read
// anyway (Fetch, 3.3.4; "*" does not count for requests with cookies).
func expose(h http.Header) {
	var names []string
	for name := range h {
		switch name {
		case "Cache-Control", "Content-Language", "Content-Length", "Content-Type", "Expires", "Last-Modified", "Pragma":
			// Every page may read these.
		case "Set-Cookie", "Vary", "Date", "Connection", "Trailer":
			// No page can read these, or has a use for them.
		default:
			names = append(names, name)
		}
	}
	if len(names) > 0 {
		slices.Sort(names)
		h["Access-Control-Expose-Headers"] = []string{strings.Join(names, ", ")}
	}
}

// isCaching reports whether a header says how long a cache may keep a response:
// by the standard, or to one content delivery network in its place (RFC 9213).
func isCaching(name string) bool {
	switch name {
	case "Expires", "Pragma", "Surrogate-Control", "Edge-Control", "X-Accel-Expires":
		return true
	}
	return strings.HasSuffix(name, "Cache-Control")
}

// forbidStoring keeps a response that brings new cookies out of every cache, which
// would give them to the next user.
func forbidStoring(h http.Header) {
	maps.DeleteFunc(h, func(name string, _ []string) bool { return isCaching(name) })
	h["Cache-Control"] = []string{"private, no-store"}
}

// cleanInterim removes from an interim response what is not for the upstream to
// say, or is meant for the next hop only (RFC 9110 7.6.1).
func cleanInterim(h http.Header) {
	for _, line := range h["Connection"] {
		for name := range strings.SplitSeq(line, ",") {
			h.Del(strings.TrimSpace(name))
		}
	}
	maps.DeleteFunc(h, func(name string, _ []string) bool { return isHopByHop(name) })
	for _, name := range []string{"Content-Length", "Set-Cookie", "Clear-Site-Data", "X-Request-Id"} {
		delete(h, name)
	}
	dropCORS(h)
}

// isHopByHop reports whether a header is about a connection (RFC 9110 7.6.1).
func isHopByHop(name string) bool {
	switch name {
	case "Connection", "Keep-Alive", "Proxy-Authenticate", "Proxy-Authorization", "Proxy-Connection", "Te", "Trailer",
		"Transfer-Encoding", "Upgrade":
		return true
	}
	return false
}

// keepPrivate keeps a response out of shared caches unless the upstream allows
// storing it. That is the rule for requests with Authorization (RFC 9111 3.5),
// which a cache in front of the agent does not see.
func keepPrivate(h http.Header) {
	for _, line := range h["Cache-Control"] {
		for directive := range strings.SplitSeq(strings.ToLower(line), ",") {
			name, _, _ := strings.Cut(strings.TrimSpace(directive), "=")
			switch name {
			case "private", "no-store", "public", "s-maxage", "must-revalidate":
				return
			}
		}
	}
	h.Add("Cache-Control", "private")
}
