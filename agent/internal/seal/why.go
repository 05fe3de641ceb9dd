package seal

import (
	"bytes"
	"crypto/sha256"
	"errors"
)

// Why a value does not open, for an operator.
const (
	Malformed = "malformed" // nothing that any key has sealed
	Key       = "key"       // sealed by another key or for another purpose, or changed
	Expired   = "expired"
)

// failure is an [ErrSealed] that keeps the reason to itself.
type failure struct{ reason string }

func (failure) Error() string        { return ErrSealed.Error() }
func (failure) Is(target error) bool { return target == ErrSealed }

// Why is the reason of an error of [Box.Open]. It is not for the client.
func Why(err error) string {
	var f failure
	errors.As(err, &f)
	return f.reason
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
