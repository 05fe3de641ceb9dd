package login

import (
	"net/url"
	"strings"
)

// page is the URL of the SPA's page, and what an authorization server may have
// put into it (RFC 6749 4.1.2, RFC 9207).
//
// It is read leniently: the page is the application's own, and its query may
// hold what no parser of ours likes. That must not keep it from loading.
type page struct {
	location string // scheme, host and path in normal form
	state    string
	code     string
	err      string
	iss      string
	doubled  bool // one of the above stands there twice
}

// readPage takes pageUrl apart; ok is false for what is no http(s) URL.
func readPage(raw string) (p page, ok bool) {
	raw, _, _ = strings.Cut(raw, "#")
	base, query, _ := strings.Cut(raw, "?")
	p.location, ok = location(base)
	if !ok {
		return page{}, false
	}
	seen := map[string]bool{}
	for pair := range strings.SplitSeq(query, "&") {
		key, value, _ := strings.Cut(pair, "=")
		p.take(unescape(key), unescape(value), seen)
	}
	return p, true
}

// take keeps a parameter of the response. One given twice may mean two things
// to two readers, be it empty; alone, an empty one counts as absent (RFC 6749
// 3.1).
func (p *page) take(key, value string, seen map[string]bool) {
	target := map[string]*string{"state": &p.state, "code": &p.code, "error": &p.err, "iss": &p.iss}[key]
	if target == nil {
		return
	}
	if seen[key] {
		p.doubled = true
		if key == "state" {
			*target = "" // neither of the two decides
			return
		}
	}
	seen[key] = true
	if value != "" {
		*target = value
	}
}

// answered tells whether the page holds a response: a code or an error.
func (p page) answered() bool { return p.code != "" || p.err != "" }

// sound tells whether the response says one thing.
func (p page) sound() bool { return !p.doubled && (p.code == "") != (p.err == "") }

// location is scheme, host and path, as far as two spellings of one page go:
// case, default port, an empty path.
func location(base string) (string, bool) {
	scheme, rest, ok := strings.Cut(base, "://")
	scheme = strings.ToLower(scheme)
	if !ok || scheme != "http" && scheme != "https" {
		return "", false
	}
	host, path, _ := strings.Cut(rest, "/")
	host = strings.ToLower(host)
	if host == "" || strings.ContainsAny(host, " \t\r\n\\") {
		return "", false
	}
	defaultPort := map[string]string{"http": ":80", "https": ":443"}[scheme]
	return scheme + "://" + strings.TrimSuffix(host, defaultPort) + "/" + path, true
}

// unescape decodes a query component, or leaves one alone that cannot be.
func unescape(s string) string {
	if text, err := url.QueryUnescape(s); err == nil {
		return text
	}
	return s
}
