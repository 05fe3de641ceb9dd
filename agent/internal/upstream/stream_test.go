package upstream_test

import (
	"bufio"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"oauth-agent/agent/internal/upstream"
	"oauth-agent/test/double"
)

func TestEventsAreFlushedAtOnce(t *testing.T) {
	for name, contentType := range map[string]string{"events": "text/event-stream", "unknown length": "application/x-ndjson"} {
		t.Run(name, func(t *testing.T) {
			next := make(chan bool)
			api := double.NewUpstream(t, func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", contentType)
				for i := range 3 {
					_, _ = fmt.Fprintf(w, "data: %d\n\n", i)
					_ = http.NewResponseController(w).Flush()
					<-next
				}
			})
			w := newWorld(t, []upstream.Target{{Name: "/api", URL: parse(t, api.URL), Timeout: time.Second}})
			resp := w.do(t, w.request(t, "GET", "/api", nil))
			lines := bufio.NewScanner(resp.Body)
			for i := range 3 { // each is read before the next one is sent
				if !lines.Scan() || lines.Text() != fmt.Sprintf("data: %d", i) {
					t.Fatalf("event %d: %q %v", i, lines.Text(), lines.Err())
				}
				lines.Scan()
				next <- true
			}
		})
	}
}

// A part of a body of known length does not wait for the whole.
func TestSlowBodyOfKnownLength(t *testing.T) {
	read := make(chan bool)
	api := double.NewUpstream(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "2049")
		_, _ = io.WriteString(w, "a")
		_ = http.NewResponseController(w).Flush()
		<-read
		_, _ = io.WriteString(w, strings.Repeat("b", 2048))
	})
	w := newWorld(t, []upstream.Target{{Name: "/api", URL: parse(t, api.URL)}})
	resp := w.do(t, w.request(t, "GET", "/api", nil))
	var b [1]byte
	if _, err := io.ReadFull(resp.Body, b[:]); err != nil || b[0] != 'a' {
		t.Fatalf("%q %v", b, err)
	}
	close(read)
	if double.Text(t, resp) != strings.Repeat("b", 2048) {
		t.Error("the rest is missing")
	}
}

func TestBothWaysAtOnce(t *testing.T) {
	for _, h2c := range []bool{false, true} {
		api := double.NewUnstartedUpstream(func(w http.ResponseWriter, r *http.Request) {
			c := http.NewResponseController(w)
			_ = c.EnableFullDuplex()
			w.WriteHeader(200)
			_ = c.Flush()
			lines := bufio.NewScanner(r.Body)
			for lines.Scan() {
				_, _ = fmt.Fprintf(w, "%s!\n", lines.Text())
				_ = c.Flush()
			}
		})
		start(t, api, h2c)
		// Once the answer has begun there is no limit.
		w := newWorld(t, []upstream.Target{{Name: "/api", URL: parse(t, api.URL), H2C: h2c, Timeout: time.Second}})
		body, send := io.Pipe()
		r := w.request(t, "POST", "/api", body)
		r.ContentLength = int64(len("one\ntwo\nthree\n"))
		resp := w.do(t, r)
		if !resp.Close {
			t.Error("the connection would be used again while its body is still read")
		}
		time.Sleep(1500 * time.Millisecond)
		lines := bufio.NewScanner(resp.Body)
		for _, word := range []string{"one", "two", "three"} {
			if _, err := io.WriteString(send, word+"\n"); err != nil || !lines.Scan() || lines.Text() != word+"!" {
				t.Fatalf("h2c %v: %q %v %v", h2c, lines.Text(), err, lines.Err())
			}
		}
		_ = send.Close()
		if proto := api.One(t).Proto; (proto == "HTTP/2.0") != h2c {
			t.Errorf("h2c %v: came as %s", h2c, proto)
		}
	}
}

// start starts an upstream with or without HTTP/2 in clear text.
func start(t *testing.T, u *double.Upstream, h2c bool) {
	if h2c {
		u.Config.Protocols = new(http.Protocols)
		u.Config.Protocols.SetUnencryptedHTTP2(true)
	}
	u.Start()
	t.Cleanup(u.Close)
}

