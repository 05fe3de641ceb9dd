package upstream

import (
	"encoding/binary"
	"net"
	"sync"
	"time"
)

// CloseExpired is the code with which a WebSocket is closed whose access token
// has expired (RFC 6455 7.4.2, private use). A page can read it, refresh, and
// connect again.
const CloseExpired = 4401

// closeTime is how long the closing handshake may take.
const closeTime = 5 * time.Second

// closeFrame returns the frame with that code (RFC 6455 5.5.1).
func closeFrame() []byte {
	const reason = "token_expired"
	frame := []byte{0x88, 2 + byte(len(reason))}
	return append(binary.BigEndian.AppendUint16(frame, CloseExpired), reason...)
}

// socket is the client's end of a WebSocket. Bytes pass as they are until its
// time is over; then it sends a close frame after the frame that is being sent.
// The client's own close frame goes to the upstream, which learns of the end by it.
type socket struct {
	net.Conn

	mu    sync.Mutex
	timer *time.Timer
	sent  frames // where the client is in the stream
	over  bool   // time is over
	done  bool   // the close frame was sent
}

func newSocket(conn net.Conn, left time.Duration) *socket {
	s := &socket{Conn: conn}
	s.timer = time.AfterFunc(left, s.expire)
	return s
}

// expire closes the socket: in an orderly way if the client takes part, and after
// closeTime in any case.
func (s *socket) expire() {
	_ = s.SetWriteDeadline(time.Now().Add(closeTime)) // a Write may hang and hold the lock
	time.AfterFunc(closeTime, func() { _ = s.Conn.Close() })
	s.mu.Lock()
	defer s.mu.Unlock()
	s.over = true
	if s.sent.atBoundary() {
		s.sendClose()
	}
}

func (s *socket) sendClose() {
	s.done = true
	_, _ = s.Conn.Write(closeFrame())
	if c, ok := s.Conn.(interface{ CloseWrite() error }); ok {
		_ = c.CloseWrite()
	}
}

// Write sends what comes from the upstream. After the close frame all is dropped:
// nothing may follow it.
func (s *socket) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.done {
		return len(p), nil
	}
	last := p
	if s.over {
		last = p[:s.sent.rest(p)]
	} else {
		s.sent.skip(p)
	}
	if n, err := s.Conn.Write(last); err != nil {
		return n, err
	}
	if s.over && s.sent.atBoundary() {
		s.sendClose()
	}
	return len(p), nil
}

// Close implements [net.Conn].
func (s *socket) Close() error {
	s.timer.Stop()
	return s.Conn.Close()
}

// CloseWrite ends what is sent to the client when the upstream has ended.
func (s *socket) CloseWrite() error {
	if c, ok := s.Conn.(interface{ CloseWrite() error }); ok {
		return c.CloseWrite()
	}
	return s.Conn.Close()
}

// frames follows a stream of WebSocket frames (RFC 6455 5.2) to know where each
// ends.
type frames struct {
	head    [14]byte
	have    int    // bytes of head that have come
	payload uint64 // bytes still to come
}

func (f *frames) atBoundary() bool { return f.have == 0 && f.payload == 0 }

// skip moves past p.
func (f *frames) skip(p []byte) {
	for len(p) > 0 {
		p = p[f.rest(p):]
	}
}

// rest moves to the end of the current frame or of p, whichever is first, and
// returns how many bytes that were.
func (f *frames) rest(p []byte) int {
	n := 0
	for n < len(p) && f.payload == 0 {
		f.head[f.have] = p[n]
		f.have++
		n++
		if f.have == f.headSize() {
			f.payload = f.payloadSize()
			f.have = 0
			if f.payload == 0 {
				return n
			}
		}
	}
	body := min(uint64(len(p)-n), f.payload)
	f.payload -= body
	return n + int(body)
}

// headSize returns the size of the header, as far as it is known.
func (f *frames) headSize() int {
	size := 2
	if f.have < size {
		return size
	}
	switch f.head[1] & 0x7f {
	case 126:
		size += 2
	case 127:
		size += 8
	}
	if f.head[1]&0x80 != 0 {
		size += 4 // masked
	}
	return size
}

func (f *frames) payloadSize() uint64 {
	switch n := f.head[1] & 0x7f; n {
	case 126:
		return uint64(binary.BigEndian.Uint16(f.head[2:]))
	case 127:
		return binary.BigEndian.Uint64(f.head[2:])
	default:
		return uint64(n)
	}
}
