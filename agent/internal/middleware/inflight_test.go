package middleware_test

import (
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"oauth-agent/agent/internal/clientip"
	"oauth-agent/agent/internal/httperr"
	"oauth-agent/agent/internal/middleware"
)

// inFlight serves with so many places, behind a trusted proxy at 127.0.0.1. A request
// for /wait is served until may is closed.
func inFlight(t *testing.T, limit *middleware.InFlightLimit) (url string, arrived, may chan struct{}) {
	t.Helper()
	arrived, may = make(chan struct{}, 100), make(chan struct{})
	render := &httperr.Renderer{Log: slog.New(slog.DiscardHandler)}
	h := middleware.Admit(render)(middleware.ReadBody(middleware.MaxBody, render)(render.Handle(func(_ http.ResponseWriter, r *http.Request) error {
		if r.URL.Path == "/wait" {
			arrived <- struct{}{}
			<-may
		}
		return nil
	})))
	door := middleware.NewClients(clientip.Proxies{netip.MustParsePrefix("127.0.0.0/8")}, slog.New(slog.DiscardHandler))
	srv := httptest.NewServer(limit.Count(door)(middleware.BodyDeadline(time.Minute)(h)))
	t.Cleanup(srv.Close)
	return srv.URL, arrived, may
}

// ask asks for a client, and returns the status; 0: it was cut off.
func ask(t *testing.T, method, url, client string, body io.Reader, header ...string) int {
	req, _ := http.NewRequestWithContext(t.Context(), method, url, body)
	if client != "" {
		req.Header.Set("X-Forwarded-For", client)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0
	}
	_ = resp.Body.Close()
	return resp.StatusCode
}

// One client has its part of the places, and no more; an IPv6 client by its /64. What a
// proxy sends for nobody has a share in the whole alone.
func TestPlacesOfOneClient(t *testing.T) {
	for _, tt := range []struct {
		first, other string
		status       int
	}{
		{"192.0.2.1", "192.0.2.1", 503},
		{"192.0.2.1", "192.0.2.2", 200},
		{"192.0.2.1", "", 200},
		{"2001:db8::1", "2001:db8::2", 503},
		{"2001:db8::1", "2001:db8:0:1::1", 200},
		{"", "", 200},
	} {
		url, arrived, may := inFlight(t, middleware.NewInFlightLimit(8, 2))
		for range 2 {
			go ask(t, "GET", url+"/wait", tt.first, nil)
			<-arrived
		}
		if status := ask(t, "GET", url, tt.other, nil); status != tt.status {
			t.Errorf("%q beside %q: %d, want %d", tt.other, tt.first, status, tt.status)
		}
		close(may)
	}
}

// A reload changes the part of one client.
func TestPlacesOfOneClientChange(t *testing.T) {
	limit := middleware.NewInFlightLimit(8, 2)
	url, arrived, may := inFlight(t, limit)
	defer close(may)
	for range 2 {
		go ask(t, "GET", url+"/wait", "192.0.2.1", nil)
		<-arrived
	}
	for perAddress, want := range map[int]int{1: 0, 2: 503, 4: 200} { // of one, there is not even room for a refusal
		limit.Change(perAddress)
		if status := ask(t, "GET", url, "192.0.2.1", nil); status != want {
			t.Errorf("%d: %d, want %d", perAddress, status, want)
		}
	}
}

// A body that is awaited takes no place, and what comes of it is bounded.
func TestAwaitedBodyTakesNoPlace(t *testing.T) {
	limit := middleware.NewInFlightLimit(1, 1)
	url, _, _ := inFlight(t, limit)
	var ends []*io.PipeWriter
	statuses := make(chan int, 100)
	for range 10 {
		body, end := io.Pipe()
		ends = append(ends, end)
		go func() { statuses <- ask(t, "POST", url, "192.0.2.1", body) }()
		_, _ = end.Write([]byte("x"))
		for ask(t, "GET", url, "192.0.2.2", nil) != 200 { // until it waits
			time.Sleep(time.Millisecond)
		}
	}
	if status := ask(t, "GET", url, "192.0.2.1", nil); status != 200 {
		t.Errorf("beside bodies that are awaited: %d", status)
	}
	large := strings.Repeat("x", middleware.MaxBody)
	for _, end := range ends {
		_ = end.Close()
		if status := <-statuses; status != 200 {
			t.Errorf("when its body has come: %d", status)
		}
	}
	if status := ask(t, "POST", url, "192.0.2.1", strings.NewReader(large)); status != 200 {
		t.Errorf("a large body: %d", status)
	}
}