// zeros is a body without end.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestLargeBodies(t *testing.T) {
	const size = 100 << 20
	api := double.NewUpstream(t, func(w http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(w).EnableFullDuplex()
		sum := sha256.New()
		_, _ = io.Copy(io.MultiWriter(w, sum), r.Body)
		w.Header().Set(http.TrailerPrefix+"Sum", fmt.Sprintf("%x", sum.Sum(nil)))
	})
	w := newWorld(t, []upstream.Target{{Name: "/api", URL: parse(t, api.URL)}})
	sum := sha256.New()
	body := io.TeeReader(io.LimitReader(zeros{}, size), sum)
	resp := w.do(t, w.request(t, "PUT", "/api", body))
	back := sha256.New()
	n, err := io.Copy(back, resp.Body)
	want := fmt.Sprintf("%x", sum.Sum(nil))
	if err != nil || n != size || fmt.Sprintf("%x", back.Sum(nil)) != want || resp.Trailer.Get("Sum") != want {
		t.Errorf("%d bytes, %v, trailers %v", n, err, resp.Trailer)
	}
}

func TestTrailers(t *testing.T) {
	for _, h2c := range []bool{false, true} {
		api := double.NewUnstartedUpstream(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			w.Header().Set("Trailer", "X-Sent, X-Names")
			_, _ = io.WriteString(w, "body")
			w.Header().Set("X-Sent", r.Trailer.Get("X-Sum"))
			w.Header().Set("X-Names", fmt.Sprint(slices.Sorted(maps.Keys(r.Trailer))))
		})
		start(t, api, h2c)
		w := newWorld(t, []upstream.Target{{Name: "/api", URL: parse(t, api.URL), H2C: h2c}})
		r := w.request(t, "POST", "/api", io.MultiReader(strings.NewReader("body")))
		r.Trailer = http.Header{
			"X-Sum": {"42"}, "Authorization": {"Bearer x"}, "X-Forwarded-For": {"1"}, "Cookie": {"example-at=x"}, csrfHeader: {csrf},
			"X-Request-Id": {"forged"}, "Traceparent": {"00-1-1-00"}, "X-Original-Url": {"/admin"}, "X-Http-Method-Override": {"DELETE"},
		}
		resp := w.do(t, r)
		if body := double.Text(t, resp); body != "body" || resp.Trailer.Get("X-Sent") != "42" || resp.Trailer.Get("X-Names") != "[X-Sum]" {
			t.Errorf("h2c %v: %d %q, trailers %v", h2c, resp.StatusCode, body, resp.Trailer)
		}
	}
}

// notInterim is what an interim response must not bring to the client: it is ours
// to say, or meant for the next hop alone.
var notInterim = map[string]string{
	"Set-Cookie":                  "example-at=evil",
	"Access-Control-Allow-Origin": "*",
	"Clear-Site-Data":             `"cookies"`,
	"X-Request-Id":                "1",
	"Connection":                  "X-Hop, Keep-Alive",
	"X-Hop":                       "1",
	"Keep-Alive":                  "timeout=5",
	"Proxy-Authenticate":          "Basic",
	"Proxy-Connection":            "keep-alive",
	"Te":                          "trailers",
	"Trailer":                     "X-Sum",
	"Upgrade":                     "h2c",
}

