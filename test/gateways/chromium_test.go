//go:build interop

package gateways

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os/exec"
	"slices"
	"testing"
	"time"

	"oauth-agent/test/internal/process"
)

// seen is what a page in a real browser sees.
type seen struct {
	Get, NoCSRF, Post, LoggedOut, Expired struct {
		Status     int
		Body, Code string
	}
	Events []string
	Spread int // milliseconds between the first event and the last
	Echo   string
	Close  int // code of the WebSocket's end; 0 while it is open
	Reason string
	Error  string
}

// page does what single-page apps do, and tells what came of it. %[1]s is the
// gateway, %[2]s the CSRF token, %[3]d the milliseconds that the token lives.
const page = `<!doctype html><script>
const api = "%[1]s/api", csrf = {"%[4]s": "%[2]s"}, begin = Date.now(), seen = {};
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
async function call(method, init) {
  const r = await fetch(api + "/orders", {method, credentials: "include", ...init});
  const body = await r.text();
  let code = "";
  try { code = JSON.parse(body).code; } catch {}
  return {status: r.status, body, code};
}
function events() {
  return new Promise((done) => {
    const source = new EventSource(api + "/events", {withCredentials: true}), got = [];
    let first = 0;
    source.onmessage = (e) => {
      first ||= Date.now();
      got.push(e.data);
      seen.spread = Date.now() - first;
      if (got.length === 3) { source.close(); done(got); }
    };
    source.onerror = () => { source.close(); done(got); };
  });
}
function echo() {
  return new Promise((done) => {
    const socket = new WebSocket(api.replace("http", "ws") + "/ws");
    socket.onopen = () => socket.send("hello");
    socket.onmessage = (e) => done(e.data);
    socket.onerror = () => done("failed");
    socket.onclose = (e) => { seen.close = e.code; seen.reason = e.reason; };
  });
}
(async () => {
  try {
    seen.get = await call("GET");
    seen.noCSRF = await call("POST");
    seen.post = await call("POST", {headers: csrf, body: "x".repeat(3000000)});
    seen.loggedOut = await call("GET", {credentials: "omit"});
    seen.events = await events();
    seen.echo = await echo();
    await sleep(begin + %[3]d - Date.now());
    seen.expired = await call("GET");
    await sleep(500);
  } catch (e) { seen.error = String(e); }
  await fetch("/result", {method: "POST", body: JSON.stringify(seen)});
})();
</script>`

// A page of another origin of the same site, in Chromium.
func TestChromium(t *testing.T) {
	if _, err := exec.LookPath("chromium"); err != nil {
		t.Skip("chromium is not installed")
	}
	const lifetime = 8 * time.Second
	s := setup{lifetime: lifetime, env: []string{"SOCKET_GRACE=0s"}}
	eachWith(t, s, func(w *world) {
		u := w.login()
		for _, c := range u.Jar.All() {
			if c.Path == "/" {
				w.cookies = append(w.cookies, &http.Cookie{Name: c.Name, Value: c.Value, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode})
			}
		}
		w.script = fmt.Sprintf(page, w.gateway, u.csrf, (lifetime + time.Second).Milliseconds(), csrfHeader)
		process.Start(t, process.Command{Path: "chromium", Args: []string{
			"--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
			"--disable-background-networking", "--user-data-dir=" + t.TempDir(), w.page + "/",
		}})
		var got seen
		select {
		case text := <-w.results:
			if err := json.Unmarshal([]byte(text), &got); err != nil {
				t.Fatal(err)
			}
		case <-time.After(2 * patience):
			t.Fatal("the page has told nothing")
		}
		w.check(got)
	})
}

func (w *world) check(got seen) {
	t := w.t
	want := func(what string, ok bool) {
		if !ok {
			t.Errorf("%s: %+v", what, got)
		}
	}
	want("no error", got.Error == "")
	want("GET", got.Get.Status == 200 && got.Get.Body == "GET of 0 bytes")
	want("POST without CSRF token", got.NoCSRF.Status == 401 && got.NoCSRF.Code == "unauthorized_request")
	want("POST", got.Post.Status == 200 && got.Post.Body == "POST of 3000000 bytes")
	want("without cookies", got.LoggedOut.Status == 401 && got.LoggedOut.Code == "unauthorized_request")
	want("events, one after the other", slices.Equal(got.Events, []string{"0", "1", "2"}) && got.Spread > 300)
	want("WebSocket", got.Echo == "hello")
	want("expired", got.Expired.Status == 401 && got.Expired.Code == "token_expired")
	if !w.corsByAPI { // the gateways close no sockets
		want("WebSocket closed", got.Close == 4401 && got.Reason == "token_expired")
	}
}
