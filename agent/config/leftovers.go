package config

import (
	"reflect"
	"strings"

	"oauth-agent/agent/internal/oauthsyntax"
	"oauth-agent/agent/internal/secret"
)

// This file finds what came into a value on its way here: quotes that an env-file
// keeps, the line end of another system, a byte order mark. With it a secret looks
// right, and every login fails.

// leftover returns what stands at the ends of a value and is no part of it, and
// what to do about it; both are empty when there is nothing.
func leftover(text string) (reason, remedy string) {
	switch {
	case hasByteOrderMark(text):
		return "begins with a byte order mark", "Save it as UTF-8 without one."
	case strings.Trim(text, "\r\n") != text:
		return "has a line break at an end", `Remove it: the file may have the line ends of Windows, or the value a \n.`
	case inQuotes(text):
		return "is in quotes, which are taken for a part of it", "Remove them: an env-file has none around values."
	case strings.HasSuffix(text, `\n`) || strings.HasSuffix(text, `\r`):
		return "ends with a line break that is written out, as a backslash and a letter", "Remove both characters."
	}
	return "", ""
}

func hasByteOrderMark(text string) bool {
	return strings.HasPrefix(text, "\ufeff") || strings.HasPrefix(text, "\xff\xfe") || strings.HasPrefix(text, "\xfe\xff")
}

func inQuotes(text string) bool {
	last := len(text) - 1
	return last > 0 && text[0] == text[last] && strings.ContainsRune(`"'`, rune(text[0]))
}

// clientFault returns what an id or a secret has that no authorization server
// gives out (RFC 6749 A.1, A.2).
func clientFault(text string) (reason, remedy string) {
	reason, remedy = leftover(text)
	switch {
	case reason != "":
		return reason, remedy
	case strings.TrimSpace(text) != text:
		return "has a blank at an end", "Remove it."
	case !oauthsyntax.Printable(text):
		return "has a character beyond printable ASCII", "Copy it once more from the authorization server: ids and secrets have no others (RFC 6749 A)."
	}
	return "", ""
}

// addFault adds what one of the functions above has found.
func (ms *Mistakes) addFault(key, env, reason, remedy string) {
	if reason != "" {
		ms.add(key, env, reason, remedy)
	}
}

// takeLeftovers adds what the variables of the settings have left over, and takes
// it off, so that the rest of them can be checked for other mistakes.
func takeLeftovers(vars map[string]string, ms *Mistakes) {
	for _, s := range settings(reflect.TypeFor[Config](), "") {
		text := vars[s.env]
		if strings.HasPrefix(s.key, "pkce_proxy.") && isRawKey(text) {
			continue // any bytes
		}
		if s.isList() {
			text = strings.TrimSpace(text) // as its items are
		}
		if reason, remedy := leftover(text); reason != "" {
			ms.add(s.key, s.env, reason, remedy)
			vars[s.env] = withoutLeftovers(text)
		}
	}
}

func withoutLeftovers(text string) string {
	for _, mark := range []string{"\ufeff", "\xff\xfe", "\xfe\xff"} {
		text = strings.TrimPrefix(text, mark)
	}
	text = strings.Trim(text, "\r\n\"'")
	return strings.TrimSuffix(strings.TrimSuffix(text, `\n`), `\r`)
}

// isRawKey reports whether text is a key of the PKCE proxy.
func isRawKey(text string) bool {
	_, err := RawKey(secret.New(text))
	return err == nil
}