// What bodies that are awaited take in memory is bounded, for one client and for all.
func TestAwaitedBodiesTakeBoundedMemory(t *testing.T) {
	url, _, _ := inFlight(t, middleware.NewInFlightLimit(4, 1)) // 4 MB, and 1 MB for one
	statuses := make(chan int, 100)
	part := make([]byte, middleware.MaxBody-1)
	for range 30 { // 2 MB
		body, end := io.Pipe()
		t.Cleanup(func() { _ = end.Close() })
		go func() { statuses <- ask(t, "POST", url, "192.0.2.1", body) }()
		go func() { _, _ = end.Write(part) }()
	}
	refused := map[int]int{}
	for range 10 {
		refused[<-statuses]++
	}
	if refused[503] == 0 || refused[200] > 0 || refused[400] > 0 {
		t.Errorf("the first answers: %v", refused)
	}
	if status := ask(t, "POST", url, "192.0.2.2", strings.NewReader("x")); status != 200 {
		t.Errorf("another client: %d", status)
	}
}

// A request with many header fields takes more than one place.
func TestLargeHeadersTakePlaces(t *testing.T) {
	url, arrived, may := inFlight(t, middleware.NewInFlightLimit(8, 4))
	defer close(may)
	go ask(t, "GET", url+"/wait", "192.0.2.1", nil, "Cookie", strings.Repeat("x", 96<<10))
	<-arrived
	if status := ask(t, "GET", url, "192.0.2.1", nil); status != 503 {
		t.Errorf("beside it: %d", status)
	}
	if status := ask(t, "GET", url, "192.0.2.2", nil); status != 200 {
		t.Errorf("another client: %d", status)
	}
}

// A refusal does not wait for the body, whatever time bodies have otherwise.
func TestRefusalDoesNotAwaitTheBody(t *testing.T) {
	render := &httperr.Renderer{Log: discard()}
	limit := middleware.NewInFlightLimit(4, 0)
	arrived, may := make(chan struct{}), make(chan struct{})
	defer close(may)
	srv := httptest.NewServer(limit.Count(nil)(middleware.Admit(render)(render.Handle(func(http.ResponseWriter, *http.Request) error {
		arrived <- struct{}{}
		<-may
		return nil
	}))))
	t.Cleanup(srv.Close)
	for range 4 {
		go ask(t, "GET", srv.URL, "", nil)
		<-arrived
	}
	conn, err := net.Dial("tcp", srv.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	_, _ = io.WriteString(conn, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nx")
	_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	all, err := io.ReadAll(conn)
	if !strings.HasPrefix(string(all), "HTTP/1.1 503 ") || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("%q, %v", all, err)
	}
}

// What is cut off holds nothing: net/http does not wait for the rest of its body.
func TestCutOffWithABodyThatNeverComes(t *testing.T) {
	url, arrived, may := inFlight(t, middleware.NewInFlightLimit(1, 1))
	defer close(may)
	go ask(t, "GET", url+"/wait", "192.0.2.1", nil)
	<-arrived
	conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	_, _ = io.WriteString(conn, "POST / HTTP/1.1\r\nHost: x\r\nX-Large: "+strings.Repeat("x", 80<<10)+"\r\nContent-Length: 10\r\n\r\nx")
	_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	if all, err := io.ReadAll(conn); len(all) > 0 || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("%q, %v", all, err)
	}
}
