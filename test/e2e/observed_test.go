package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"oauth-agent/test/idp"
)

// Each thing that happens to a user has one line, in the order in which it does.
func TestSecurityLog(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.get404() // tells nothing
	c := w.login()
	c.post("/refresh", "").want(204, "")
	c.post("/refresh", "", header("x-example-csrf", "")).want(401, "unauthorized_request")
	c.post("/refresh", "", header("Origin", "https://evil.example")).want(401, "unauthorized_request")
	c.post("/logout", "").want(200, "")
	c.get("/userInfo").want(401, "unauthorized_request")
	d := w.client()
	d.post("/login/end", `{"pageUrl":"`+w.response(d.start(), "error=access_denied")+`"}`).want(400, "access_denied")
	d.post("/login/end", `{"pageUrl":"`+redirectURI+`?code=x&state=y"}`).want(400, "invalid_request")

	subject := regexp.MustCompile(`subject=[0-9a-f]{32}`)
	ids := regexp.MustCompile(` request_id=[0-9a-f]{32} trace_id=[0-9a-f]{32}$`)
	var got []string
	hashes := map[string]bool{}
	for _, line := range w.securityLines() {
		if !ids.MatchString(line) {
			t.Errorf("whose line? %s", line)
		}
		line = ids.ReplaceAllString(line, "")
		if hash := subject.FindString(line); hash != "" {
			hashes[hash] = true
			line = strings.Replace(line, hash, "subject=HASH", 1)
		}
		line, _, _ = strings.Cut(line, " error=")
		got = append(got, strings.TrimPrefix(line, "event="))
	}
	want := []string{
		"login_started",
		"login_completed subject=HASH",
		"refreshed outcome=exchanged subject=HASH",
		"refused reason=csrf status=401 code=unauthorized_request",
		"refused reason=origin status=401 code=unauthorized_request",
		"logout subject=HASH",
		"refused reason=no_session status=401 code=unauthorized_request",
		"login_started",
		"login_failed reason=access_denied status=400 code=access_denied",
		"refused reason=response status=400 code=invalid_request",
	}
	if !slices.Equal(got, want) {
		t.Errorf("the log has\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if len(hashes) != 1 {
		t.Errorf("one user has the hashes %v", hashes)
	}
	for series, want := range map[string]string{
		`logins_total{event="started",reason=""}`:             "2",
		`logins_total{event="completed",reason=""}`:           "1",
		`logins_total{event="failed",reason="access_denied"}`: "1",
		`refreshes_total{outcome="exchanged"}`:                "1",
		`refresh_callers_count`:                               "1",
		`logouts_total`:                                       "1",
		`refusals_total{reason="csrf"}`:                       "1",
		`refusals_total{reason="origin"}`:                     "1",
		`refusals_total{reason="no_session"}`:                 "1",
		`cookie_set_bytes_count{kind="auth"}`:                 "2",
		`authorization_server_request_duration_seconds_count{endpoint="token",outcome="ok"}`:           "2",
		`authorization_server_request_duration_seconds_count{endpoint="revocation",outcome="ok"}`:      "1",
		`http_request_duration_seconds_count{method="POST",route="/oauth-agent/refresh",status="401"}`: "2",
		`http_request_duration_seconds_count{method="GET",route="none",status="404"}`:                  "1",
		`http_requests_in_flight`: "0",
		`ready`:                   "1",
	} {
		if got := w.metric(series); got != want {
			t.Errorf("%s is %q, want %q", series, got, want)
		}
	}
}

// get404 asks for what is not there, with a path that is a secret of its own.
func (w *world) get404() {
	resp, err := http.Get(w.agent.URL + "/" + password)
	if err != nil {
		w.t.Fatal(err)
	}
	_ = resp.Body.Close()
}

// What a failed refresh is told and counted as.
func TestRefreshOutcomes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.login()
	late := c.clone()
	w.idp.SetFault(idp.Token, idp.Fault{Status: 503})
	c.post("/refresh", "").want(502, "authorization_server_error")
	w.idp.SetFault(idp.Token, idp.Fault{Delay: time.Second})
	atOnce(t, clones(c, 5))
	late.post("/refresh", "").want(204, "")
	w.idp.SetFault(idp.Token, idp.Fault{})
	other := w.login()
	w.idp.RevokeAll()
	other.post("/refresh", "").want(401, "session_expired")
	for series, want := range map[string]string{
		`refreshes_total{outcome="unavailable"}`:     "1",
		`refreshes_total{outcome="exchanged"}`:       "1",
		`refreshes_total{outcome="shared"}`:          "4",
		`refreshes_total{outcome="remembered"}`:      "1",
		`refreshes_total{outcome="session_expired"}`: "1",
		`refresh_callers_bucket{le="5"}`:             "3",
		`refresh_callers_sum`:                        "7",
	} {
		if got := w.metric(series); got != want {
			t.Errorf("%s is %q, want %q", series, got, want)
		}
	}
	if !slices.ContainsFunc(w.securityLines(), func(l string) bool {
		return strings.HasPrefix(l, "event=refresh_failed reason=session_expired status=401 code=session_expired")
	}) {
		t.Errorf("the log has %q", w.securityLines())
	}
}

