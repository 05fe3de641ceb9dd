package tokens

import (
	"context"
	"errors"
	"net/http"
	"testing"
)

// A refresh whose caller has left is waited for, though not for ever.
func TestWaitForWhatIsInTheAir(t *testing.T) {
	as := newAS(t)
	c := as.source()
	session := as.enter(c)
	if err := c.Shared.Wait(t.Context()); err != nil {
		t.Fatalf("with nothing in the air: %v", err)
	}

	asked, release := make(chan struct{}), make(chan struct{})
	as.Handle("/token", func(w http.ResponseWriter, r *http.Request) {
		close(asked)
		<-release
		as.ServeForm(w, r)
	})
	ctx, leave := context.WithCancel(t.Context())
	left := make(chan error, 1)
	go func() {
		_, err := c.Refresh(ctx, grantOf(session))
		left <- err
	}()
	<-asked
	leave()
	if err := <-left; !errors.Is(err, context.Canceled) {
		t.Fatalf("the caller: %v", err)
	}
	if err := c.Shared.Wait(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Wait with a context that has ended: %v", err)
	}

	landed := make(chan error, 1)
	go func() { landed <- c.Shared.Wait(t.Context()) }()
	select {
	case err := <-landed:
		t.Fatalf("Wait did not wait: %v", err)
	default:
	}
	close(release)
	if err := <-landed; err != nil {
		t.Error(err)
	}
	// What it was spent for is remembered by then: nobody asks again.
	asks := as.Count("/token")
	if _, err := c.Refresh(t.Context(), grantOf(session)); err != nil || as.Count("/token") != asks {
		t.Errorf("after it: %v, asked %d times", err, as.Count("/token")-asks)
	}
}