func TestInterimResponses(t *testing.T) {
	api := double.NewUpstream(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Link", "</style.css>; rel=preload")
		for name, value := range notInterim {
			w.Header().Set(name, value)
		}
		w.WriteHeader(http.StatusEarlyHints)
		for name := range notInterim {
			w.Header().Del(name)
		}
		body, _ := io.ReadAll(r.Body)
		_, _ = w.Write(body)
	})
	w := newWorld(t, []upstream.Target{{Name: "/api", URL: parse(t, api.URL)}})
	conn, err := net.Dial("tcp", w.addr())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	_, _ = fmt.Fprintf(conn, "POST /api HTTP/1.1\r\nHost: x\r\nOrigin: %s\r\nCookie: %s\r\n%s: %s\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n",
		www, ownCookies, csrfHeader, csrf)
	in := bufio.NewReader(conn)
	var interim []int
	for {
		resp, err := http.ReadResponse(in, nil)
		if err != nil {
			t.Fatal(err)
		}
		for name, value := range notInterim {
			if slices.Contains(resp.Header[name], value) {
				t.Errorf("%d: %v", resp.StatusCode, resp.Header)
			}
		}
		if resp.StatusCode == http.StatusEarlyHints && resp.Header.Get("Link") == "" {
			t.Errorf("%d: %v", resp.StatusCode, resp.Header)
		}
		if resp.StatusCode >= 200 {
			if got := resp.Header.Values("Access-Control-Allow-Origin"); len(got) != 1 || got[0] != www || double.Text(t, resp) != "body" {
				t.Errorf("%v", resp.Header)
			}
			break
		}
		interim = append(interim, resp.StatusCode)
		if resp.StatusCode == http.StatusContinue {
			_, _ = io.WriteString(conn, "body")
		}
	}
	if len(interim) < 2 {
		t.Errorf("interim responses %v, want 103 and 100", interim)
	}
}

// A client of HTTP/1.0 would take an interim response for the answer; nginx asks
// so, unless it is told otherwise.
func TestNoInterimResponseInHTTP10(t *testing.T) {
	api := double.NewUpstream(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusEarlyHints)
		_, _ = io.WriteString(w, "body")
	})
	w := newWorld(t, []upstream.Target{{Name: "/api", URL: parse(t, api.URL)}})
	resp := double.Raw(t, w.addr(), strings.Replace(rawGet("/api"), "HTTP/1.1", "HTTP/1.0", 1))
	if resp == nil || resp.StatusCode != 200 || resp.Header.Get("Access-Control-Allow-Origin") != www || double.Text(t, resp) != "body" {
		t.Errorf("%v", resp)
	}
}

func TestHTTP2InAndOut(t *testing.T) {
	api := double.NewUnstartedUpstream(nil)
	api.EnableHTTP2 = true
	api.StartTLS()
	t.Cleanup(api.Close)
	w := buildWorld(t, []upstream.Target{{Name: "/api", URL: parse(t, api.URL)}}, func(o *upstream.Options) {
		o.Transports = upstream.NewTransportPool(0, &http.Transport{
			TLSClientConfig: api.Client().Transport.(*http.Transport).TLSClientConfig,
			Proxy: func(*http.Request) (*url.URL, error) {
				t.Error("a proxy would see the token")
				return nil, nil
			},
		})
	})
	w.server = httptest.NewUnstartedServer(w)
	w.server.EnableHTTP2 = true
	w.server.StartTLS()
	defer w.server.Close()
	resp := w.do(t, w.request(t, "POST", "/api/a%2Fb?x", strings.NewReader("hello")))
	got := api.One(t)
	if resp.Proto != "HTTP/2.0" || got.Proto != "HTTP/2.0" || got.Body != "hello" || got.URI != "/api/a%2Fb?x" {
		t.Errorf("%s, arrived %v", resp.Proto, got)
	}
	if got.Header.Get("X-Forwarded-Proto") != "https" || got.Header.Get("Authorization") != "Bearer "+token || got.Header["Cookie"] != nil {
		t.Errorf("arrived %v", got.Header)
	}
}

// A client that is still sending is told what went wrong before its connection
// ends: a reset would take the answer with it.
func TestAnswerBeforeTheBodyIsReadByAll(t *testing.T) {
	hang := make(chan bool)
	switching := listen(t, func(c net.Conn) {
		_, _ = io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n")
		<-hang
	})
	t.Cleanup(func() { close(hang) })
	w := newWorld(t, []upstream.Target{{Name: "/switching", URL: parse(t, "http://"+switching)}})
	for range 200 { // a race between two readers of one body
		r := w.request(t, "POST", "/switching", io.LimitReader(zeros{}, 64<<20))
		conn, err := net.Dial("tcp", r.URL.Host)
		if err != nil {
			t.Fatal(err)
		}
		go func() { _ = r.Write(conn) }()
		answer, err := io.ReadAll(conn)
		_ = conn.Close()
		if err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 502 ") {
			t.Fatalf("%v after %q", err, answer)
		}
	}
}

