package apiproxy

import (
	"maps"
	"net/http"
	"slices"
	"strings"
)

// Names are compared as a CGI or WSGI server does that turns every hyphen into
// an underscore: X_Forwarded_For is then the same variable as X-Forwarded-For.

// forwarding are the headers by which proxies tell who asked, and for what.
// Only a trusted proxy is believed.
func isForwarding(name string) bool {
	return looksLike(name, "forwarded") || looksLike(name, "x-real-ip") ||
		looksLike(name, "x-forwarded") || beginsLike(name, "x-forwarded-")
}

// isRerouting tells the headers that make some frameworks serve another path
// than the one that was asked for, and the one that CGI takes for a proxy
// setting (CVE-2016-5385).
func isRerouting(name string) bool {
	return looksLike(name, "x-original-url") || looksLike(name, "x-rewrite-url") || looksLike(name, "proxy")
}

// isTracing tells the headers by which a request is followed: those of the
// upstream's are ours.
func isTracing(name string) bool {
	return looksLike(name, "x-request-id") || looksLike(name, "traceparent") || looksLike(name, "tracestate")
}

// isOverride tells the headers that make some frameworks see another method.
func isOverride(name string) bool {
	return looksLike(name, "x-http-method-override") || looksLike(name, "x-http-method") ||
		looksLike(name, "x-method-override")
}

// isToken reports whether s is a token (RFC 9110 5.6.2), as a method has to be.
// HTTP/1.1 cannot bring another one, HTTP/2 can.
func isToken(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(c rune) bool {
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
		return !letter && (c >= 0x80 || !strings.ContainsRune("!#$%&'*+-.^_`|~", c))
	})
}

// looksLike compares a header name with one in lower case, and beginsLike its
// beginning.
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

// fold makes letters small, and a hyphen of all that is neither letter nor digit.
func fold(c byte) byte {
	switch {
	case 'A' <= c && c <= 'Z':
		return c + 'a' - 'A'
	case 'a' <= c && c <= 'z', '0' <= c && c <= '9':
		return c
	}
	return '-'
}

// folded is a name as [looksLike] wants it.
func folded(name string) string {
	b := []byte(name)
	for i, c := range b {
		b[i] = fold(c)
	}
	return string(b)
}

// withoutCookies takes those cookies out of Cookie headers that own names, and
// leaves the rest as it came. It gives nil when nothing is left.
func withoutCookies(lines []string, own func(name string) bool) []string {
	var out []string
	for _, line := range lines {
		if line = withoutOwn(line, own); line != "" {
			out = append(out, line)
		}
	}
	return out
}

func withoutOwn(line string, own func(name string) bool) string {
	var kept []string
	for pair := range strings.SplitSeq(line, ";") {
		name, _, _ := strings.Cut(pair, "=")
		if !own(strings.Trim(name, " \t")) {
			kept = append(kept, pair)
		}
	}
	return strings.Trim(strings.Join(kept, ";"), " \t")
}

// dropCookies takes those cookies out of an answer that own names.
func dropCookies(h http.Header, own func(name string) bool) {
	lines, ok := h["Set-Cookie"]
	if !ok {
		return
	}
	lines = slices.DeleteFunc(lines, func(line string) bool { return own(setCookieName(line)) })
	if len(lines) == 0 {
		delete(h, "Set-Cookie")
	} else {
		h["Set-Cookie"] = lines
	}
}

// setCookieName is the name under which a browser will send a cookie back. One
// without a name is sent as its bare value, which then reads as name and value.
func setCookieName(line string) string {
	pair, _, _ := strings.Cut(line, ";")
	for pair = strings.Trim(pair, " \t"); strings.HasPrefix(pair, "="); {
		pair = strings.Trim(pair[1:], " \t")
	}
	name, _, _ := strings.Cut(pair, "=")
	return strings.Trim(name, " \t")
}

// dropClearing takes out a header by which an upstream could end the session:
// it clears the cookies of the whole site.
func dropClearing(h http.Header) {
	for _, line := range h["Clear-Site-Data"] {
		if strings.Contains(line, "cookies") || strings.Contains(line, "*") {
			delete(h, "Clear-Site-Data")
			return
		}
	}
}

// dropCORS takes the upstream's own CORS headers out: whom we trust is decided
// here, and two Access-Control-Allow-Origin are none for a browser.
func dropCORS(h http.Header) {
	for name := range h {
		if strings.HasPrefix(name, "Access-Control-") {
			delete(h, name)
		}
	}
}

// expose lets the page read the headers of an answer whose body it may read
// anyway (Fetch, 3.3.4; "*" does not count for requests with cookies).
func expose(h http.Header) {
	var names []string
	for name := range h {
		switch name {
		case "Cache-Control", "Content-Language", "Content-Length", "Content-Type", "Expires", "Last-Modified", "Pragma":
			// Every page may.
		case "Set-Cookie", "Vary", "Date", "Connection", "Trailer":
			// No page can, or has a use for it.
		default:
			names = append(names, name)
		}
	}
	if len(names) > 0 {
		slices.Sort(names)
		h["Access-Control-Expose-Headers"] = []string{strings.Join(names, ", ")}
	}
}

// isCaching reports whether a header says how long a cache may keep an answer:
// by the standard, or to one content delivery network in its place (RFC 9213).
func isCaching(name string) bool {
	switch name {
	case "Expires", "Pragma", "Surrogate-Control", "Edge-Control", "X-Accel-Expires":
		return true
	}
	return strings.HasSuffix(name, "Cache-Control")
}

// forbidStoring keeps an answer that brings cookies of ours out of every cache,
// which would hand them to the next user.
func forbidStoring(h http.Header) {
	maps.DeleteFunc(h, func(name string, _ []string) bool { return isCaching(name) })
	h["Cache-Control"] = []string{"private, no-store"}
}

// cleanInterim takes out of an interim response what is not the upstream's to
// say, or is meant for the next hop alone (RFC 9110 7.6.1).
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

// keepPrivate restores what the cookie hides: a shared cache stores no answer
// to a request with Authorization unless the answer allows it (RFC 9111 3.5),
// and it does not see ours.
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
