//go:build interop

package gateways

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"oauth-agent/test/double"
	"oauth-agent/test/internal/process"
)

// caches are shared caches in front of the OAuth Proxy that keep an answer with
// its cookies: Apache's does so as it is installed, nginx's where an operator has
// told it to.
func caches() []gateway {
	return []gateway{{name: "apache2", start: startApacheCache}, {name: "nginx", start: startNginxCache}}
}

// dated is the header by which an API that knows its answers to be the same for
// everybody says so.
var dated = []string{"Cache-Control: public, max-age=600"}

// A refresh on the way sends new cookies with the API's answer. No cache keeps them
// for the next user, whatever the API says.
func TestSharedCache(t *testing.T) {
	s := setup{env: []string{"REFRESH_INLINE=true", "COOKIE_BASE_PATH=/"}}
	eachOf(t, caches(), s, func(w *world) {
		w.checkKeeps()
		for i, headers := range [][]string{
			dated,
			{"Cache-Control: s-maxage=600"},
			{"Cache-Control: max-age=600"},
			{"Cache-Control: public", "Expires: Fri, 01 Jan 2100 00:00:00 GMT"},
			{"Expires: Fri, 01 Jan 2100 00:00:00 GMT"},
			{"X-Accel-Expires: 600"},
			{"Cache-Control: public, max-age=600", "X-Accel-Expires: 600", "Surrogate-Control: max-age=600", "CDN-Cache-Control: max-age=600"},
			{"Cache-Control: public, max-age=600", "Set-Cookie: theme=dark"},
			{"Cache-Control: public, max-age=600", "Trailer: X-Sum"},
			{"Last-Modified: Thu, 01 Jan 1970 00:00:00 GMT"}, // heuristic
		} {
			w.answer = answering(headers)
			w.checkNotKept(fmt.Sprintf("/api/%d", i), strings.Join(headers, "; "))
		}
	})
}

// The same for a cache that asks whether what it has is still good.
func TestSharedCacheRevalidates(t *testing.T) {
	s := setup{env: []string{"REFRESH_INLINE=true", "COOKIE_BASE_PATH=/"}}
	eachOf(t, caches(), s, func(w *world) {
		w.answer = func(rw http.ResponseWriter, r *http.Request) {
			rw.Header().Set("ETag", `"1"`)
			rw.Header().Set("Cache-Control", "public, max-age=1")
			if r.Header.Get("If-None-Match") != "" {
				rw.Header().Set("Cache-Control", "public, max-age=600")
				rw.WriteHeader(http.StatusNotModified)
				return
			}
			_, _ = rw.Write([]byte("orders"))
		}
		w.get(w.login(), "/api/x")
		time.Sleep(2100 * time.Millisecond)
		u := w.login()
		w.api.take()
		w.advance(6 * time.Minute)
		w.get(u, "/api/x")
		if seen := w.api.take(); len(seen) == 0 || seen[0].header["If-None-Match"] == nil {
			w.t.Fatalf("not asked whether it is good: %v", seen)
		}
		if stranger := w.get(nil, "/api/x"); hasAgentCookie(stranger) {
			w.t.Errorf("a stranger got %v", stranger.Header)
		}
	})
}

func answering(headers []string) http.HandlerFunc {
	return func(rw http.ResponseWriter, _ *http.Request) {
		for _, line := range headers {
			name, value, _ := strings.Cut(line, ": ")
			rw.Header().Set(name, value)
		}
		_, _ = rw.Write([]byte("orders"))
	}
}

// checkKeeps makes sure that the cache is one.
func (w *world) checkKeeps() {
	w.answer = answering(dated)
	if first := w.get(w.login(), "/api/kept"); first.StatusCode != 200 || hasAgentCookie(first) {
		w.t.Fatalf("%v", first)
	}
	if stranger := w.get(nil, "/api/kept"); stranger.StatusCode != 200 {
		w.t.Fatalf("the cache keeps nothing: %v", stranger)
	}
}

func (w *world) checkNotKept(path, what string) {
	u := w.login()
	w.advance(6 * time.Minute)
	if first := w.get(u, path); first.StatusCode != 200 || !hasAgentCookie(first) {
		w.t.Errorf("%s: no new cookies: %v", what, first)
	}
	if stranger := w.get(nil, path); stranger.StatusCode != 401 || hasAgentCookie(stranger) {
		w.t.Errorf("%s: a stranger got %v", what, stranger)
	}
}

// get asks as the page does; nil is a user without a session.
func (w *world) get(u *user, path string) *http.Response {
	w.t.Helper()
	resp, _, _ := w.raw(w.head(u, "GET", path, "Connection: close"))
	if resp == nil {
		w.t.Fatalf("%s: no answer", path)
	}
	return resp
}

func hasAgentCookie(resp *http.Response) bool {
	return strings.Contains(strings.Join(resp.Header["Set-Cookie"], "\n"), "example-")
}

func startApacheCache(t *testing.T, public, _, _ string) int {
	port, dir := double.FreePort(t), t.TempDir()
	// Started by root, the server's children are somebody else.
	if err := os.Chmod(filepath.Dir(dir), 0o755); err != nil {
		t.Fatal(err)
	}
	kept := filepath.Join(dir, "kept")
	if err := os.Mkdir(kept, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(kept, 0o777); err != nil {
		t.Fatal(err)
	}
	conf := fmt.Sprintf("ServerRoot %[1]s\nServerName localhost\nListen 127.0.0.1:%[2]d\nPidFile %[1]s/pid\nErrorLog /dev/stderr\nUser www-data\nGroup www-data\n", dir, port)
	for _, module := range []string{"mpm_event", "authz_core", "proxy", "proxy_http", "cache", "cache_disk"} {
		conf += fmt.Sprintf("LoadModule %s_module /usr/lib/apache2/modules/mod_%[1]s.so\n", module)
	}
	conf += fmt.Sprintf("CacheRoot %s\nCacheEnable disk /\nProxyPass / http://%s/\n", kept, public)
	write(t, dir, "apache.conf", conf)
	p := process.Start(t, process.Command{Path: "apache2", Args: []string{"-DFOREGROUND", "-f", filepath.Join(dir, "apache.conf")}})
	p.Until(t, patience, process.Listening(fmt.Sprintf("127.0.0.1:%d", port)))
	return port
}

func startNginxCache(t *testing.T, public, _, _ string) int {
	return runNginx(t, func(port int, dir string) string {
		return fmt.Sprintf(`
proxy_cache_path %s/kept keys_zone=kept:1m;
server {
    listen 127.0.0.1:%d;
    location / {
        proxy_pass http://%s;
        proxy_http_version 1.1;
        proxy_set_header Host $http_host;
        proxy_cache kept;
        proxy_cache_revalidate on;
        proxy_ignore_headers Set-Cookie;
    }
}
`, dir, port, public)
	})
}