func TestUpstreamsThatFail(t *testing.T) {
	hang := make(chan bool)
	silent := double.NewUpstream(t, func(w http.ResponseWriter, r *http.Request) { <-hang })
	reset := double.NewUpstream(t, func(w http.ResponseWriter, r *http.Request) { panic(http.ErrAbortHandler) })
	nonsense := listen(t, func(c net.Conn) { _, _ = io.WriteString(c, "hello\r\n\r\n"); _ = c.Close() })
	endless := listen(t, func(c net.Conn) {
		for err := error(nil); err == nil; {
			_, err = io.WriteString(c, "HTTP/1.1 200 OK\r\nX-Long: "+strings.Repeat("x", 1<<20))
		}
	})
	switching := listen(t, func(c net.Conn) {
		_, _ = io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n")
		<-hang
	})
	deaf := listen(t, func(net.Conn) { <-hang }) // does not read
	gone := listen(t, nil)
	t.Cleanup(func() { close(hang) })
	w := newWorld(t, []upstream.Target{
		{Name: "/silent", URL: parse(t, silent.URL), Timeout: 50 * time.Millisecond},
		{Name: "/reset", URL: parse(t, reset.URL)},
		{Name: "/nonsense", URL: parse(t, "http://"+nonsense)},
		{Name: "/endless", URL: parse(t, "http://"+endless)},
		{Name: "/switching", URL: parse(t, "http://"+switching)},
		{Name: "/deaf", URL: parse(t, "http://"+deaf), Timeout: 50 * time.Millisecond},
		{Name: "/gone", URL: parse(t, "http://"+gone)},
		{Name: "/unknown", URL: parse(t, "http://no-such-host.invalid")},
		{Name: "/tls", URL: parse(t, "https://"+parse(t, silent.URL).Host)},
		{Name: "/notls", URL: parse(t, "https://"+deaf), Timeout: 50 * time.Millisecond},
	})
	for _, tt := range []struct {
		path   string
		status int
		code   string
	}{
		{"/silent", 504, "upstream_timeout"},
		{"/reset", 502, "upstream_error"},
		{"/nonsense", 502, "upstream_error"},
		{"/endless", 502, "upstream_error"},
		{"/switching", 502, "upstream_error"},
		{"/deaf", 504, "upstream_timeout"},
		{"/gone", 502, "upstream_error"},
		{"/unknown", 502, "upstream_error"},
		{"/tls", 502, "upstream_error"},
		{"/notls", 504, "upstream_timeout"},
	} {
		for _, method := range []string{"GET", "POST"} {
			var body io.Reader
			if method == "POST" {
				body = io.LimitReader(zeros{}, 64<<20) // more than any socket buffers
				if tt.path == "/silent" || tt.path == "/reset" {
					body = strings.NewReader("short")
				}
			}
			resp := w.do(t, w.request(t, method, tt.path, body))
			double.WantError(t, resp, tt.status, tt.code, token)
			if resp.Header.Get("Access-Control-Allow-Origin") != www {
				t.Errorf("%s: the page cannot read it", tt.path)
			}
		}
	}
	if strings.Contains(w.log.String(), token) || !strings.Contains(w.log.String(), "route /gone") {
		t.Errorf("log: %s", w.log)
	}
}

// listen serves raw connections; with no handler the port is closed again.
func listen(t *testing.T, serve func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if serve == nil {
		_ = l.Close()
		return l.Addr().String()
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() { defer func() { _ = c.Close() }(); serve(c) }()
		}
	}()
	return l.Addr().String()
}

