package apiproxy

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// Why an upload was given up.
var (
	errSlowClient   = errors.New("the client stopped sending")
	errSlowUpstream = errors.New("the upstream stopped reading")
)

// maxTrickle bounds, in time-outs, how long a body may take that never quite
// stops. minRate, in bytes a second, prolongs that for large ones.
const (
	maxTrickle = 10
	minRate    = 1024
)

// lingerTime is how long the rest of a body that nobody wants may still come,
// so that the client gets to read the answer.
const lingerTime = time.Second

func linger(c *http.ResponseController) { _ = c.SetReadDeadline(time.Now().Add(lingerTime)) }

// upload is the body of a request on its way up, watched for progress: neither
// a client that stops sending nor an upstream that stops reading holds the
// connection for ever. It also hands on the trailers, which the client sends
// behind the body. A nil upload is a request without a body.
type upload struct {
	body    io.Reader
	control *http.ResponseController
	timeout time.Duration
	cancel  context.CancelCauseFunc
	http1   bool

	inRead sync.Mutex // held while the client is read from
	closed atomic.Bool

	mu      sync.Mutex
	timer   *time.Timer // nil when no longer watched
	begun   time.Time
	size    int64 // bytes read
	reading bool  // waiting for the client
	ended   bool  // read to its end
	err     error // of the client's side

	in, out http.Header // trailers
}

// watchUpload gives the request with its body watched.
func (x *exchange) watchUpload(w http.ResponseWriter) *http.Request {
	ctx, cancel := context.WithCancelCause(x.in.Context())
	b := &upload{
		body: x.in.Body, control: http.NewResponseController(w),
		timeout: x.route.Timeout, cancel: cancel, in: x.in.Trailer, http1: x.in.ProtoMajor == 1,
	}
	b.begun = time.Now()
	b.mu.Lock() // it may fire at once
	b.timer = time.AfterFunc(b.timeout, b.giveUp)
	b.mu.Unlock()
	x.body = b
	r := x.in.WithContext(ctx)
	r.Body = b
	return r
}

// Read notes which side is waited for.
func (b *upload) Read(p []byte) (int, error) {
	b.inRead.Lock()
	defer b.inRead.Unlock()
	if b.closed.Load() {
		return 0, http.ErrBodyReadAfterClose
	}
	b.note(0, true, nil)
	n, err := b.body.Read(p)
	if err == io.EOF {
		for name := range b.out {
			b.out[name] = b.in[name]
		}
	}
	b.note(n, false, err)
	return n, err
}

func (b *upload) note(n int, reading bool, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.size += int64(n)
	b.reading = reading
	switch err {
	case nil:
	case io.EOF:
		b.ended = true
	default:
		b.err = err
	}
	if b.timer != nil {
		b.timer.Reset(min(b.timeout, b.left()))
	}
}

// left is how long the whole body may still take.
func (b *upload) left() time.Duration {
	allowed := maxTrickle*b.timeout + time.Duration(b.size/minRate)*time.Second
	return allowed - time.Since(b.begun)
}

// Close ends the reading for good. What is left is the server's to read: it does
// so for a while, that the client may see the answer, but not from a body that
// somebody else has closed.
func (b *upload) Close() error {
	b.closed.Store(true)
	return nil
}

// giveUp ends a request that makes no progress. The timer may have fired just before
// it was stopped: then nobody waits any more, and the answer may be over.
func (b *upload) giveUp() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.timer == nil {
		return
	}
	if !b.reading {
		b.cancel(errSlowUpstream)
		return
	}
	b.cancel(errSlowClient)
	_ = b.control.SetReadDeadline(time.Unix(1, 0))
}

// begin is called when the answer begins, which may then take its time.
//
// Where the body is still coming, HTTP/1.1 needs to be told to go on reading
// it, and the connection ends with the exchange: net/http would read the rest
// of the body and the next request at the same time.
func (b *upload) begin(res *http.Response) {
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.unwatch()
	if !b.ended && b.http1 && b.control.EnableFullDuplex() == nil {
		res.Header.Set("Connection", "close")
	}
}

// abandon bounds the time in which the server reads what is left of the body.
// With the body at its end there is nothing to bound, and the server's own
// reading would be disturbed. One that is too large is at its end for us alone.
func (b *upload) abandon() {
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.unwatch()
	var tooLarge *http.MaxBytesError
	if !b.ended && (b.err == nil || errors.As(b.err, &tooLarge)) {
		linger(b.control)
	}
}

// end is called when the exchange is over.
func (b *upload) end() {
	if b == nil {
		return
	}
	b.abandon()
	b.cancel(nil)
	_ = b.Close()
	if b.http1 {
		b.awaitRead()
	}
}

// awaitRead waits for the transport, which may still be reading when it has given
// the answer. The server would break that read off, not know how much is left of
// the body, and reset the connection before the client has seen the answer.
func (b *upload) awaitRead() {
	if !b.inRead.TryLock() {
		_ = b.control.Flush()
		b.inRead.Lock()
	}
	b.inRead.Unlock()
}

func (b *upload) unwatch() {
	if b.timer != nil {
		b.timer.Stop()
		b.timer = nil
	}
}

// clientError is what broke on the client's side, or nil.
func (b *upload) clientError() error {
	if b == nil {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.err
}

// announced is the client's trailers as the upstream will get them, or nil.
// Their values follow when the body has been read.
func (b *upload) announced(csrfName string) http.Header {
	if b == nil {
		return nil
	}
	for name := range b.in {
		if isTrailer(name) && !looksLike(name, csrfName) {
			if b.out == nil {
				b.out = http.Header{}
			}
			b.out[name] = nil
		}
	}
	return b.out
}

// isTrailer tells which fields may come behind the body. Some servers merge
// trailers into the headers: what may not be in the one may not be in the other.
func isTrailer(name string) bool {
	return isToken(name) && !isHopByHop(name) && !isForwarding(name) && !isRerouting(name) && !isTracing(name) && !isOverride(name) &&
		name != "Authorization" && name != "Cookie" && name != "Host"
}
