package observe

import (
	"encoding/binary"
	"encoding/hex"
	"math/rand/v2"
	"net/http"
)

// maxRequestID is the longest identifier that is taken from a proxy.
const maxRequestID = 128

// requestID is the identifier of a request: what a trusted proxy says, where it
// says one thing that can stand in any log and header, or else a random one. It
// names a request and proves nothing, so that it need not be hard to guess.
func requestID(h http.Header, trusted bool) string {
	if told := h["X-Request-Id"]; trusted && len(told) == 1 && plainID(told[0]) {
		return told[0]
	}
	var b [16]byte
	binary.NativeEndian.PutUint64(b[:8], rand.Uint64())
	binary.NativeEndian.PutUint64(b[8:], rand.Uint64())
	var text [32]byte
	hex.Encode(text[:], b[:])
	return string(text[:])
}

func plainID(id string) bool {
	for i := range len(id) {
		c := id[i]
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '.', c == '_', c == '-':
		default:
			return false
		}
	}
	return len(id) >= 1 && len(id) <= maxRequestID
}
