package httperr_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"oauth-agent/agent/internal/httperr"
)

// renderer writes whole records, without their time, to buf.
func renderer(buf *bytes.Buffer) *httperr.Renderer {
	return &httperr.Renderer{Log: slog.New(slog.NewJSONHandler(buf, &slog.HandlerOptions{
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return a
		},
	}))}
}

func TestErrorsBecomeAnswers(t *testing.T) {
	cause := errors.New("canary")
	for _, tt := range []struct {
		name   string
		err    error
		status int
		body   string
		log    string // the whole record
	}{
		{"refused, with a cause", httperr.BadRequest("no such thing", cause), 400,
			`{"code":"invalid_request","message":"no such thing"}`,
			`{"level":"INFO","msg":"request refused","status":400,"code":"invalid_request","error":"400 invalid_request: no such thing: canary"}`},
		{"refused, without", httperr.Unauthorized("not you", nil), 401,
			`{"code":"unauthorized_request","message":"not you"}`, ``},
		{"in a chain", fmt.Errorf("doing x: %w", httperr.New(404, httperr.NoIDToken, "none", nil)), 404,
			`{"code":"no_id_token","message":"none"}`, ``},
		{"a failure of the server", httperr.New(502, httperr.AuthorizationServerError, "down", cause), 502,
			`{"code":"authorization_server_error","message":"down"}`,
			`{"level":"ERROR","msg":"request failed","status":502,"code":"authorization_server_error","error":"502 authorization_server_error: down: canary"}`},
		{"a failure of the server, without a cause", httperr.New(504, httperr.UpstreamTimeout, "slow", nil), 504,
			`{"code":"upstream_timeout","message":"slow"}`,
			`{"level":"ERROR","msg":"request failed","status":504,"code":"upstream_timeout","error":"504 upstream_timeout: slow"}`},
		{"unknown", cause, 500,
			`{"code":"server_error","message":"the request could not be handled"}`,
			`{"level":"ERROR","msg":"request failed","status":500,"code":"server_error","error":"500 server_error: the request could not be handled: canary"}`},
		{"too large", fmt.Errorf("reading: %w", &http.MaxBytesError{Limit: 10}), 413,
			`{"code":"request_too_large","message":"the request body is larger than 10 bytes"}`,
			`{"level":"INFO","msg":"request refused","status":413,"code":"request_too_large","error":"413 request_too_large: the request body is larger than 10 bytes: reading: http: request body too large"}`},
		{"characters of HTML", httperr.BadRequest(`"a&b" <c> é`, nil), 400,
			`{"code":"invalid_request","message":"\"a&b\" <c> é"}`, ``},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var log bytes.Buffer
			rd := renderer(&log)
			var noted *httperr.Error
			rd.Note = func(_ *http.Request, e *httperr.Error) { noted = e }
			w := httptest.NewRecorder()
			rd.Handle(func(http.ResponseWriter, *http.Request) error { return tt.err }).ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
			if w.Code != tt.status || strings.TrimSpace(w.Body.String()) != tt.body || w.Header().Get("Content-Type") != "application/json" {
				t.Errorf("%d %s %v", w.Code, w.Body, w.Header())
			}
			if got := w.Header().Get("Content-Length"); got != fmt.Sprint(w.Body.Len()) {
				t.Errorf("Content-Length %s of %d", got, w.Body.Len())
			}
			if diff := cmp.Diff(tt.log, strings.TrimSpace(log.String())); diff != "" {
				t.Error(diff)
			}
			if noted == nil || noted.Status != tt.status {
				t.Errorf("noted %v", noted)
			}
		})
	}
}

// The body that is too large comes over a real connection.
func TestTooLargeABody(t *testing.T) {
	srv := httptest.NewServer(renderer(&bytes.Buffer{}).Handle(func(w http.ResponseWriter, r *http.Request) error {
		_, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 10))
		return err
	}))
	defer srv.Close()
	resp, err := srv.Client().Post(srv.URL, "text/plain", strings.NewReader(strings.Repeat("x", 11)))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != 413 {
		t.Errorf("status %d", resp.StatusCode)
	}
}

func TestNoErrorLeavesTheAnswerAlone(t *testing.T) {
	var log bytes.Buffer
	w := httptest.NewRecorder()
	renderer(&log).Handle(func(w http.ResponseWriter, _ *http.Request) error {
		w.WriteHeader(http.StatusNoContent)
		return nil
	}).ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	if w.Code != 204 || w.Body.Len() != 0 || log.Len() != 0 {
		t.Errorf("%d %q %q", w.Code, w.Body, &log)
	}
}

func TestAnotherBodyFormat(t *testing.T) {
	rd := renderer(&bytes.Buffer{})
	rd.Render = func(w http.ResponseWriter, e *httperr.Error) { http.Error(w, e.Code, e.Status) }
	w := httptest.NewRecorder()
	rd.Write(w, httptest.NewRequest("GET", "/", nil), httperr.BadRequest("x", nil))
	if w.Code != 400 || w.Body.String() != "invalid_request\n" {
		t.Errorf("%d %q", w.Code, w.Body)
	}
}

func TestAs(t *testing.T) {
	cause := errors.New("cause")
	e := httperr.BadRequest("x", cause)
	if httperr.As(fmt.Errorf("y: %w", e)) != e || !errors.Is(e, cause) || e.Unwrap() != cause {
		t.Error("the chain is broken")
	}
	if unknown := httperr.As(cause); unknown.Status != 500 || !errors.Is(unknown, cause) || strings.Contains(unknown.Message, "cause") {
		t.Errorf("%+v", unknown)
	}
}

func TestWriteJSON(t *testing.T) {
	w := httptest.NewRecorder()
	httperr.WriteJSON(w, 200, map[string]string{"url": "https://a.example/?b=1&c=<2>"})
	var back map[string]string
	if err := json.Unmarshal(w.Body.Bytes(), &back); err != nil || !strings.Contains(w.Body.String(), "b=1&c=<2>") || back["url"] != "https://a.example/?b=1&c=<2>" {
		t.Errorf("%v %s", err, w.Body)
	}
	w = httptest.NewRecorder()
	httperr.WriteJSON(w, 200, func() {})
	if w.Code != 500 || w.Body.Len() != 0 {
		t.Errorf("what cannot be encoded: %d %q", w.Code, w.Body)
	}
}
