// Package double has what stands in for something else in the tests of every room: a
// clock, a log, a client that takes nothing.
package double

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"sync"
	"time"
)

// Clock is a time that stands still until it is moved.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// NewClock makes one that shows start.
func NewClock(start time.Time) *Clock { return &Clock{now: start} }

// Now is what it shows.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Add moves it, back too.
func (c *Clock) Add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// Log is a text that can be read while many write it. The zero value is empty.
type Log struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

// Write implements [io.Writer].
func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

// String is what was written so far.
func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// Deaf asks over HTTP/2 for a path, as many times at once, and lets nothing of the
// bodies through: its streams have a window of 0 bytes (RFC 9113 6.5.2). Paths have up
// to 126 bytes. conn is a connection for h2, and still to be read.
func Deaf(conn io.Writer, path string, times int) error {
	const settings, headers, ack, endOfAll = 4, 1, 1, 5
	out := bytes.NewBufferString("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
	frame := func(kind, flags byte, stream uint32, payload string) {
		out.Write(binary.BigEndian.AppendUint32(nil, uint32(len(payload)))[1:])
		out.Write([]byte{kind, flags})
		out.Write(binary.BigEndian.AppendUint32(nil, stream))
		out.WriteString(payload)
	}
	frame(settings, 0, 0, "\x00\x04\x00\x00\x00\x00") // SETTINGS_INITIAL_WINDOW_SIZE
	frame(settings, ack, 0, "")                       // those of the server
	for i := range times {
		// GET, https, path and authority (RFC 7541 6 and A).
		frame(headers, endOfAll, uint32(2*i+1), fmt.Sprintf("\x82\x87\x04%c%s\x01\x01x", len(path), path))
	}
	_, err := conn.Write(out.Bytes())
	return err
}
