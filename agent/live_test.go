package agent

import (
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"oauth-agent/agent/config"
	"oauth-agent/test/double"
)

// liveSettings are settings with one route.
func liveSettings(t *testing.T, upstream string) *config.Config {
	t.Helper()
	page := t.TempDir()
	if err := os.WriteFile(page+"/index.html", []byte("<!doctype html><title>x</title>"), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Load("", []string{
		"ISSUER=http://127.0.0.1:1", "CLIENT_ID=spa", "CLIENT_SECRET=c4nary-secret",
		"REDIRECT_URI=" + testOrigin + "/", "TRUSTED_WEB_ORIGIN=" + testOrigin,
		"COOKIE_ENCRYPTION_KEY=" + strings.Repeat("a1", 32),
		"ROUTES=/api/=" + upstream, "SPA_DIR=" + page,
	})
	if err != nil {
		t.Fatal(err)
	}
	cfg.Routes[0].Public = true
	return cfg
}

func newLive(t *testing.T, cfg *config.Config) (*Server, *httptest.Server) {
	t.Helper()
	l, err := New(t.Context(), cfg, Options{Transport: noNetwork{}})
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(l.Handler())
	t.Cleanup(func() {
		srv.Close()
		_ = l.Close()
	})
	return l, srv
}

func call(t *testing.T, url string) int {
	t.Helper()
	req, _ := http.NewRequestWithContext(t.Context(), "GET", url, nil)
	req.Header.Set("Origin", testOrigin)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Error(err)
		return 0
	}
	_ = resp.Body.Close()
	return resp.StatusCode
}

// An agent ends with its last request, and no earlier.
func TestLiveServesEachRequestToItsEnd(t *testing.T) {
	arrived, may := make(chan struct{}), make(chan struct{})
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		arrived <- struct{}{}
		<-may
		w.WriteHeader(http.StatusTeapot)
	}))
	defer upstream.Close()
	l, srv := newLive(t, liveSettings(t, upstream.URL))
	first := l.current.Load()
	status := make(chan int, 1)
	go func() { status <- call(t, srv.URL+"/api/x") }()
	<-arrived

	next := liveSettings(t, upstream.URL)
	next.Routes[0].Path = "/other/"
	if err := l.Reload(t.Context(), next, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	if got := call(t, srv.URL+"/api/x"); got != 404 {
		t.Errorf("the route is still there: %d", got)
	}
	if _, err := first.app.spaRoot.Stat("."); err != nil || first.holders.Load() != 1 {
		t.Errorf("it has ended, though a request runs: %v", err)
	}
	close(may)
	if got := <-status; got != http.StatusTeapot {
		t.Errorf("the running request: %d", got)
	}
	for range 1000 {
		if _, err := first.app.spaRoot.Stat("."); err != nil {
			if first.enter() {
				t.Error("one that has ended takes requests")
			}
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Error("it has not ended with its last request")
}

func TestLiveKeepsWhatWorks(t *testing.T) {
	l, srv := newLive(t, liveSettings(t, "http://127.0.0.1:1"))
	first := l.current.Load()
	bad := liveSettings(t, "http://127.0.0.1:1")
	bad.SPA.Dir = "/nowhere"
	if err := l.Reload(t.Context(), bad, slog.New(slog.DiscardHandler)); err == nil || l.current.Load() != first {
		t.Errorf("settings that do not work: %v", err)
	}
	if got := call(t, srv.URL+"/api/x"); got != 502 {
		t.Errorf("after it: %d", got)
	}
	l.Stop()
	if err := l.Reload(t.Context(), liveSettings(t, "http://127.0.0.1:1"), nil); !errors.Is(err, errStopping) {
		t.Errorf("while it stops: %v", err)
	}
}

// Requests and reloads at the same time.
func TestLiveUnderLoad(t *testing.T) {
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }))
	defer upstream.Close()
	l, srv := newLive(t, liveSettings(t, upstream.URL))
	stop := make(chan struct{})
	var callers sync.WaitGroup
	for range 8 {
		callers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if got := call(t, srv.URL+"/api/x"); got != http.StatusTeapot {
					t.Errorf("status %d", got)
					return
				}
			}
		})
	}
	for range 50 {
		if err := l.Reload(t.Context(), liveSettings(t, upstream.URL), nil); err != nil {
			t.Fatal(err)
		}
	}
	close(stop)
	callers.Wait()
}

// Connections that are there are used by the agents that follow.
func TestLiveKeepsConnections(t *testing.T) {
	var made atomic.Int32
	upstream := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }))
	upstream.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			made.Add(1)
		}
	}
	upstream.Start()
	defer upstream.Close()
	l, srv := newLive(t, liveSettings(t, upstream.URL))
	for range 5 {
		if got := call(t, srv.URL+"/api/x"); got != http.StatusTeapot {
			t.Fatalf("status %d", got)
		}
		if err := l.Reload(t.Context(), liveSettings(t, upstream.URL), nil); err != nil {
			t.Fatal(err)
		}
	}
	if n := made.Load(); n != 1 {
		t.Errorf("%d connections", n)
	}
}

