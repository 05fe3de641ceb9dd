package spa_test

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"

	"oauth-agent/agent/internal/httperr"
	"oauth-agent/agent/internal/spa"
)

const outside = "c4nary-outside"

// dist is a built app in a directory, with a file beside that is not its own.
func dist(t testing.TB) *os.Root {
	t.Helper()
	top := t.TempDir()
	dir := filepath.Join(top, "dist")
	for name, text := range map[string]string{
		"../secret.txt": outside, "index.html": "<!doctype html>page", "index.html.br": "BR page", "favicon.ico": "icon", "about.html": "about",
		"assets/index-BkV3x9Qa.js": "script()", "assets/index-BkV3x9Qa.js.br": "BR", "assets/index-BkV3x9Qa.js.gz": "GZ script",
		"plain.css": "body{}", "plain.css.gz": "GZ css", ".env": outside, ".git/config": outside, "assets/.hidden.js": outside,
		"a b.txt": "spaces", "noext": "without", "x.svg": "<svg/>", "data.unknownext": "?",
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for link, to := range map[string]string{"out.txt": "../secret.txt", "abs.txt": filepath.Join(top, "secret.txt"), "up": "..", "in.txt": "plain.css"} {
		if err := os.Symlink(to, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe.txt"), 0o600); err != nil {
		t.Fatal(err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = root.Close() })
	return root
}

func serve(t testing.TB, opt spa.Options) *httptest.Server {
	t.Helper()
	h, err := spa.New(dist(t).FS(), opt)
	if err != nil {
		t.Fatal(err)
	}
	render := &httperr.Renderer{Log: slog.New(slog.DiscardHandler)}
	srv := httptest.NewServer(render.Handle(h.Serve))
	t.Cleanup(srv.Close)
	return srv
}

// do sends a path as it is written, with headers as "Name: value" lines.
func do(t *testing.T, srv *httptest.Server, method, path, headers string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, srv.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.URL.Opaque = path
	req.Header.Set("Accept-Encoding", "identity")
	for line := range strings.Lines(headers) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		req.Header.Set(name, value)
	}
	resp, err := srv.Client().Transport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(body)
}

const (
	page     = "<!doctype html>page"
	navigate = "Sec-Fetch-Mode: navigate"
	accepts  = "Accept: text/html,application/xhtml+xml,*/*;q=0.8"
)

func TestPaths(t *testing.T) {
	srv := serve(t, spa.Options{})
	for _, tt := range []struct {
		path, headers string
		status        int
		body          string // of 200
	}{
		{"/", "", 200, page},
		{"/?code=1", "", 200, page},
		{"/index.html", "", 200, page},
		{"/plain.css", "", 200, "body{}"},
		{"/in.txt", "", 200, "body{}"},
		{"/noext", "", 200, "without"},
		{"/a%20b.txt", "", 200, "spaces"},
		{"/assets/index-BkV3x9Qa.js", navigate, 200, "script()"},

		{"/orders", navigate, 200, page},
		{"/orders/", navigate, 200, page},
		{"/orders/1.2", accepts, 200, page},
		{"/orders/a%2Fb", accepts, 200, page},
		{"/assets", navigate, 200, page}, // a directory
		{"/assets/", navigate, 200, page},
		{"/assets%2Findex-BkV3x9Qa", navigate, 200, page},
		{"/orders", "", 404, ""},
		{"/assets", "", 404, ""},
		{"/assets/", "", 404, ""},
		{"/orders", "Sec-Fetch-Mode: cors\nAccept: application/json", 404, ""},

		// A navigation gets the page whatever its path looks like.
		{"/users/ada.lovelace", navigate, 200, page},
		{"/users/ada.lovelace", navigate + "\nSec-Fetch-Dest: document", 200, page},
		{"/users/ada.lovelace", navigate + "\nSec-Fetch-Dest: iframe", 200, page},
		{"/users/ada.lovelace", accepts, 200, page},
		{"/domains/example.com/", accepts, 200, page},
		{"/tags/.net", navigate, 200, page},
		{"/missing.js", navigate, 200, page},
		{"/plain.css/", accepts, 200, page},
		{"/assets%2Findex-BkV3x9Qa.js", accepts, 200, page},
		// Whatever loads a part of a page does not, Accept or no Accept.
		{"/missing.js", "", 404, ""},
		{"/missing.js", "Sec-Fetch-Mode: no-cors\nSec-Fetch-Dest: script", 404, ""},
		{"/missing.js", "Sec-Fetch-Mode: no-cors\n" + accepts, 404, ""},
		{"/missing.png", "Sec-Fetch-Mode: no-cors\nSec-Fetch-Dest: image", 404, ""},
		{"/missing.svg", navigate + "\nSec-Fetch-Dest: object", 404, ""},
		{"/missing.pdf", navigate + "\nSec-Fetch-Dest: embed\n" + accepts, 404, ""},
		{"/missing.css", "Accept: text/css,*/*;q=0.1", 404, ""},
		{"/users/ada.lovelace", "Sec-Fetch-Mode: cors\n" + accepts, 404, ""},

		{"/.env", navigate, 404, ""},
		{"/.git/config", navigate, 404, ""},
		{"/assets/.hidden.js", "", 404, ""},
		{"/assets/.hidden.js", navigate, 200, page},
		{"/.well-known/nothing.x", navigate, 404, ""},
		{"/%2eenv", navigate, 404, ""},
		{"/../secret.txt", navigate, 404, ""},
		{"/%2e%2e/secret.txt", navigate, 404, ""},
		{"/..%2fsecret.txt", navigate, 404, ""},
		{"/assets/../plain.css", navigate, 404, ""},
		{"/./plain.css", navigate, 404, ""},
		{"//plain.css", navigate, 404, ""},
		{"/assets//x", navigate, 404, ""},
		{"/..%5csecret.txt", navigate, 404, ""},
		{"/plain.css%00", navigate, 404, ""},
		{"/%ff", navigate, 404, ""},
		{"/out.txt", "", 404, ""},
		{"/out.txt", navigate, 200, page},
		{"/abs.txt", "", 404, ""},
		{"/up/secret.txt", "", 404, ""},
		{"/pipe.txt", "", 404, ""},
	} {
		resp, body := do(t, srv, "GET", tt.path, tt.headers)
		if resp.StatusCode != tt.status || tt.status == 200 && body != tt.body {
			t.Errorf("%s %q: %d %s", tt.path, tt.headers, resp.StatusCode, body)
		}
		if tt.status == 404 && (!strings.Contains(body, `"code":"not_found"`) || resp.Header.Get("Content-Type") != "application/json") {
			t.Errorf("%s: %s %v", tt.path, body, resp.Header)
		}
		if strings.Contains(body, outside) {
			t.Errorf("%s gave what is not the page's", tt.path)
		}
	}
}

func TestMethods(t *testing.T) {
	srv := serve(t, spa.Options{})
	for _, method := range []string{"POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PROPFIND"} {
		if resp, body := do(t, srv, method, "/", ""); resp.StatusCode != 405 || resp.Header.Get("Allow") != "GET, HEAD" || !strings.Contains(body, "method_not_allowed") {
			t.Errorf("%s: %d %v", method, resp.StatusCode, resp.Header)
		}
	}
	for _, headers := range []string{"", "Accept-Encoding: br"} {
		get, body := do(t, srv, "GET", "/assets/index-BkV3x9Qa.js", headers)
		head, none := do(t, srv, "HEAD", "/assets/index-BkV3x9Qa.js", headers)
		if head.StatusCode != 200 || none != "" || head.ContentLength != int64(len(body)) || head.Header.Get("ETag") != get.Header.Get("ETag") {
			t.Errorf("HEAD: %d %d %v", head.StatusCode, head.ContentLength, head.Header)
		}
	}
}

func TestHeaders(t *testing.T) {
	const immutable = "public, max-age=31536000, immutable"
	srv := serve(t, spa.Options{})
	for path, want := range map[string][2]string{
		"/": {"no-cache", "text/html; charset=utf-8"}, "/orders": {"no-cache", "text/html; charset=utf-8"},
		"/about.html": {"no-cache", "text/html; charset=utf-8"}, "/plain.css": {"no-cache", "text/css; charset=utf-8"},
		"/assets/index-BkV3x9Qa.js": {immutable, "text/javascript; charset=utf-8"}, "/x.svg": {"no-cache", "image/svg+xml"},
		"/noext": {"no-cache", "application/octet-stream"}, "/data.unknownext": {"no-cache", "application/octet-stream"},
	} {
		resp, _ := do(t, srv, "GET", path, navigate)
		for name, value := range map[string]string{
			"Cache-Control": want[0], "Content-Type": want[1], "X-Content-Type-Options": "nosniff",
			"Referrer-Policy": "strict-origin-when-cross-origin", "Cross-Origin-Opener-Policy": "same-origin",
			"Content-Security-Policy": spa.DefaultCSP, "Last-Modified": "",
		} {
			if got := resp.Header.Get(name); got != value {
				t.Errorf("%s %s: %q, want %q", path, name, got, value)
			}
		}
		vary := strings.Join(resp.Header["Vary"], ", ")
		if !strings.Contains(vary, "Accept-Encoding") || strings.Contains(vary, "Sec-Fetch-Mode") != (path == "/orders") {
			t.Errorf("%s: Vary %s", path, vary)
		}
	}
	resp, _ := do(t, serve(t, spa.Options{CSP: "default-src 'self'"}), "GET", "/", "")
	if got := resp.Header["Content-Security-Policy"]; len(got) != 1 || got[0] != "default-src 'self'" {
		t.Errorf("CSP %q", got)
	}
}

func TestConditionsAndRanges(t *testing.T) {
	srv := serve(t, spa.Options{})
	const path = "/assets/index-BkV3x9Qa.js"
	first, _ := do(t, srv, "GET", path, "")
	etag := first.Header.Get("ETag")
	br, _ := do(t, srv, "GET", path, "Accept-Encoding: br")
	if etag == "" || strings.HasPrefix(etag, "W/") || br.Header.Get("ETag") == etag {
		t.Fatalf("ETag %q, with br %q", etag, br.Header.Get("ETag"))
	}
	for _, tt := range []struct {
		headers string
		status  int
		body    string
	}{
		{"If-None-Match: " + etag, 304, ""},
		{"Accept-Encoding: br\nIf-None-Match: " + br.Header.Get("ETag"), 304, ""},
		{"Accept-Encoding: br\nIf-None-Match: " + etag, 200, "BR"},
		{"Range: bytes=0-5", 206, "script"},
		{"Range: bytes=0-5\nAccept-Encoding: gzip", 206, "GZ scr"},
		{"Range: bytes=0-5\nIf-Range: \"other\"", 200, "script()"},
		{"Range: bytes=0-5\nIf-Range: " + etag, 206, "script"},
		{"Range: bytes=100-", 416, "invalid range: failed to overlap\n"},
		{"If-Match: \"other\"", 412, ""},
		{"If-Match: \"other\"\nAccept-Encoding: br", 412, ""},
	} {
		resp, body := do(t, srv, "GET", path, tt.headers)
		if resp.StatusCode != tt.status || body != tt.body {
			t.Errorf("%q: %d %q", tt.headers, resp.StatusCode, body)
		}
		if tt.status == 304 && (resp.Header.Get("ETag") == "" || resp.Header.Get("Cache-Control") == "" || resp.Header.Get("Vary") == "") {
			t.Errorf("304 with %v", resp.Header)
		}
	}
}

func TestEncodings(t *testing.T) {
	srv := serve(t, spa.Options{})
	for _, tt := range []struct{ path, accept, encoding, body string }{
		{"/assets/index-BkV3x9Qa.js", "gzip, deflate, br, zstd", "br", "BR"},
		{"/assets/index-BkV3x9Qa.js", "gzip", "gzip", "GZ script"},
		{"/assets/index-BkV3x9Qa.js", "x-gzip", "gzip", "GZ script"},
		{"/assets/index-BkV3x9Qa.js", "GZIP;Q=0.5 , BR; q=0.4", "gzip", "GZ script"},
		{"/assets/index-BkV3x9Qa.js", "br;q=0, gzip", "gzip", "GZ script"},
		{"/assets/index-BkV3x9Qa.js", "gzip;q=0, *", "br", "BR"},
		{"/assets/index-BkV3x9Qa.js", "br;q=0, gzip;q=0, *", "", "script()"},
		{"/assets/index-BkV3x9Qa.js", "*;q=0", "", "script()"},
		{"/assets/index-BkV3x9Qa.js", "identity, gzip;q=0.5", "", "script()"},
		{"/assets/index-BkV3x9Qa.js", "br;q=nan, gzip;q=2", "", "script()"},
		{"/assets/index-BkV3x9Qa.js", "zstd", "", "script()"},
		{"/plain.css", "br, gzip", "gzip", "GZ css"},
		{"/plain.css", "br", "", "body{}"},
		{"/orders", "br", "br", "BR page"},
	} {
		resp, body := do(t, srv, "GET", tt.path, "Accept-Encoding: "+tt.accept+"\n"+navigate)
		if resp.Header.Get("Content-Encoding") != tt.encoding || body != tt.body || resp.ContentLength != int64(len(body)) {
			t.Errorf("%s %q: %q %q of %d", tt.path, tt.accept, resp.Header.Get("Content-Encoding"), body, resp.ContentLength)
		}
		if ct := resp.Header.Get("Content-Type"); !strings.HasPrefix(ct, "text/") {
			t.Errorf("%s %q: %s", tt.path, tt.accept, ct)
		}
	}
}

// A new build replaces files while the program runs.
func TestNewFilesAreSeen(t *testing.T) {
	root := dist(t)
	h, err := spa.New(root.FS(), spa.Options{})
	if err != nil {
		t.Fatal(err)
	}
	get := func() *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		if err := h.Serve(w, httptest.NewRequest("GET", "/", nil)); err != nil {
			t.Fatal(err)
		}
		return w
	}
	old := get()
	if err := root.WriteFile("index.html", []byte("a new page"), 0o600); err != nil {
		t.Fatal(err)
	}
	if now := get(); now.Body.String() != "a new page" || now.Header().Get("ETag") == old.Header().Get("ETag") {
		t.Errorf("%s %s", now.Body, now.Header().Get("ETag"))
	}
}

func TestNoPageIsAnError(t *testing.T) {
	for name, files := range map[string]fstest.MapFS{"nothing": {}, "a directory": {"index.html/x": {}}} {
		if h, err := spa.New(files, spa.Options{}); err == nil || h != nil {
			t.Errorf("%s was taken", name)
		}
	}
}
