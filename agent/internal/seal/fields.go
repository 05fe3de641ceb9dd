package seal

import (
	"encoding/binary"
	"errors"
)

// errFields is a record that Pack did not write.
var errFields = errors.New("malformed record")

// Pack writes fields one after the other, each behind its length: the smallest
// record that can be read back, since every byte costs 1.8 in a cookie.
func Pack(fields ...[]byte) []byte {
	size := 0
	for _, f := range fields {
		size += len(f) + binary.MaxVarintLen32
	}
	out := make([]byte, 0, size)
	for _, f := range fields {
		out = binary.AppendUvarint(out, uint64(len(f)))
		out = append(out, f...)
	}
	return out
}

// Unpack reads a record of exactly n fields.
func Unpack(record []byte, n int) ([][]byte, error) {
	fields := make([][]byte, 0, n)
	for len(fields) < n {
		size, used := binary.Uvarint(record)
		if used <= 0 || size > uint64(len(record)-used) {
			return nil, errFields
		}
		record = record[used:]
		fields = append(fields, record[:size:size])
		record = record[size:]
	}
	if len(record) != 0 {
		return nil, errFields
	}
	return fields, nil
}
