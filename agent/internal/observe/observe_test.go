package observe_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"oauth-agent/agent/internal/observe"
	"oauth-agent/agent/internal/trace"
)

// log collects records as a log of JSON lines has them, without their time.
type log struct{ buf bytes.Buffer }

func (l *log) logger() *slog.Logger {
	return slog.New(slog.NewJSONHandler(&l.buf, &slog.HandlerOptions{
		Level: slog.LevelDebug,
		ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey && len(groups) == 0 {
				return slog.Attr{}
			}
			return a
		},
	}))
}

func (l *log) records(t *testing.T) []map[string]any {
	t.Helper()
	var out []map[string]any
	dec := json.NewDecoder(&l.buf)
	for dec.More() {
		var m map[string]any
		if err := dec.Decode(&m); err != nil {
			t.Fatal(err)
		}
		if id, ok := m["request_id"].(string); ok && (len(id) != 32 || len(m["trace_id"].(string)) != 32) {
			t.Errorf("identifiers of a request: %v", m)
		}
		delete(m, "request_id")
		delete(m, "trace_id")
		out = append(out, m)
	}
	return out
}

// ticking is a clock that moves on by d each time it is asked.
func ticking(d time.Duration) func() time.Time {
	now := time.Unix(1_700_000_000, 0)
	return func() time.Time {
		now = now.Add(d)
		return now
	}
}

// watch is a listener with lines.
func watch(l *log, clock func() time.Time, next http.Handler) http.Handler {
	o := &observe.Requests{
		Log: observe.OfRequests(l.logger()), Clock: clock, Metrics: observe.NewMetrics(), Tracer: &trace.Tracer{}, Lines: true,
	}
	return o.Watch(next)
}

// serve sends one request through Requests and gives the whole record.
func serve(t *testing.T, r *http.Request, h http.HandlerFunc) (*httptest.ResponseRecorder, map[string]any) {
	t.Helper()
	l, w := &log{}, httptest.NewRecorder()
	watch(l, ticking(1500*time.Microsecond), h).ServeHTTP(w, r)
	records := l.records(t)
	if len(records) != 1 {
		t.Fatalf("%d records: %v", len(records), records)
	}
	return w, records[0]
}

func record(method, route string, status, bytes int, code string) map[string]any {
	return map[string]any{
		"level": "INFO", "msg": "request", "method": method, "route": route,
		"status": float64(status), "bytes": float64(bytes), "duration": float64(1500 * time.Microsecond), "code": code,
	}
}

func TestLineOfARequest(t *testing.T) {
	for _, tt := range []struct {
		name    string
		method  string
		handler http.HandlerFunc
		want    map[string]any
	}{
		{"a whole answer", "POST", func(w http.ResponseWriter, r *http.Request) {
			observe.Of(r.Context()).Route, observe.Of(r.Context()).Code = "/api", "token_expired"
			w.WriteHeader(401)
			_, _ = io.WriteString(w, "12345")
			_, _ = io.WriteString(w, "678")
		}, record("POST", "/api", 401, 8, "token_expired")},
		{"nothing at all", "GET", func(http.ResponseWriter, *http.Request) {}, record("GET", "none", 200, 0, "")},
		{"a body alone", "GET", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("x")) }, record("GET", "none", 200, 1, "")},
		{"a status alone", "HEAD", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) }, record("HEAD", "none", 204, 0, "")},
		{"a hint before", "GET", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(103)
			w.WriteHeader(404)
		}, record("GET", "none", 404, 0, "")},
		{"a method made up", "CANARY", func(http.ResponseWriter, *http.Request) {}, record("OTHER", "none", 200, 0, "")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, got := serve(t, httptest.NewRequest(tt.method, "/canary?code=canary", nil), tt.handler)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// Early hints (RFC 8297) are no answer yet. It takes a real server to send them.
func TestLineAfterAHint(t *testing.T) {
	l := &log{}
	srv := httptest.NewServer(watch(l, ticking(1500*time.Microsecond), http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(103)
		_, _ = w.Write([]byte("x"))
	})))
	resp, err := srv.Client().Get(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	srv.Close() // waits for the handler
	if diff := cmp.Diff([]map[string]any{record("GET", "none", 200, 1, "")}, l.records(t)); diff != "" {
		t.Error(diff)
	}
}

func TestOfOutsideARequestIsReadByNobody(t *testing.T) {
	observe.Of(context.Background()).Route = "/x"
	if got := observe.Of(context.Background()).Route; got != "" {
		t.Errorf("it was kept: %q", got)
	}
}

func TestFlushReachesTheClient(t *testing.T) {
	w, got := serve(t, httptest.NewRequest("GET", "/", nil), func(w http.ResponseWriter, _ *http.Request) {
		if err := http.NewResponseController(w).Flush(); err != nil {
			t.Error(err)
		}
		if err := http.NewResponseController(w).SetReadDeadline(time.Time{}); err == nil {
			t.Error("a recorder has no deadlines")
		}
	})
	if diff := cmp.Diff(record("GET", "none", 200, 0, ""), got); diff != "" || !w.Flushed {
		t.Errorf("flushed %v; %s", w.Flushed, diff)
	}
}

