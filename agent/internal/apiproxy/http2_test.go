package apiproxy_test

import (
	"bufio"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"oauth-agent/agent/internal/apiproxy"
	"oauth-agent/agent/internal/session"
	"oauth-agent/test/double"
)

// HTTP/2 brings what no request line could. Whatever it is, it is the client's
// fault and not the API's.
func TestOddHTTP2Requests(t *testing.T) {
	api := double.NewUpstream(t, nil)
	w := buildWorld(t, []apiproxy.Route{{Path: "/api", Upstream: parse(t, api.URL)}, {Path: "/strip", Upstream: parse(t, api.URL), StripPrefix: true}})
	srv := httptest.NewUnstartedServer(w.surface())
	srv.Config.Protocols = new(http.Protocols)
	srv.Config.Protocols.SetUnencryptedHTTP2(true)
	srv.Start()
	t.Cleanup(srv.Close)
	b := w.login(t, session.Tokens{})
	for _, tt := range []struct {
		method, path, authority string
		header                  []string
		status                  int // 0: the stream is reset
	}{
		{"GET", "/api/x", "www.example.com", nil, 200},
		{"get", "/api/x", "www.example.com", nil, 200}, // another method than GET
		{"FROB", "/api/x", "www.example.com", nil, 200},
		{"A B", "/api/x", "www.example.com", nil, 400},
		{"GET\tx", "/api/x", "www.example.com", nil, 400},
		{"G\xc3\x89T", "/api/x", "www.example.com", nil, 400},
		{"GET / HTTP/1.1", "/api/x", "www.example.com", nil, 400},
		{"(", "/api/x", "www.example.com", nil, 400},
		{"TRACE", "/api/x", "www.example.com", nil, 405},
		{"trace", "/api/x", "www.example.com", nil, 405},
		{"", "/api/x", "www.example.com", nil, 0},
		{"GET", "/api/x", "", nil, 200},
		{"GET", "/api/x", "a b", nil, 200},
		{"GET", "/api/x", "a\tb", nil, 200},
		{"GET", "/api/x", "\xc3\xa4.example", nil, 200},
		{"GET", "/api/x", `"<>`, nil, 200},
		{"GET", "/api/x", "user@www.example.com/../", nil, 0},
		{"GET", "/api/a b", "www.example.com", nil, 200},
		{"GET", "/api/a\tb", "www.example.com", nil, 0},
		{"GET", "/api/x?a b", "www.example.com", nil, 400},
		{"GET", "/api/x?a\tb", "www.example.com", nil, 0},
		{"GET", "/api/x?\xc3\xa4", "www.example.com", nil, 200},
		{"GET", "/strip?x", "www.example.com", nil, 200},
		{"GET", "http://evil.example/api/x", "www.example.com", nil, 200},
		{"GET", "/api/x", "www.example.com", []string{"x-tab", "a\tb"}, 200},
		{"GET", "/api/x", "www.example.com", []string{"x-utf8", "\xff"}, 200},
		{"GET", "/api/x", "www.example.com", []string{"host", "evil.example"}, 200},
		{"GET", "/api/x", "www.example.com", []string{"content-length", "5"}, 200},
		{"GET", "/api/x", "www.example.com", []string{"trailer", "Content-Length, Transfer-Encoding, X-Y"}, 200},
		{"GET", "/api/x", "www.example.com", []string{"expect", "200-ok"}, 417},
	} {
		header := append([]string{"origin", www, strings.ToLower(csrfHeader), b.csrf, "cookie", b.header()}, tt.header...)
		status := ask2(t, srv.Listener.Addr().String(), append([]string{":method", tt.method, ":scheme", "http", ":authority", tt.authority, ":path", tt.path}, header...))
		if status != tt.status {
			t.Errorf("%q %q %q %v: %d, want %d", tt.method, tt.path, tt.authority, tt.header, status, tt.status)
		}
	}
}

// ask2 sends a request of HTTP/2 as it stands and returns the status of the answer,
// 0 if there is none (RFC 9113 4.1, 6.2).
func ask2(t *testing.T, addr string, fields []string) int {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	var block []byte
	for i := 0; i < len(fields); i += 2 {
		block = append(block, 0) // literal, never indexed, new name (RFC 7541 6.2.2)
		for _, s := range fields[i : i+2] {
			block = append(hpackLength(block, len(s)), s...)
		}
	}
	const endStream, endHeaders = 1, 4
	out := []byte("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00")
	out = append(out, byte(len(block)>>16), byte(len(block)>>8), byte(len(block)), 1, endStream|endHeaders, 0, 0, 0, 1)
	if _, err := conn.Write(append(out, block...)); err != nil {
		t.Fatal(err)
	}
	in := bufio.NewReader(conn)
	for {
		head := make([]byte, 9)
		if _, err := io.ReadFull(in, head); err != nil {
			t.Fatal(err)
		}
		payload := make([]byte, int(binary.BigEndian.Uint32(head)>>8))
		if _, err := io.ReadFull(in, payload); err != nil {
			t.Fatal(err)
		}
		switch head[3] {
		case 1:
			return hpackStatus(payload)
		case 3, 7: // reset, or the end of the connection
			return 0
		}
	}
}

// hpackLength is the length of a string that is not compressed (RFC 7541 5.1).
func hpackLength(b []byte, n int) []byte {
	if n < 127 {
		return append(b, byte(n))
	}
	return binary.AppendUvarint(append(b, 127), uint64(n-127))
}

// hpackStatus reads a status, which comes first (RFC 7541 A, B).
func hpackStatus(block []byte) int {
	for len(block) > 0 && block[0]>>5 == 1 { // a size of the table
		block = block[1:]
	}
	if block[0]&0x80 != 0 {
		return []int{200, 204, 206, 304, 400, 404, 500}[block[0]&0x7f-8]
	}
	length := int(block[1] & 0x7f)
	text := block[2 : 2+length]
	if block[1]&0x80 == 0 {
		status, _ := strconv.Atoi(string(text))
		return status
	}
	var bits uint32
	for i := range 4 {
		bits <<= 8
		if i < length {
			bits |= uint32(text[i])
		}
	}
	status := 0
	for range 3 {
		if bits>>27 < 3 { // 0 to 2 have five bits, the others six
			status, bits = status*10+int(bits>>27), bits<<5
		} else {
			status, bits = status*10+int(bits>>26-0x19)+3, bits<<6
		}
	}
	return status
}
