package spa

import (
	"regexp"
	"strings"
)

// hashed tells a file name with a hash of the content in it, as bundlers write
// them: name-<hash>.ext (Vite, esbuild, Angular), name.<hash>.ext (webpack),
// <hash>.ext of 16 hexadecimal digits or more (webpack's assets). HTML is an
// entrance, and never hashed.
//
// A hash is one of these:
//   - 8 hexadecimal digits or more, among them letters and digits by turns;
//   - 8 letters and digits or more that look random: runs of capitals, of small
//     letters (which may begin with a capital) and of digits are two characters
//     long or shorter on average;
//   - exactly 8 of those, '-' and '_', with a capital, a small letter and a digit.
//
// So it takes index-BkV3x9Qa.js and main.8f3c2a1b.js, and leaves
// Inter-SemiBold.woff2, icon-1024x1024.png, report-20240101.pdf and
// jquery-3.7.1.min.js alone.
func hashed(base string) bool {
	parts := strings.Split(base, ".")
	if ext := parts[len(parts)-1]; len(parts) < 2 || ext == "html" || ext == "htm" {
		return false
	}
	for i, part := range parts[:len(parts)-1] {
		if (i > 0 || len(part) >= 16 && hexadecimal.MatchString(part)) && isHash(part) {
			return true
		}
		for at := range len(part) {
			if at > 0 && part[at] == '-' && isHash(part[at+1:]) {
				return true
			}
		}
	}
	return false
}

var (
	hexadecimal = regexp.MustCompile(`^[0-9a-f]{8,}$`)
	alphanum    = regexp.MustCompile(`^[0-9A-Za-z]{8,}$`)
	base64url   = regexp.MustCompile(`^[0-9A-Za-z_-]{8}$`)
	run         = regexp.MustCompile(`[A-Z]?[a-z]+|[A-Z]+|[0-9]+`)
)

func isHash(token string) bool {
	const digits, small, capitals = "0123456789", "abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	has := func(set string) bool { return strings.ContainsAny(token, set) }
	runs := len(run.FindAllString(token, -1))
	switch {
	case !has(digits) || !has(small+capitals):
		return false
	case hexadecimal.MatchString(token):
		return runs >= 3
	case alphanum.MatchString(token):
		return 2*runs >= len(token)
	default:
		return base64url.MatchString(token) && has(small) && has(capitals) && 2*runs >= len(token)
	}
}
