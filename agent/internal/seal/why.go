package seal

import (
	"bytes"
	"crypto/sha256"
)

// Why a value does not open, for [Ring.Told].
const (
	Malformed = "malformed" // nothing that any key has sealed
	Key       = "key"       // sealed by another key or for another purpose, or changed
	Expired   = "expired"
)

// fail tells the operator what the caller does not learn.
func (b *Box) fail(reason string) error {
	if b.told != nil {
		b.told(b.purpose, reason)
	}
	return ErrSealed
}

// wellFormed tells whether a value has the form of a sealed one: a time, a text
// and a MAC of 32 bytes, with a bar between them.
func (b *Box) wellFormed(sealed string) bool {
	raw, err := b.strict.DecodeString(sealed)
	if err != nil {
		return false
	}
	parts := bytes.SplitN(raw, []byte("|"), 3)
	return len(parts) == 3 && len(parts[2]) == sha256.Size
}
