package session

import (
	"encoding/binary"
	"errors"
	"net/http"
	"time"

	"oauth-agent/agent/internal/seal"
)

// version is the first byte of every record. A release that changes the layout
// changes it, and older cookies count as logged out.
const version = 2

// header stands before the value in each cookie of a session.
type header struct {
	ID      [idSize]byte // of the session, random
	Started int64        // Unix time of the login, in seconds
	Issued  int64        // Unix time at which the access token was given
	Expiry  int64        // Unix time at which the access token expires; zero: unknown
}

// idSize is the size of a session identifier, in bytes.
const idSize = 16

const headerSize = 1 + idSize + 8 + 8 + 8

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
	return seal.Pack(b, value)
}

func readRecord(plain []byte) (h header, value []byte, err error) {
	fields, err := seal.Unpack(plain, 2)
	if err != nil {
		return h, nil, err
	}
	b := fields[0]
	if len(b) != headerSize || b[0] != version {
		return h, nil, errors.New("a record of another version")
	}
	copy(h.ID[:], b[1:17])
	h.Started = int64(binary.BigEndian.Uint64(b[17:25]))
	h.Issued = int64(binary.BigEndian.Uint64(b[25:33]))
	h.Expiry = int64(binary.BigEndian.Uint64(b[33:41]))
	return h, fields[1], nil
}

// draft collects headers until it is certain that all of them can be sent.
type draft http.Header

func (d draft) Header() http.Header         { return http.Header(d) }
func (d draft) Write(b []byte) (int, error) { return len(b), nil }
func (d draft) WriteHeader(int)             {}
