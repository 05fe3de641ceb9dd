package apiproxy

import (
	"errors"
	"iter"
	"net/url"
	"slices"
	"strings"
)

// sentPath returns the path of a request in the bytes in which it came. EscapedPath
// alone does not: where a path has a character that Go would have encoded, it
// encodes the decoded path anew, and a %2F has become a slash.
func sentPath(u *url.URL) string {
	if u.RawPath != "" {
		return u.RawPath
	}
	return u.EscapedPath()
}

// What a path must not have, in any reading of it.
var (
	errDots      = errors.New("it has a dot segment")
	errBackslash = errors.New("it has a backslash")
	errNUL       = errors.New("it has a NUL")
	errFragment  = errors.New("it has a fragment")
	errOverlong  = errors.New("it has an overlong encoding")
)

// checkPath refuses a path that some server could take for another one. It is
// read as it came, decoded once, and decoded twice: proxies and frameworks
// behind us do either.
func checkPath(path string) error {
	if isPlain(path) {
		return nil
	}
	if strings.Contains(path, "#") {
		return errFragment // never sent by a client; servers disagree about where the path ends
	}
	for view := range views(path) {
		if err := checkView(view); err != nil {
			return err
		}
	}
	return nil
}

// isPlain reports, at little cost, whether nothing in a path can be refused.
func isPlain(path string) bool {
	for i := range len(path) {
		switch c := path[i]; {
		case c == '.' && (i == 0 || path[i-1] == '/' || path[i-1] == ';'):
			return false
		case c == '%' || c == '\\' || c == '#' || c < ' ' || c >= 0x7f:
			return false
		}
	}
	return true
}

// views yields the readings of a path.
func views(path string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for range 3 {
			if !yield(path) {
				return
			}
			decoded := decode(path)
			if decoded == path {
				return
			}
			path = decoded
		}
	}
}

func checkView(view string) error {
	switch {
	case strings.Contains(view, `\`):
		return errBackslash
	case strings.Contains(view, "\x00"):
		return errNUL
	case hasOverlong(view):
		return errOverlong
	}
	// Java servers remove the parameters of a segment before they resolve it, and
	// for other servers a semicolon may end a segment; a decoded '?' or '#' may end
	// the path for a server that parses it again.
	for part := range strings.FieldsFuncSeq(view, func(r rune) bool { return r == '/' || r == ';' }) {
		name := part
		if i := strings.IndexAny(part, "?#"); i >= 0 {
			name = part[:i]
		}
		if name == "." || name == ".." {
			return errDots
		}
	}
	return nil
}

// hasOverlong reports whether there is UTF-8 that is longer than it has to be, which
// older decoders read as the ASCII character that it hides: C0 AE is a dot.
func hasOverlong(s string) bool {
	for i := range len(s) - 1 {
		switch lead, next := s[i], s[i+1]; {
		case next < 0x80 || next >= 0xC0:
		case lead == 0xC0, lead == 0xC1, lead == 0xE0 && next < 0xA0, lead == 0xF0 && next < 0x90:
			return true
		}
	}
	return false
}

// decode removes one layer of percent-encoding, and leaves invalid encodings as they
// are.
func decode(s string) string {
	if !strings.Contains(s, "%") {
		return s
	}
	var b strings.Builder
	b.Grow(len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			hi, lo := unhex(s[i+1]), unhex(s[i+2])
			if hi >= 0 && lo >= 0 {
				b.WriteByte(byte(hi<<4 | lo))
				i += 2
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

func unhex(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c && c <= 'f':
		return int(c-'a') + 10
	case 'A' <= c && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

// maxReadings bounds the readings of one path that are looked at.
const maxReadings = 128

// readings returns what servers may make of a path: any of them decodes it up to
// twice, with or without the slashes, and before, between and after that does
// some of the simplifications. It returns false if there are too many.
func readings(path string) ([]string, bool) {
	var all []string
	add := func(reading string) {
		if !slices.Contains(all, reading) {
			all = append(all, reading)
		}
	}
	add(path)
	for decoded, first := 0, 0; ; decoded++ {
		for i := first; i < len(all); i++ {
			for _, simplify := range simplifications() {
				add(simplify(all[i]))
			}
			if len(all) > maxReadings {
				return nil, false
			}
		}
		if decoded == 2 {
			return all, true
		}
		last := all[first:]
		first = len(all)
		for _, reading := range last {
			add(decode(reading))
			add(decodeSegments(reading))
		}
	}
}

// simplifications returns what servers do to a path beside decoding it.
func simplifications() []func(string) string {
	return []func(string) string{
		func(path string) string { return cut(path, "?") },
		func(path string) string { return cut(path, "#") },
		func(path string) string { return cut(path, ";") },
		withoutParameters,
		mergeSlashes,
	}
}

func cut(path, end string) string {
	path, _, _ = strings.Cut(path, end)
	return path
}

// withoutParameters removes the parameters of every segment (RFC 3986 3.3).
func withoutParameters(path string) string {
	if !strings.Contains(path, ";") {
		return path
	}
	segments := strings.Split(path, "/")
	for i, segment := range segments {
		segments[i] = cut(segment, ";")
	}
	return strings.Join(segments, "/")
}

func mergeSlashes(path string) string {
	for strings.Contains(path, "//") {
		path = strings.ReplaceAll(path, "//", "/")
	}
	return path
}

// decodeSegments is [decode] as of a server that leaves encoded slashes alone.
func decodeSegments(path string) string {
	const slash = "%2F"
	parts := strings.Split(strings.ReplaceAll(path, "%2f", slash), slash)
	for i, part := range parts {
		parts[i] = decode(part)
	}
	return strings.Join(parts, slash)
}

// foldCase returns a path as servers see it that ignore case, Java's among them: a
// long s and a dotless i are then those of ASCII.
func foldCase(path string) string { return strings.ToLower(strings.ToUpper(path)) }

// escapeRest encodes what must not be in a path and leaves the rest, so that Go
// sends these very bytes: it accepts a RawPath only without such characters.
func escapeRest(path string) string {
	const hex = "0123456789ABCDEF"
	if !strings.ContainsFunc(path, func(r rune) bool { return !isPathRune(r) }) {
		return path
	}
	var b strings.Builder
	for i := range len(path) {
		if c := path[i]; isPathRune(rune(c)) {
			b.WriteByte(c)
		} else {
			b.Write([]byte{'%', hex[c>>4], hex[c&15]})
		}
	}
	return b.String()
}

// isPathRune reports whether r is a pchar of RFC 3986 3.3, a slash, a percent sign,
// or a bracket, which Go sends too.
func isPathRune(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' ||
		r < 0x80 && strings.IndexByte("-._~!$&'()*+,;=:@/%[]", byte(r)) >= 0
}

// plainQuery reports whether a query can be part of a request line. HTTP/1.1 cannot
// bring any other, HTTP/2 could.
func plainQuery(query string) bool {
	for i := range len(query) {
		if c := query[i]; c <= ' ' || c == 0x7f || c == '#' {
			return false
		}
	}
	return true
}
