//go:build interop

package replicas

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"
)

// What else there is beside logins, refreshes and calls: streams that are left,
// sockets, requests that are given up, cookies that do not open.

// request is one as the page sends it.
func (s *session) request(ctx context.Context, method, path string, body io.Reader) *http.Request {
	req, err := http.NewRequestWithContext(ctx, method, s.w.origin+path, body)
	if err != nil {
		panic(err) // all of it is ours
	}
	req.Header.Set("Origin", s.w.origin)
	req.Header.Set("X-Example-Csrf", s.csrf)
	return req
}

// events reads some, and goes away.
func (s *session) events() error {
	ctx, leave := context.WithCancel(context.Background())
	defer leave()
	resp, err := s.http.Do(s.request(ctx, http.MethodGet, "/api/events", nil))
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	in := bufio.NewScanner(resp.Body)
	for n := 0; n < 3 && in.Scan(); {
		if in.Text() == "data: news" {
			n++
		}
	}
	return in.Err()
}

// socket sends some frames and wants them back. One in two is left without a word.
func (s *session) socket() error {
	req := s.request(context.Background(), http.MethodGet, "/api/socket", nil)
	for name, value := range map[string]string{
		"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
	} {
		req.Header.Set(name, value)
	}
	client := *s.http
	client.Timeout = 0 // it would be no socket
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	conn, ok := resp.Body.(io.ReadWriter)
	if resp.StatusCode != http.StatusSwitchingProtocols || !ok {
		return fmt.Errorf("%w: %d", errStatus, resp.StatusCode)
	}
	for range 3 {
		if _, err := conn.Write([]byte("\x81\x85\x00\x00\x00\x00hello")); err != nil {
			return err
		}
		if _, err := io.ReadFull(conn, make([]byte, 7)); err != nil {
			return err
		}
	}
	if rand.IntN(2) == 0 {
		_, err = conn.Write([]byte("\x88\x80\x00\x00\x00\x00"))
	}
	return err
}

// giveUp does not wait for an answer.
func (s *session) giveUp() error {
	ctx, leave := context.WithTimeout(context.Background(), 5*time.Millisecond)
	defer leave()
	resp, err := s.http.Do(s.request(ctx, http.MethodGet, "/api/slow", nil))
	if err == nil {
		_ = resp.Body.Close()
		return fmt.Errorf("%w: %d", errStatus, resp.StatusCode)
	}
	return nil
}

// giveUpUpload stops in the middle of a body.
func (s *session) giveUpUpload() error {
	body := io.MultiReader(strings.NewReader(strings.Repeat("x", 64<<10)), broken{})
	resp, err := s.http.Do(s.request(context.Background(), http.MethodPost, "/api/orders", body))
	if err == nil {
		_ = resp.Body.Close()
	}
	return nil // any answer, or none
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errors.New("the user has left") }

// badCookies sends some that do not open.
func (s *session) badCookies() error {
	req := s.request(context.Background(), http.MethodGet, "/api/orders", nil)
	junk := strings.Repeat("AbCd", 1+rand.IntN(500))
	for _, name := range []string{"__Host-Http-example-at", "__Host-Http-example-csrf"} {
		req.AddCookie(&http.Cookie{Name: name, Value: junk})
	}
	resp, err := s.http.Transport.RoundTrip(req)
	if err != nil {
		return err
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusUnauthorized {
		return fmt.Errorf("%w: %d", errStatus, resp.StatusCode)
	}
	return nil
}

// anything does one of it all.
func (s *session) anything() error {
	note := func(kind string, do func() error) error {
		err := do()
		s.w.tally.note(kind, err)
		return err
	}
	switch n := rand.IntN(100); {
	case n < 10:
		return s.refresh()
	case n < 15:
		return note("events", s.events)
	case n < 20:
		return note("socket", s.socket)
	case n < 25:
		return note("given up", s.giveUp)
	case n < 30:
		return note("half uploads", s.giveUpUpload)
	case n < 40:
		return note("bad cookies", s.badCookies)
	}
	return s.work()
}
