// Package secret holds the one type in which keys, tokens and client secrets
// travel through the program.
//
// A [String] prints as REDACTED wherever it is formatted, logged or encoded, so
// that a careless log line costs nothing. The value comes out of [String.Reveal]
// alone, a word that an auditor can search for.
package secret

import (
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"io"
	"log/slog"
)

const redacted = "REDACTED"

// String is a secret text. The zero value is the empty secret.
type String struct{ value string }

// New wraps s.
func New(s string) String { return String{s} }

// Reveal gives the value. Every call is a place where a secret leaves.
func (s String) Reveal() string { return s.value }

// Empty tells whether there is nothing to hide.
func (s String) Empty() bool { return s.value == "" }

// Equal compares in constant time, whatever the lengths.
func (s String) Equal(t String) bool {
	a, b := sha256.Sum256([]byte(s.value)), sha256.Sum256([]byte(t.value))
	return subtle.ConstantTimeCompare(a[:], b[:]) == 1
}

// String implements [fmt.Stringer].
func (s String) String() string { return redacted }

// GoString implements [fmt.GoStringer].
func (s String) GoString() string { return redacted }

// Format implements [fmt.Formatter], so that no verb reaches the field.
func (s String) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// MarshalText implements [encoding.TextMarshaler], for JSON, YAML and XML.
func (s String) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// UnmarshalText implements [encoding.TextUnmarshaler], for settings.
func (s *String) UnmarshalText(b []byte) error {
	s.value = string(b)
	return nil
}

// LogValue implements [slog.LogValuer].
func (s String) LogValue() slog.Value { return slog.StringValue(redacted) }
