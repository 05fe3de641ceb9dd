package middleware

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/netip"
	"time"

	"oauth-agent/agent/internal/httperr"
)

// InFlightLimit bounds what the requests of a port hold at a time, all of them together
// and those of each client address: places, in which they are served, and memory, while
// their bodies are awaited. In HTTP/2 one connection brings many requests, and each may
// take a connection to an upstream.
type InFlightLimit struct {
	places quota
	memory quota // in bytes
}

const (
	// memoryPerPlace is how much memory awaited requests may take for each place.
	memoryPerPlace = 32 << 10
	// leastMemory lets a few requests wait whatever the number of places.
	leastMemory = 1 << 20
	// bytesPerPlace is up to how many bytes of header fields a request takes one place
	// alone. References of HPACK make many out of few that were sent.
	bytesPerPlace = 32 << 10
	// bytesPerRequest is what a request takes in memory beside its header and body.
	bytesPerRequest = 4 << 10
)

// NewInFlightLimit returns a limit of so many places, and so many of them for one client
// address. 0 places: no limit; 0 for an address: no limit for one.
func NewInFlightLimit(places, perAddress int) *InFlightLimit {
	l := &InFlightLimit{}
	l.places.total = int64(places)
	l.memory.total = max(int64(places)*memoryPerPlace, 4*leastMemory)
	l.Change(perAddress)
	return l
}

// Places returns how many there are.
func (l *InFlightLimit) Places() int { return int(l.places.total) }

// Change sets another limit for one client address.
func (l *InFlightLimit) Change(perAddress int) {
	places, memory := int64(perAddress), int64(0)
	if perAddress > 0 {
		memory = max(places*memoryPerPlace, leastMemory)
	}
	l.places.change(places)
	l.memory.change(memory)
}

// Count counts the requests of a port. One that is too many is refused by [Admit], which
// stands where it is known how to write the error, or cut off if there is no room for that
// either. clients, if it is not nil, finds the client of a request.
func (l *InFlightLimit) Count(clients *Clients) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		if l.places.total == 0 {
			return next
		}
		return l.count(clients, next)
	}
}

func (l *InFlightLimit) count(clients *Clients, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f := &inFlight{limit: l, header: headerBytes(r)}
		if clients != nil {
			f.client = clients.client(r)
		}
		f.enter(w)
		defer f.leave()
		if f.busy && clients != nil {
			clients.warn(r)
		}
		if f.busy || hasBody(r) {
			r = r.WithContext(context.WithValue(r.Context(), inFlightKey{}, f))
		}
		next.ServeHTTP(w, r)
	})
}

// Admit refuses a request that is one too many for its [InFlightLimit]: 503 with
// Retry-After (RFC 9110 10.2.3). Nothing has been done, and there may be room soon.
func Admit(render *httperr.Renderer) func(http.Handler) http.Handler {
	return refusing(render, admit)
}

func admit(next httperr.Handler) httperr.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		if f := inFlightOf(r); f != nil && f.busy {
			linger(w, r)
			return tooBusy(w)
		}
		return next(w, r)
	}
}

func tooBusy(w http.ResponseWriter) error {
	w.Header().Set("Retry-After", "1")
	return httperr.New(http.StatusServiceUnavailable, httperr.TemporarilyUnavailable,
		"too many requests are being served: try again", nil).Because(httperr.ReasonBusy)
}

// inFlight is what one request holds. A nil inFlight is not limited.
type inFlight struct {
	limit          *InFlightLimit
	client         netip.Addr
	header         int64 // bytes
	places, memory int64 // that it holds
	busy           bool  // it is one too many, and to be refused
}

type inFlightKey struct{}

func inFlightOf(r *http.Request) *inFlight {
	f, _ := r.Context().Value(inFlightKey{}).(*inFlight)
	return f
}

// enter takes places. There are a quarter more for requests that are to be refused; one
// that finds none of these either is cut off, since an answer that waits for its reader
// takes as much memory as any other. For the rest of its body net/http does not wait then.
func (f *inFlight) enter(w http.ResponseWriter) {
	n := 1 + f.header/bytesPerPlace
	if !f.limit.places.take(f.client, n, 0) {
		if !f.limit.places.take(f.client, n, 1) {
			setReadDeadline(w, time.Unix(1, 0))
			panic(http.ErrAbortHandler)
		}
		f.busy = true
	}
	f.places = n
}

// leave gives everything back.
func (f *inFlight) leave() {
	f.limit.places.give(f.client, f.places)
	f.limit.memory.give(f.client, f.memory)
}

// await returns the places while the body is on its way, and takes memory for what is
// here already.
func (f *inFlight) await() bool {
	if f == nil {
		return true
	}
	if !f.grow(bytesPerRequest + f.header) {
		return false
	}
	f.limit.places.give(f.client, f.places)
	f.places = 0
	return true
}

// resume takes places again, unless they were kept, and reports whether there were any.
func (f *inFlight) resume(w http.ResponseWriter) bool {
	if f == nil {
		return true
	}
	if f.places == 0 {
		f.enter(w)
	}
	return !f.busy
}

// grow takes more memory.
func (f *inFlight) grow(n int64) bool {
	if f == nil {
		return true
	}
	if !f.limit.memory.take(f.client, n, 0) {
		return false
	}
	f.memory += n
	return true
}

// countedBody takes memory for what is read of a body.
type countedBody struct {
	io.Reader
	f *inFlight
}

// errNoMemory is why the reading of a body was broken off.
var errNoMemory = errors.New("too much memory is taken by bodies that are awaited")

func (b countedBody) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if n > 0 && !b.f.grow(int64(n)) {
		return 0, errNoMemory
	}
	return n, err
}

// headerBytes is about how much memory the header of a request takes.
func headerBytes(r *http.Request) (n int64) {
	const perValue = 16
	n = int64(len(r.RequestURI) + len(r.Host))
	for name, values := range r.Header {
		n += int64(len(name))
		for _, value := range values {
			n += int64(len(value)) + perValue
		}
	}
	return n
}
