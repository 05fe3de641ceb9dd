package middleware_test

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"oauth-agent/agent/internal/middleware"
	"oauth-agent/test/double"
)

// stalled is longer than a busy machine makes anybody wait who does take something.
const stalled = time.Second

// stalling serves over both versions of HTTP, each by its test.
func stalling(t *testing.T, h http.HandlerFunc, test func(t *testing.T, srv *httptest.Server)) {
	t.Helper()
	for _, version := range []string{"HTTP/1.1", "HTTP/2.0"} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			srv := httptest.NewUnstartedServer(middleware.WriteDeadline(stalled)(h))
			srv.EnableHTTP2 = version == "HTTP/2.0"
			srv.StartTLS()
			t.Cleanup(srv.Close)
			test(t, srv)
		})
	}
}

// A client that takes nothing of an answer is given up, and whoever writes is told.
func TestAnswerThatNobodyTakes(t *testing.T) {
	ended := map[int]chan error{1: make(chan error, 1), 2: make(chan error, 1)}
	stalling(t, func(w http.ResponseWriter, r *http.Request) {
		part := make([]byte, 1<<20)
		for range 1000 {
			if _, err := w.Write(part); err != nil {
				ended[r.ProtoMajor] <- err
				return
			}
		}
		ended[r.ProtoMajor] <- nil
	}, func(t *testing.T, srv *httptest.Server) {
		resp, err := srv.Client().Get(srv.URL)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = resp.Body.Close() }()
		select {
		case err := <-ended[resp.ProtoMajor]:
			if err == nil {
				t.Error("all of it was taken")
			}
		case <-time.After(20 * time.Second):
			t.Error("it waits")
		}
	})
}

// The same of an answer that is so small that the handler has ended: in HTTP/2 a
// client says how much it takes, and may say nothing.
func TestSmallAnswerThatNobodyTakes(t *testing.T) {
	t.Parallel()
	srv := httptest.NewUnstartedServer(middleware.WriteDeadline(stalled)(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "small")
	})))
	srv.EnableHTTP2 = true
	srv.StartTLS()
	defer srv.Close()
	conn, err := tls.Dial("tcp", srv.Listener.Addr().String(), &tls.Config{
		RootCAs: srv.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs, NextProtos: []string{"h2"}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if err := double.Deaf(conn, "/", 1); err != nil {
		t.Fatal(err)
	}
	_ = conn.SetReadDeadline(time.Now().Add(20 * time.Second))
	in := bufio.NewReader(conn)
	for {
		var head [9]byte
		if _, err := io.ReadFull(in, head[:]); err != nil {
			t.Fatalf("the stream does not end: %v", err)
		}
		if head[3] == 3 { // RST_STREAM
			return
		}
		_, _ = in.Discard(int(binary.BigEndian.Uint32(append([]byte{0}, head[:3]...))))
	}
}

// What is silent for longer than that is not stalled: neither before an answer, nor
// between its parts, nor at its end.
func TestSilenceIsNoStall(t *testing.T) {
	large := strings.Repeat("x", 8<<10)
	stalling(t, func(w http.ResponseWriter, _ *http.Request) {
		time.Sleep(3 * stalled / 2)
		w.WriteHeader(http.StatusEarlyHints)
		_, _ = io.WriteString(w, "one")
		_ = http.NewResponseController(w).Flush()
		time.Sleep(3 * stalled / 2)
		_, _ = io.WriteString(w, large)
		time.Sleep(3 * stalled / 2)
		_, _ = io.WriteString(w, "three")
	}, func(t *testing.T, srv *httptest.Server) {
		for range 2 { // on one connection
			resp, err := srv.Client().Get(srv.URL)
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(resp.Body)
			_ = resp.Body.Close()
			if err != nil || string(body) != "one"+large+"three" {
				t.Errorf("%d bytes, %v", len(body), err)
			}
			time.Sleep(3 * stalled / 2)
		}
	})
}

// The deadline of one request is not that of the next on its connection, which may
// begin by a 100 (RFC 9110 10.1.1).
func TestDeadlineEndsWithItsRequest(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(middleware.WriteDeadline(stalled)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(w, r.Body)
	})))
	defer srv.Close()
	conn, err := net.Dial("tcp", srv.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	in := bufio.NewReader(conn)
	for range 3 {
		_, _ = io.WriteString(conn, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
		if line, err := in.ReadString('\n'); err != nil || !strings.Contains(line, " 100 ") {
			t.Fatal(line, err)
		}
		_, _ = in.ReadString('\n')
		_, _ = io.WriteString(conn, "ok")
		resp, err := http.ReadResponse(in, nil)
		if err != nil {
			t.Fatal(err)
		}
		if body, _ := io.ReadAll(resp.Body); string(body) != "ok" {
			t.Errorf("%q", body)
		}
		time.Sleep(3 * stalled / 2)
	}
}

// A connection that was handed over is no longer an answer.
func TestHijackedHasNoDeadline(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(middleware.WriteDeadline(stalled)(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		go func() {
			time.Sleep(2 * stalled)
			_, _ = io.WriteString(conn, "late")
			_ = conn.Close()
		}()
	})))
	defer srv.Close()
	conn, err := net.Dial("tcp", srv.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	_, _ = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	if got, _ := io.ReadAll(conn); !bytes.Equal(got, []byte("late")) {
		t.Errorf("%q", got)
	}
}