func TestHijackHandsTheConnectionOver(t *testing.T) {
	l := &log{}
	done := make(chan struct{})
	inner := watch(l, ticking(1500*time.Microsecond), http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nhello")
		_ = conn.Close()
	}))
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		inner.ServeHTTP(w, r)
		close(done)
	}))
	defer srv.Close()
	req, _ := http.NewRequestWithContext(t.Context(), "GET", srv.URL, nil)
	req.Header.Set("Connection", "Upgrade")
	req.Header.Set("Upgrade", "echo")
	resp, err := srv.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	text, _ := bufio.NewReader(resp.Body).ReadString(0)
	_ = resp.Body.Close()
	<-done
	records := l.records(t)
	if resp.StatusCode != 101 || text != "hello" || len(records) != 1 || !cmp.Equal(records[0], record("GET", "none", 101, 0, "")) {
		t.Errorf("%d %q, %v", resp.StatusCode, text, records)
	}
}

func TestHijackWhereThereIsNone(t *testing.T) {
	_, got := serve(t, httptest.NewRequest("GET", "/", nil), func(w http.ResponseWriter, _ *http.Request) {
		if _, _, err := http.NewResponseController(w).Hijack(); err == nil {
			t.Error("a recorder has no connection")
		}
		w.WriteHeader(502)
	})
	if diff := cmp.Diff(record("GET", "none", 502, 0, ""), got); diff != "" {
		t.Error(diff)
	}
}

func fail(w http.ResponseWriter, _ *http.Request) { http.Error(w, "failed", 500) }

func TestRecover(t *testing.T) {
	for _, value := range []any{"canary", io.EOF, []byte("not comparable"), struct{ f func() }{}} {
		l, w := &log{}, httptest.NewRecorder()
		h := observe.Recover(l.logger(), fail, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(value) }))
		watch(l, ticking(1500*time.Microsecond), h).ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
		if strings.Contains(l.buf.String(), "canary") {
			t.Errorf("the value is in the log: %s", l.buf.String())
		}
		records := l.records(t)
		if w.Code != 500 || w.Body.String() != "failed\n" || len(records) != 2 {
			t.Fatalf("%d %q, %v", w.Code, w.Body, records)
		}
		stack, _ := records[0]["stack"].(string)
		delete(records[0], "stack")
		if !cmp.Equal(records[0], map[string]any{"level": "ERROR", "msg": "panic"}) || !strings.Contains(stack, "observe_test.go") {
			t.Errorf("%v, stack %q", records[0], stack)
		}
		if diff := cmp.Diff(record("GET", "none", 500, 7, ""), records[1]); diff != "" {
			t.Error(diff)
		}
	}
}

func TestRecoverLeavesAnswersAndAbortsAlone(t *testing.T) {
	l := &log{}
	w := httptest.NewRecorder()
	observe.Recover(l.logger(), fail, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(204)
	})).ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	if w.Code != 204 || len(l.records(t)) != 0 {
		t.Errorf("%d", w.Code)
	}
	defer func() {
		if v := recover(); v != http.ErrAbortHandler || len(l.records(t)) != 0 {
			t.Errorf("%v came through", v)
		}
	}()
	observe.Recover(l.logger(), fail, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		panic(http.ErrAbortHandler)
	})).ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
}

// Half an answer and then an error, under a status of 200, would be taken for
// the whole.
func TestPanicInAnAnswerCutsItOff(t *testing.T) {
	for name, begin := range map[string]func(w http.ResponseWriter){
		"written": func(w http.ResponseWriter) { _, _ = io.WriteString(w, `{"half":`) },
		"flushed": func(w http.ResponseWriter) { _ = http.NewResponseController(w).Flush() },
	} {
		l := &log{}
		h := observe.Recover(l.logger(), fail, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			begin(w)
			panic("late")
		}))
		srv := httptest.NewUnstartedServer(watch(l, ticking(0), h))
		srv.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
		srv.Start()
		resp, err := srv.Client().Get(srv.URL)
		if err == nil {
			var body []byte
			body, err = io.ReadAll(resp.Body)
			_ = resp.Body.Close()
			if strings.Contains(string(body), "failed") {
				t.Errorf("%s: %q", name, body)
			}
		}
		if err == nil {
			t.Errorf("%s: the answer ended as if it were whole", name)
		}
		srv.Close()
	}
}

func TestNewLogger(t *testing.T) {
	for _, tt := range []struct{ level, format, want string }{
		{"info", "json", `"msg":"info"|"msg":"error"`},
		{"info", "text", "msg=info|msg=error"},
		{"debug", "text", "msg=debug|msg=info|msg=error"},
		{"error", "json", `"msg":"error"`},
		{"nonsense", "nonsense", "msg=info|msg=error"},
	} {
		var buf bytes.Buffer
		l := observe.NewLogger(&buf, tt.level, tt.format)
		l.Debug("debug")
		l.Info("info")
		l.Error("error")
		lines, want := strings.Split(strings.TrimSpace(buf.String()), "\n"), strings.Split(tt.want, "|")
		if len(lines) != len(want) {
			t.Errorf("%s %s: %q", tt.level, tt.format, lines)
			continue
		}
		for i := range lines {
			if !strings.Contains(lines[i], want[i]) {
				t.Errorf("%s %s: %q", tt.level, tt.format, lines)
			}
		}
	}
}
