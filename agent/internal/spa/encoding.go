package spa

import (
	"slices"
	"strconv"
	"strings"
)

// encoding is one that the build may have made.
type encoding struct {
	name, suffix string
}

// encodings lists those that a client takes, the best one first, and the file as
// it is last: that one is sent even to a client which refuses it, as RFC 9110
// 12.5.3 allows.
func encodings(accept []string) []encoding {
	br, gzip := quality(accept, true, "br"), quality(accept, true, "gzip", "x-gzip")
	// Only if it is named: else what the client takes is better than the file.
	identity := quality(accept, false, "identity")
	var out []encoding
	if br > 0 && br >= identity {
		out = append(out, encoding{"br", ".br"})
	}
	if gzip > 0 && gzip >= identity {
		out = append(out, encoding{"gzip", ".gz"})
	}
	if len(out) == 2 && gzip > br {
		out[0], out[1] = out[1], out[0]
	}
	return append(out, encoding{})
}

// quality is the weight of a coding, by one of its names or else, if rest says so,
// by "*"; 0 where neither is there.
func quality(accept []string, rest bool, names ...string) float64 {
	others := 0.0
	for item := range strings.SplitSeq(strings.Join(accept, ","), ",") {
		name, params, _ := strings.Cut(item, ";")
		name = strings.ToLower(strings.TrimSpace(name))
		if slices.Contains(names, name) {
			return weight(params)
		}
		if rest && name == "*" {
			others = weight(params)
		}
	}
	return others
}

// weight reads ";q=…" (RFC 9110 12.4.2); what is no weight is 0.
func weight(params string) float64 {
	name, value, found := strings.Cut(strings.TrimSpace(params), "=")
	if !found {
		return 1
	}
	q, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
	if !strings.EqualFold(strings.TrimSpace(name), "q") || err != nil || !(q >= 0 && q <= 1) {
		return 0
	}
	return q
}
