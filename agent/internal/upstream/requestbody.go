package upstream

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// Why a request with a body was given up.
var (
	errSlowClient   = errors.New("the client stopped sending")
	errSlowUpstream = errors.New("the upstream stopped reading")
)

// maxTrickle bounds, in time-outs, how long a body may take that never quite
// stops. Bodies that come at minRate, in bytes a second, may take longer.
const (
	maxTrickle = 10
	minRate    = 1024
)

// lingerTime is how long the server reads what is left of a body that is not sent
// on, so that the client gets to read the response.
const lingerTime = time.Second

// AbandonBody bounds the time in which the server reads the body of a request that
// is refused.
func AbandonBody(w http.ResponseWriter, r *http.Request) {
	if r.ContentLength != 0 {
		linger(http.NewResponseController(w))
	}
}

func linger(c *http.ResponseController) { _ = c.SetReadDeadline(time.Now().Add(lingerTime)) }

// requestBody is the body of a request on its way up, watched for progress: neither
// a client that stops sending nor an upstream that stops reading holds the
// connection for ever. It also passes on the trailers, which the client sends after
// the body. A nil requestBody is a request without a body.
type requestBody struct {
	body    io.Reader
	control *http.ResponseController
	timeout time.Duration
	cancel  context.CancelCauseFunc
	http1   bool

	inRead sync.Mutex // held while the client is read from
	closed atomic.Bool

	mu      sync.Mutex
	timer   *time.Timer // nil when progress is no longer watched
	begun   time.Time
	size    int64 // bytes read
	reading bool  // waiting for the client
	ended   bool  // read to its end
	err     error // on the client's side

	in, out http.Header // trailers
}

// watchBody returns the request with its body watched for progress.
func (x *forward) watchBody(w http.ResponseWriter) *http.Request {
	ctx, cancel := context.WithCancelCause(x.in.Context())
	b := &requestBody{
		body: x.in.Body, control: http.NewResponseController(w),
		timeout: x.Timeout, cancel: cancel, in: x.in.Trailer, http1: x.in.ProtoMajor == 1,
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

// Read records which side is waited for.
func (b *requestBody) Read(p []byte) (int, error) {
	b.inRead.Lock()
	defer b.inRead.Unlock()
	if b.closed.Load() {
		return 0, http.ErrBodyReadAfterClose
	}
	b.record(0, true, nil)
	n, err := b.body.Read(p)
	if err == io.EOF {
		for name := range b.out {
			b.out[name] = b.in[name]
		}
	}
	b.record(n, false, err)
	return n, err
}

func (b *requestBody) record(n int, reading bool, err error) {
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

// left returns how long the whole body may still take.
func (b *requestBody) left() time.Duration {
	allowed := maxTrickle*b.timeout + time.Duration(b.size/minRate)*time.Second
	return allowed - time.Since(b.begun)
}

// Close makes further reads fail. It leaves the client's body open: the server reads
// what is left of it for a while, so that the client can read the response, and
// could not do so from a closed body.
func (b *requestBody) Close() error {
	b.closed.Store(true)
	return nil
}

// giveUp ends a request that makes no progress. The timer may have fired just before
// it was stopped: then nothing waits for the body any more, and the response may be
// over.
func (b *requestBody) giveUp() {
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

// responseBegins is called when the response begins. From then on the body is not
// watched.
//
// If the body is still coming, the server of HTTP/1.1 has to be asked to go on
// reading it, and the connection ends with this request: net/http would read the
// rest of the body and the next request at the same time.
func (b *requestBody) responseBegins(res *http.Response) {
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
// After the end of the body there is nothing to bound, and a deadline would disturb
// the server's next read. A body that is too large has not ended for the server.
func (b *requestBody) abandon() {
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

// end is called when the response is over.
func (b *requestBody) end() {
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

// awaitRead waits for the transport, which may still be reading the body when it has
// returned the response. The server would break that read off, not know how much is
// left of the body, and reset the connection before the client has the response.
func (b *requestBody) awaitRead() {
	if !b.inRead.TryLock() {
		_ = b.control.Flush()
		b.inRead.Lock()
	}
	b.inRead.Unlock()
}

func (b *requestBody) unwatch() {
	if b.timer != nil {
		b.timer.Stop()
		b.timer = nil
	}
}

// clientError returns what broke on the client's side, or nil.
func (b *requestBody) clientError() error {
	if b == nil {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.err
}

// announced returns the client's trailers as the upstream will get them, or nil.
// Their values follow when the body has been read.
func (b *requestBody) announced(privateHeader string) http.Header {
	if b == nil {
		return nil
	}
	for name := range b.in {
		if isTrailer(name) && !looksLike(name, privateHeader) {
			if b.out == nil {
				b.out = http.Header{}
			}
			b.out[name] = nil
		}
	}
	return b.out
}

// isTrailer reports whether a field may come after the body. Some servers merge
// trailers into the headers: what must not be a header must not be a trailer.
func isTrailer(name string) bool {
	return IsToken(name) && !isHopByHop(name) && !isForwarding(name) && !isRerouting(name) && !isTracing(name) && !IsMethodOverride(name) &&
		name != "Authorization" && name != "Cookie" && name != "Host"
}
