package double

import (
	"bytes"
	"encoding/binary"
	"io"
)

// HTTP2 is an HTTP/2 client that does what it is told, and not what RFC 9113 wants of
// a good one. What it is told waits for [HTTP2.Send].
type HTTP2 struct {
	out    bytes.Buffer
	stream uint32
}

// NewHTTP2 begins a connection. Its streams have a window of that many bytes at first.
func NewHTTP2(window uint32) *HTTP2 {
	c := &HTTP2{stream: 1}
	c.out.WriteString("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
	c.frame(0x4, 0, 0, binary.BigEndian.AppendUint32([]byte{0, 4}, window)) // SETTINGS_INITIAL_WINDOW_SIZE
	c.frame(0x4, 1, 0, nil)                                                 // ACK of the server's
	return c
}

func (c *HTTP2) frame(kind, flags byte, stream uint32, payload []byte) {
	c.out.Write(binary.BigEndian.AppendUint32(nil, uint32(len(payload)))[1:])
	c.out.Write([]byte{kind, flags})
	c.out.Write(binary.BigEndian.AppendUint32(nil, stream))
	c.out.Write(payload)
}

// Request opens a stream with a header block, and ends its body or leaves it open.
func (c *HTTP2) Request(end bool, block []byte) {
	flags := byte(0x4) // END_HEADERS
	if end {
		flags |= 0x1 // END_STREAM
	}
	c.frame(0x1, flags, c.stream, block)
	c.stream += 2
}

// Data sends a part of the body of the request before.
func (c *HTTP2) Data(part []byte) { c.frame(0x0, 0, c.stream-2, part) }

// Send sends what waits.
func (c *HTTP2) Send(conn io.Writer) error {
	defer c.out.Reset()
	_, err := conn.Write(c.out.Bytes())
	return err
}

// Head is the header block (RFC 7541) of a request by https. Its fields are pairs of
// name and value that the connection does not remember.
func Head(method, path string, fields ...string) []byte {
	block := []byte{0x87} // :scheme https
	all := append([]string{":method", method, ":path", path, ":authority", "x"}, fields...)
	for i := 0; i < len(all); i += 2 {
		block = append(block, 0x00) // a literal that is not indexed
		block = text(text(block, all[i]), all[i+1])
	}
	return block
}

// Remembered is a field that the connection remembers, for [Again] to name. One alone
// is remembered at a time when name and value are more than 2 KB.
func Remembered(name, value string) []byte { return text(text([]byte{0x40}, name), value) }

// Again names the field that was remembered last, as many times.
func Again(times int) []byte { return bytes.Repeat([]byte{0x80 | 62}, times) }

// text appends a string: its length, an integer with a prefix of 7 bits (RFC 7541 5),
// and itself.
func text(block []byte, s string) []byte {
	n := len(s)
	if n < 0x7f {
		return append(append(block, byte(n)), s...)
	}
	block = append(block, 0x7f)
	for n -= 0x7f; n >= 0x80; n >>= 7 {
		block = append(block, byte(n)|0x80)
	}
	return append(append(block, byte(n)), s...)
}
