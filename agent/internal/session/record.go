package session

import (
	"encoding/binary"
	"errors"
	"net/http"
	"time"

	"oauth-agent/agent/internal/seal"
)

// version is the first byte of every record. Readers take a longer header than
// theirs, so that a release may add to it while older ones still run. One that
// changes what stands there changes the version, and reads the one before, so
// that nobody is logged out.
const version = 2

// firstVersion has neither Issued nor IDToken.
const firstVersion = 1

// header stands before the value in each cookie of a session.
type header struct {
	ID      [idSize]byte // of the session, random
	Started int64        // Unix time of the login, in seconds
	Issued  int64        // Unix time at which the access token was given; zero: unknown
	Expiry  int64        // Unix time at which the access token expires; zero: unknown
	IDToken idToken
}

// idToken is whether a session was ever given an ID token. It may have lost the
// cookie since.
type idToken byte

const (
	idTokenUnknown idToken = iota // begun by a build that did not keep it
	idTokenNone
	idTokenGiven
)

// idSize is the size of a session identifier, in bytes.
const idSize = 16

const (
	firstHeaderSize = 1 + idSize + 8 + 8
	headerSize      = 1 + idSize + 8 + 8 + 8 + 1
)

func (h header) started() time.Time { return time.Unix(h.Started, 0) }

func (h header) expiry() time.Time {
	if h.Expiry == 0 {
		return time.Time{}
	}
	return time.Unix(h.Expiry, 0)
}

// unix is t in seconds; zero for the zero time.
func unix(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix()
}

// record writes header and value as bytes: small, since a cookie is not.
func record(h header, value []byte) []byte {
	b := make([]byte, 0, headerSize)
	b = append(b, version)
	b = append(b, h.ID[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(h.Started))
	b = binary.BigEndian.AppendUint64(b, uint64(h.Issued))
	b = binary.BigEndian.AppendUint64(b, uint64(h.Expiry))
	b = append(b, byte(h.IDToken))
	return seal.Pack(b, value)
}

func readRecord(plain []byte) (h header, value []byte, err error) {
	fields, err := seal.Unpack(plain, 2)
	if err != nil {
		return h, nil, err
	}
	b := fields[0]
	number := func(at int) int64 { return int64(binary.BigEndian.Uint64(b[at:])) }
	switch {
	case len(b) == firstHeaderSize && b[0] == firstVersion:
		h = header{Started: number(17), Expiry: number(25)}
	case len(b) >= headerSize && b[0] == version:
		h = header{Started: number(17), Issued: number(25), Expiry: number(33), IDToken: idToken(b[41])}
	default:
		return h, nil, errors.New("a record of another version")
	}
	copy(h.ID[:], b[1:17])
	return h, fields[1], nil
}

// draft collects headers until it is certain that all of them can be sent.
type draft http.Header

func (d draft) Header() http.Header         { return http.Header(d) }
func (d draft) Write(b []byte) (int, error) { return len(b), nil }
func (d draft) WriteHeader(int)             {}