// A body that breaks off must not look complete.
func TestUpstreamDiesInTheMiddle(t *testing.T) {
	api := double.NewUpstream(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/api/length" {
			w.Header().Set("Content-Length", "100")
		}
		_, _ = io.WriteString(w, "the beginning")
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	})
	w := newWorld(t, []upstream.Target{{Name: "/api", URL: parse(t, api.URL)}})
	for _, path := range []string{"/api/length", "/api/chunks"} {
		resp, err := w.server.Client().Transport.RoundTrip(w.request(t, "GET", path, nil))
		if err != nil {
			continue // broken off before anything was sent
		}
		if body, err := io.ReadAll(resp.Body); err == nil {
			t.Errorf("%s: %q without an error", path, body)
		}
		_ = resp.Body.Close()
	}
}

func TestBodiesThatAreRefused(t *testing.T) {
	api := double.NewUpstream(t, nil)
	w := newWorld(t, []upstream.Target{
		{Name: "/small", URL: parse(t, api.URL), MaxBody: 10},
		{Name: "/slow", URL: parse(t, api.URL), Timeout: 500 * time.Millisecond},
		{Name: "/gone", URL: parse(t, "http://"+listen(t, nil)), Timeout: time.Hour},
	})
	do := func(path string, body io.Reader) *http.Response {
		return w.do(t, w.request(t, "POST", path, body))
	}
	if resp := do("/small", strings.NewReader("0123456789")); resp.StatusCode != 200 {
		t.Errorf("at the limit: %d", resp.StatusCode)
	}
	api.Take()
	double.WantError(t, do("/small", strings.NewReader("0123456789a")), 413, "request_too_large", token)
	if got := api.Take(); len(got) > 0 {
		t.Errorf("arrived: %v", got)
	}
	double.WantError(t, do("/small", io.MultiReader(strings.NewReader("0123456789a"))), 413, "request_too_large", token)

	head := " HTTP/1.1\r\nHost: x\r\nOrigin: " + www + "\r\nCookie: " + ownCookies + "\r\n" + csrfHeader + ": " + csrf + "\r\n"
	for name, tt := range map[string]struct {
		path, rest string
		status     int
		code       string
	}{
		"stops sending": {"/slow", "Content-Length: 9\r\n\r\nabc", 408, "invalid_request"},
		"bad chunk":     {"/slow", "Transfer-Encoding: chunked\r\n\r\nzz\r\n", 400, "invalid_request"},
		// The rest of its body is not waited for.
		"stops sending to nobody": {"/gone", "Content-Length: 9\r\n\r\nabc", 502, "upstream_error"},
	} {
		resp := double.Raw(t, w.addr(), "POST "+tt.path+head+tt.rest)
		if resp == nil {
			t.Errorf("%s: no answer", name)
			continue
		}
		double.WantError(t, resp, tt.status, tt.code, token)
	}
	if strings.Count(w.log.String(), "level=ERROR") > 1 { // but for the upstream that is gone
		t.Errorf("a client's fault was logged as an error: %s", w.log)
	}
}

// A body may take longer than the time-out as long as it goes on.
func TestSlowUploadThatGoesOn(t *testing.T) {
	t.Parallel()
	api := double.NewUpstream(t, nil)
	w := newWorld(t, []upstream.Target{{Name: "/api", URL: parse(t, api.URL), Timeout: 3 * time.Second}})
	body, send := io.Pipe()
	go func() {
		for range 12 {
			time.Sleep(300 * time.Millisecond) // the point of the test
			_, _ = io.WriteString(send, "x")
		}
		_ = send.Close()
	}()
	resp := w.do(t, w.request(t, "POST", "/api", body))
	if got := api.One(t).Body; resp.StatusCode != 200 || got != strings.Repeat("x", 12) {
		t.Errorf("%d, arrived %q", resp.StatusCode, got)
	}
}

// The end of a client ends the request at the upstream.
func TestClientLeaves(t *testing.T) {
	left := make(chan bool)
	api := double.NewUpstream(t, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(200)
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
		close(left)
	})
	w := newWorld(t, []upstream.Target{{Name: "/api", URL: parse(t, api.URL)}})
	resp := w.do(t, w.request(t, "GET", "/api", nil))
	_ = resp.Body.Close()
	select {
	case <-left:
	case <-time.After(10 * time.Second):
		t.Fatal("the upstream still serves it")
	}
}

