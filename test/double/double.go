// Package double has what stands in for something else in the tests of every room: a
// clock, a log, a client that takes nothing.
package double

import (
	"bytes"
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
// bodies through: its streams have a window of 0 bytes (RFC 9113 6.5.2). conn is a
// connection for h2, and still to be read.
func Deaf(conn io.Writer, path string, times int) error {
	c := NewHTTP2(0)
	for range times {
		c.Request(true, Head("GET", path))
	}
	return c.Send(conn)
}