// What the ones before have to send is sent before the process ends, by a collector
// that takes its time.
func TestLiveEndsWithTheSpansOfAll(t *testing.T) {
	var batches atomic.Int64
	collector := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		time.Sleep(100 * time.Millisecond)
		batches.Add(1)
	}))
	defer collector.Close()
	api := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer api.Close()
	settings := func() *config.Config {
		cfg := liveSettings(t, api.URL)
		cfg.Tracing = config.Tracing{Endpoint: collector.URL, SampleRatio: 1, ServiceName: "x"}
		return cfg
	}
	l, srv := newLive(t, settings())
	for range 3 {
		if status := call(t, srv.URL+"/api/x"); status != http.StatusOK {
			t.Fatalf("status %d", status)
		}
		if err := l.Reload(t.Context(), settings(), slog.New(slog.DiscardHandler)); err != nil {
			t.Fatal(err)
		}
	}
	srv.Close()
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	if n := batches.Load(); n != 3 {
		t.Errorf("%d batches at the end", n)
	}
}

// A client that takes nothing of an answer loses it, and the API its caller.
func TestLiveWaitsForNoReader(t *testing.T) {
	left := make(chan struct{})
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer close(left)
		for part := make([]byte, 1<<20); r.Context().Err() == nil; {
			if _, err := w.Write(part); err != nil {
				return
			}
		}
	}))
	defer api.Close()
	cfg := liveSettings(t, api.URL)
	cfg.Timeouts.Write = 200 * time.Millisecond
	_, srv := newLive(t, cfg)
	conn, err := net.Dial("tcp", srv.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	_, _ = io.WriteString(conn, "GET /api/x HTTP/1.1\r\nHost: x\r\nOrigin: "+testOrigin+"\r\n\r\n")
	select {
	case <-left:
	case <-time.After(20 * time.Second):
		t.Error("it waits")
	}
}

// What is more than can be served at a time is refused, so that pages can read it,
// and counted over a reload.
func TestLiveServesSoManyAtATime(t *testing.T) {
	arrived, may := make(chan struct{}), make(chan struct{})
	api := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		arrived <- struct{}{}
		<-may
	}))
	defer api.Close()
	release := sync.OnceFunc(func() { close(may) })
	defer release()
	l, err := New(t.Context(), liveSettings(t, api.URL), Options{Transport: noNetwork{}, Requests: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	srv := httptest.NewServer(l.Handler())
	defer srv.Close()
	var running sync.WaitGroup
	for range 2 {
		running.Go(func() {
			if status := call(t, srv.URL+"/api/x"); status != http.StatusOK {
				t.Errorf("status %d", status)
			}
		})
		<-arrived
	}
	for range 2 {
		resp, body := fetch(t, http.MethodGet, srv.URL+"/oauth-agent/session", testOrigin)
		if resp.StatusCode != http.StatusServiceUnavailable || resp.Header.Get("Retry-After") != "1" ||
			resp.Header.Get("Access-Control-Allow-Origin") != testOrigin || !strings.Contains(body, "temporarily_unavailable") {
			t.Errorf("%d %v %s", resp.StatusCode, resp.Header, body)
		}
		if err := l.Reload(t.Context(), liveSettings(t, api.URL), nil); err != nil {
			t.Fatal(err)
		}
	}
	release()
	running.Wait()
	if status := call(t, srv.URL+"/oauth-agent/session"); status != http.StatusOK {
		t.Errorf("status %d", status)
	}
}

// A request that is cut off at the end has its line all the same, also one that the
// agent before serves; and whoever does not end is not waited for.
func TestLiveEndsWithTheLinesOfAll(t *testing.T) {
	arrived := make(chan struct{})
	api := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		arrived <- struct{}{}
		<-r.Context().Done()
	}))
	defer api.Close()
	var log double.Log
	settings := func() *config.Config {
		cfg := liveSettings(t, api.URL)
		cfg.Log = config.Log{Level: "info", Access: true}
		return cfg
	}
	l, err := New(t.Context(), settings(), Options{Transport: noNetwork{}, Log: NewLogger(&log, settings().Log)})
	if err != nil {
		t.Fatal(err)
	}
	held, may, ended := make(chan struct{}), make(chan struct{}), make(chan struct{}, 2)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/" {
			w = slowToEnd{w, held, may}
			defer func() { ended <- struct{}{} }()
		}
		l.Handler().ServeHTTP(w, r)
	}))
	defer srv.Close()
	var callers sync.WaitGroup
	get := func(path string) {
		callers.Go(func() {
			req, _ := http.NewRequestWithContext(t.Context(), "GET", srv.URL+path, nil)
			req.Header.Set("Origin", testOrigin)
			if resp, err := http.DefaultClient.Do(req); err == nil {
				_ = resp.Body.Close()
			}
		})
	}
	both := func() {
		get("/api/x")
		<-arrived
		get("/") // its handler does not end
		<-held
	}
	both()
	if err := l.Reload(t.Context(), settings(), NewLogger(&log, settings().Log)); err != nil {
		t.Fatal(err)
	}
	both()
	lines := func() int { return strings.Count(log.String(), "msg=request") }
	if n := lines(); n != 0 {
		t.Fatalf("%d lines before", n)
	}
	srv.CloseClientConnections()
	began := time.Now()
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	if n, took := lines(), time.Since(began); n != 2 || took > 2*time.Second {
		t.Errorf("%d lines at the end, after %v", n, took)
	}
	for range 2 {
		may <- struct{}{}
		<-ended
	}
	if n := lines(); n != 4 {
		t.Errorf("%d lines after the end", n)
	}
	callers.Wait()
}

// slowToEnd holds up the answer.
type slowToEnd struct {
	http.ResponseWriter
	held, may chan struct{}
}

func (w slowToEnd) WriteHeader(status int) {
	w.held <- struct{}{}
	<-w.may
	w.ResponseWriter.WriteHeader(status)
}

func (w slowToEnd) Unwrap() http.ResponseWriter { return w.ResponseWriter }