// A cookie that was sealed by a key that is gone shows as such.
func TestUnsealFailuresAreCounted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.login()
	other := c.at(w.replica("COOKIE_ENCRYPTION_KEY=" + keyB))
	w.agents[0], w.agents[1] = w.agents[1], w.agents[0] // metric asks the first
	other.get("/userInfo").want(401, "unauthorized_request")
	for id, cookie := range c.jar {
		broken := *cookie
		broken.Value = "!" + cookie.Value[1:]
		other.jar[id] = &broken
	}
	other.get("/userInfo").want(401, "unauthorized_request")
	for series, want := range map[string]string{
		`unseal_failures_total{purpose="at",reason="key"}`:       "1",
		`unseal_failures_total{purpose="at",reason="malformed"}`: "1",
		`refusals_total{reason="broken_session"}`:                "2",
	} {
		if got := w.metric(series); got != want {
			t.Errorf("%s is %q, want %q", series, got, want)
		}
	}
}

// A client can name any number of cookies. That is one failure, and no answer that is
// all Set-Cookie: an alert must not be one request away.
func TestAFloodOfCookiesIsOneFailure(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.client()
	var names []string
	for i := range 800 {
		names = append(names, fmt.Sprintf("example-login-%07d=x", i))
	}
	a := c.post("/login/start", "", header("Cookie", strings.Join(names, "; "))).want(200, "")
	if n := len(a.Header["Set-Cookie"]); n < 2 || n > 60 {
		t.Errorf("%d cookies are set", n)
	}
	if got := w.metric(`unseal_failures_total{purpose="login",reason="malformed"}`); got != "1" {
		t.Errorf("%s failures", got)
	}
}

// told is what somebody behind the agent was told of a request.
type told struct {
	mu   sync.Mutex
	seen map[string]http.Header // by path, the last
}

func (x *told) of(path string) http.Header {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.seen[path]
}

func (x *told) note(r *http.Request) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.seen == nil {
		x.seen = map[string]http.Header{}
	}
	x.seen[r.URL.Path] = r.Header.Clone()
}

// One identifier and one trace run from the browser to whoever is behind, and
// what is told of them there is ours alone.
func TestOneTraceThroughAll(t *testing.T) {
	t.Parallel()
	x := &told{}
	api := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		x.note(r)
		rw.Header().Set("X-Request-Id", "the-api's-own")
		rw.Header().Set("Cache-Control", "no-store")
	}))
	t.Cleanup(api.Close)
	w := newWorld(t, with("ROUTES", "/api/="+api.URL+"/"), with("TRUSTED_PROXIES", "127.0.0.1"))
	c := w.login()

	const trace, caller = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
	edits := []edit{
		header("Traceparent", "00-"+trace+"-"+caller+"-01"), header("Tracestate", "shop=1"), header("X-Request-Id", "from-the-gateway.1"),
		func(r *http.Request) { r.Header["X_request_id"] = []string{"forged"} },
	}
	c.url = w.agent.URL
	a := c.get("/api/orders", edits...).want(200, "")
	if got := a.Header.Values("X-Request-Id"); len(got) != 1 || got[0] != "from-the-gateway.1" {
		t.Errorf("the answer has the request ids %q", got)
	}
	c.url += c.base
	c.post("/refresh", "", edits...).want(204, "")

	spans := map[string]bool{caller: true}
	for name, h := range map[string]http.Header{"the API": x.of("/api/orders"), "the token endpoint": w.wire.told.of("/token")} {
		parent := regexp.MustCompile(`^00-(\w{32})-(\w{16})-01$`).FindStringSubmatch(h.Get("Traceparent"))
		if parent == nil || parent[1] != trace || spans[parent[2]] || h.Get("Tracestate") != "shop=1" || h.Get("X-Request-Id") != "from-the-gateway.1" {
			t.Errorf("%s was told %v", name, h)
			continue
		}
		spans[parent[2]] = true
		for header, values := range h {
			if values[0] == "forged" && strings.EqualFold(strings.ReplaceAll(header, "_", "-"), "x-request-id") {
				t.Errorf("%s was told %s: %s", name, header, values)
			}
		}
	}
	if n := strings.Count(w.log.String(), "request_id=from-the-gateway.1 trace_id="+trace); n < 3 {
		t.Errorf("the log has them %d times, want two lines of requests and one of a refresh", n)
	}
	w.agent.Close()
	_ = w.agents[0].Close() // sends the spans
	w.told.mu.Lock()
	defer w.told.mu.Unlock()
	var names []string
	for _, s := range w.told.spans {
		if fmt.Sprintf("%x", s.TraceId) == trace {
			names = append(names, s.Name)
		}
	}
	slices.Sort(names)
	if want := []string{"GET /api/", "POST /oauth-agent/refresh", "authorization server token", "upstream of /api/"}; !slices.Equal(names, want) {
		t.Errorf("the trace has %q, want %q", names, want)
	}
}