// A body that comes drop by drop comes to an end, and a large one does not.
func TestTricklingBody(t *testing.T) {
	const timeout = time.Second
	api := double.NewUpstream(t, nil)
	w := newWorld(t, []upstream.Target{{Name: "/api", URL: parse(t, api.URL), Timeout: timeout}})
	for size, status := range map[int]int{1: 408, 4096: 200} {
		t.Run(strconv.Itoa(size), func(t *testing.T) {
			t.Parallel()
			body, send := io.Pipe()
			defer func() { _ = body.Close() }()
			go func() {
				part := make([]byte, size)
				for begun := time.Now(); size == 1 || time.Since(begun) < 12*timeout; time.Sleep(timeout / 20) {
					if _, err := send.Write(part); err != nil {
						return
					}
				}
				_ = send.Close()
			}()
			if resp := w.do(t, w.request(t, "POST", "/api", body)); resp.StatusCode != status {
				t.Errorf("%d bytes at a time: %d", size, resp.StatusCode)
			}
		})
	}
}

// A trailer that is announced under a name that none has is not passed on: the
// API would be said to be at fault.
func TestTrailersOfOddNames(t *testing.T) {
	api := double.NewUpstream(t, nil)
	w := newWorld(t, []upstream.Target{{Name: "/api", URL: parse(t, api.URL)}})
	for _, name := range []string{"a b", "X-\xc3\xa4", "X-A:", ":path", "Connection", "Keep-Alive", "Te", "Upgrade", ",", ""} {
		resp := double.Raw(t, w.addr(), fmt.Sprintf("POST /api HTTP/1.1\r\nHost: x\r\nOrigin: %s\r\nCookie: %s\r\n%s: %s\r\nTrailer: X-Sum, %s\r\n"+
			"Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX-Sum: 42\r\nConnection: x\r\n\r\n", www, ownCookies, csrfHeader, csrf, name))
		if resp == nil || resp.StatusCode != 200 {
			t.Errorf("%q: %v", name, resp)
			continue
		}
		if got := api.One(t).Trailer; len(got) != 1 || got.Get("X-Sum") != "42" {
			t.Errorf("%q: arrived %v", name, got)
		}
	}
}

// What may not come as a header may not come as a trailer.
func TestTrailersOfAnswers(t *testing.T) {
	for _, announced := range []bool{true, false} {
		api := double.NewUpstream(t, func(w http.ResponseWriter, r *http.Request) {
			names := []string{"X-Sum", "Set-Cookie", "Access-Control-Allow-Origin"}
			prefix := http.TrailerPrefix
			if announced {
				prefix = ""
				w.Header().Set("Trailer", strings.Join(names, ", "))
			}
			_, _ = io.WriteString(w, "body")
			_ = http.NewResponseController(w).Flush()
			for _, name := range names {
				w.Header().Set(prefix+name, "1")
			}
		})
		w := newWorld(t, []upstream.Target{{Name: "/api", URL: parse(t, api.URL)}})
		resp := w.do(t, w.request(t, "GET", "/api", nil))
		if double.Text(t, resp) != "body" || resp.Trailer.Get("X-Sum") != "1" || resp.Trailer.Get("Set-Cookie") != "" ||
			resp.Trailer.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("announced %v: %v", announced, resp.Trailer)
		}
	}
}

func TestClientThatBreaksOff(t *testing.T) {
	api := double.NewUpstream(t, nil)
	w := newWorld(t, []upstream.Target{{Name: "/api", URL: parse(t, api.URL)}})
	body := io.MultiReader(strings.NewReader("abc"), iotest.ErrReader(errors.New("the client's own")))
	r := w.request(t, "POST", "/api", body)
	if resp, err := w.server.Client().Transport.RoundTrip(r); err == nil {
		_ = resp.Body.Close()
		t.Errorf("answered %d", resp.StatusCode)
	}
	w.server.Close() // waits for the request
	if strings.Contains(w.log.String(), "level=ERROR") {
		t.Errorf("log: %s", w.log)
	}
}
