package middleware_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"oauth-agent/agent/internal/httperr"
	"oauth-agent/agent/internal/middleware"
)

func TestBodyThatDripsIsCutOff(t *testing.T) {
	render := &httperr.Renderer{Log: discard()}
	srv := httptest.NewServer(middleware.BodyDeadline(50 * time.Millisecond)(middleware.ReadBody(1000, render)(render.Handle(func(http.ResponseWriter, *http.Request) error {
		t.Error("the handler ran")
		return nil
	}))))
	defer srv.Close()
	body, end := io.Pipe()
	defer func() { _ = end.Close() }()
	resp, err := srv.Client().Post(srv.URL, "application/json", body)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != 400 {
		t.Errorf("status %d", resp.StatusCode)
	}
}

// A deadline for the body that still stood while the handler waits would cancel
// its context.
func TestBodyDeadlineDoesNotOutliveTheBody(t *testing.T) {
	render := &httperr.Renderer{Log: discard()}
	srv := httptest.NewServer(middleware.BodyDeadline(500 * time.Millisecond)(middleware.ReadBody(1000, render)(render.Handle(func(w http.ResponseWriter, r *http.Request) error {
		select {
		case <-r.Context().Done():
			return r.Context().Err()
		case <-time.After(time.Second):
			w.WriteHeader(http.StatusNoContent)
			return nil
		}
	}))))
	defer srv.Close()
	for _, body := range []string{"{}", ""} {
		resp, err := srv.Client().Post(srv.URL, "application/json", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != 204 || resp.Close {
			t.Errorf("body %q: status %d, closed: %v", body, resp.StatusCode, resp.Close)
		}
	}
}

// A process that is about to stop wants all its connections closed, whatever their
// requests were.
func TestConnectionToBeClosedIsClosed(t *testing.T) {
	h := middleware.BodyDeadline(time.Second)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
	}))
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Connection", "close")
		h.ServeHTTP(w, r)
	}))
	defer srv.Close()
	for _, body := range []string{"{}", ""} {
		resp, err := srv.Client().Post(srv.URL, "application/json", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if !resp.Close {
			t.Errorf("body %q: the connection is kept", body)
		}
	}
}
