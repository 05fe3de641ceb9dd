package double

import (
	"bufio"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// Text reads the body of a response.
func Text(tb testing.TB, resp *http.Response) string {
	tb.Helper()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		tb.Fatal(err)
	}
	return string(b)
}

// WantError checks a response that is an error of the program's own, with no secret in
// it.
func WantError(tb testing.TB, resp *http.Response, status int, code, secret string) {
	tb.Helper()
	raw := Text(tb, resp)
	var body struct{ Code, Message string }
	err := json.Unmarshal([]byte(raw), &body)
	if resp.StatusCode != status || err != nil || body.Code != code || body.Message == "" {
		tb.Errorf("response: %d %s, want %d %s", resp.StatusCode, raw, status, code)
	}
	if resp.Header.Get("Cache-Control") != "no-store" {
		tb.Errorf("an error may be cached: %v", resp.Header)
	}
	if strings.Contains(raw, secret) {
		tb.Errorf("a token in the response: %s", raw)
	}
}

// Raw sends the bytes of a request and returns the response; nil if the server closes
// instead.
func Raw(tb testing.TB, addr, request string) *http.Response {
	tb.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := io.WriteString(conn, request); err != nil {
		tb.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return nil
	}
	return resp
}
