package upstream

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// deadlines counts what is asked of an answer.
type deadlines struct {
	*httptest.ResponseRecorder
	set int
}

func (d *deadlines) SetReadDeadline(time.Time) error {
	d.set++
	return nil
}

// A timer that fires just when its upload ends leaves the answer alone: in HTTP/2 it
// is gone then, and in HTTP/1 the connection is the next request's.
func TestTimerThatFiresTooLate(t *testing.T) {
	w := &deadlines{ResponseRecorder: httptest.NewRecorder()}
	ctx, cancel := context.WithCancelCause(t.Context())
	b := &requestBody{control: http.NewResponseController(w), timeout: time.Millisecond, cancel: cancel, reading: true, body: http.NoBody}
	b.mu.Lock() // as a read has it
	b.timer = time.AfterFunc(b.timeout, b.giveUp)
	time.Sleep(20 * time.Millisecond) // it has fired, and waits
	b.unwatch()
	b.mu.Unlock()
	time.Sleep(20 * time.Millisecond)
	if b.mu.Lock(); w.set > 0 || ctx.Err() != nil {
		t.Errorf("%d deadlines, %v", w.set, context.Cause(ctx))
	}
	b.mu.Unlock()
}
