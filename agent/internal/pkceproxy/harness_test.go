package pkceproxy_test

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"oauth-agent/agent/internal/authserver"
	"oauth-agent/agent/internal/httperr"
	"oauth-agent/agent/internal/httproute"
	"oauth-agent/agent/internal/pkceproxy"
	"oauth-agent/agent/internal/secret"
	"oauth-agent/test/double"
)

const (
	clientID    = "mobile-app"
	redirectURI = "com.example.app:/cb"
	webURI      = "https://app.example.com/callback"
	loopURI     = "http://127.0.0.1/native"
	clientState = "client state+/?&=é"
	asCode      = "as-code-c4nary"
	asSecret    = "as-secret-c4nary"
	answerBody  = `{"access_token":"at-c4nary","token_type":"Bearer","expires_in":300,` +
		`"refresh_token":"rt-c4nary","id_token":"e.f.g",  "scope":"a b","unknown":{"x":[1,null]}}`
)

var (
	verifier  = strings.Repeat("v-._~", 9)
	challenge = oauth2.S256ChallengeFromVerifier(verifier)
)

// authServer is an authorization server that has never heard of PKCE. Its token
// and revocation endpoints answer as the test says, and note what they got.
type authServer struct {
	*httptest.Server
	mu       sync.Mutex
	answer   http.HandlerFunc // nil: answerBody
	requests []asRequest
}

type asRequest struct {
	Path         string
	Form         url.Values
	User, Secret string
	Basic        bool
}

func newAuthServer(t testing.TB) *authServer {
	as := &authServer{}
	as.Server = httptest.NewServer(http.HandlerFunc(as.serve))
	t.Cleanup(as.Close)
	return as
}

func (as *authServer) serve(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	form, _ := url.ParseQuery(string(body))
	user, password, basic := r.BasicAuth()
	as.mu.Lock()
	as.requests = append(as.requests, asRequest{r.URL.Path, form, user, password, basic})
	answer := as.answer
	as.mu.Unlock()
	if answer != nil {
		answer(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, answerBody)
}

// replies sets the answer to status and body.
func (as *authServer) replies(status int, body string) {
	as.does(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	})
}

func (as *authServer) does(h http.HandlerFunc) {
	as.mu.Lock()
	defer as.mu.Unlock()
	as.answer = h
}

// got gives what arrived, and forgets it.
func (as *authServer) got() []asRequest {
	as.mu.Lock()
	defer as.mu.Unlock()
	requests := as.requests
	as.requests = nil
	return requests
}

// world is a proxy on a real port in front of an authorization server.
type world struct {
	t     testing.TB
	as    *authServer
	proxy *httptest.Server
	clock *double.Clock
	log   *double.Log
	cfg   pkceproxy.Config
}

func config(as, proxy string) pkceproxy.Config {
	return pkceproxy.Config{
		ClientID:            "proxy client",
		ClientSecret:        secret.New(asSecret),
		AuthURL:             as + "/authorize",
		TokenURL:            as + "/token",
		RevocationURL:       as + "/revoke",
		RedirectURL:         proxy + "/callback",
		SigningKey:          secret.New(strings.Repeat("s", 32)),
		EncryptionKey:       secret.New(strings.Repeat("e", 32)),
		AllowedRedirectURIs: []string{redirectURI, webURI, loopURI, "https://app.example.com/q?a=b", "http://localhost:3000/dev"},
	}
}

func newWorld(t testing.TB, change ...func(*pkceproxy.Config)) *world {
	w := &world{t: t, as: newAuthServer(t), log: &double.Log{},
		clock: double.NewClock(time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC))}
	w.cfg = config(w.as.URL, "https://pkce.example.com")
	for _, c := range change {
		c(&w.cfg)
	}
	w.proxy = w.replica()
	return w
}

// replica starts another process, as it were, with the same settings.
func (w *world) replica() *httptest.Server {
	w.t.Helper()
	log := slog.New(slog.NewTextHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	p, err := pkceproxy.New(w.cfg, pkceproxy.Options{
		HTTP: authserver.NewHTTP(nil, 300*time.Millisecond), Clock: w.clock.Now, Log: log,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	server := httptest.NewServer(serve(p, log))
	w.t.Cleanup(server.Close)
	return server
}

// serve routes as the composition root does.
func serve(p *pkceproxy.Proxy, log *slog.Logger) http.Handler {
	mux := http.NewServeMux()
	renderer := &httperr.Renderer{Log: log, Render: pkceproxy.Render}
	for _, route := range p.Routes() {
		h := renderer.Handle(route.Handler)
		if route.Policy == httproute.Script {
			h = p.CORS(route.Methods, h)
			mux.Handle("OPTIONS "+route.Path, h)
		}
		for _, method := range route.Methods {
			mux.Handle(method+" "+route.Path, h)
		}
	}
	return mux
}

// response is an answer of the proxy, read whole.
type response struct {
	*http.Response
	body string
}

func (w *world) do(req *http.Request) response {
	w.t.Helper()
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return response{resp, string(body)}
}

func (w *world) get(base, path string, q url.Values) response {
	w.t.Helper()
	req, err := http.NewRequest(http.MethodGet, base+path+"?"+q.Encode(), nil)
	if err != nil {
		w.t.Fatal(err)
	}
	return w.do(req)
}

func (w *world) post(base, path string, form url.Values) response {
	w.t.Helper()
	return w.postRaw(base, path, "application/x-www-form-urlencoded", form.Encode())
}

func (w *world) postRaw(base, path, contentType, body string) response {
	w.t.Helper()
	req, err := http.NewRequest(http.MethodPost, base+path, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	req.Header.Set("Content-Type", contentType)
	return w.do(req)
}

// location reads where r redirects to.
func (w *world) location(r response) (string, url.Values) {
	w.t.Helper()
	if r.StatusCode != http.StatusFound {
		w.t.Fatalf("status %d, want a redirect: %s", r.StatusCode, r.body)
	}
	to, query, _ := strings.Cut(r.Header.Get("Location"), "?")
	q, err := url.ParseQuery(query)
	if err != nil {
		w.t.Fatal(err)
	}
	return to, q
}

// The three steps of a login, with everything as it should be.

func goodRequest() url.Values {
	return url.Values{
		"response_type":         {"code"},
		"client_id":             {clientID},
		"redirect_uri":          {redirectURI},
		"state":                 {clientState},
		"scope":                 {"openid a"},
		"code_challenge":        {challenge},
		"code_challenge_method": {"S256"},
	}
}

// with changes v: "name=value" sets, "name=" removes, "+name=value" adds.
func with(v url.Values, changes ...string) url.Values {
	for _, change := range changes {
		name, value, _ := strings.Cut(change, "=")
		switch {
		case strings.HasPrefix(name, "+"):
			v.Add(name[1:], value)
		case value == "":
			v.Del(name)
		default:
			v.Set(name, value)
		}
	}
	return v
}

func (w *world) authorize(changes ...string) (state string) {
	w.t.Helper()
	to, q := w.location(w.get(w.proxy.URL, "/oauth/authorization", with(goodRequest(), changes...)))
	if to != w.as.URL+"/authorize" {
		w.t.Fatalf("redirected to %s %v", to, q)
	}
	return q.Get("state")
}

func (w *world) code(changes ...string) string {
	w.t.Helper()
	return w.codeFor(asCode, changes...)
}

func (w *world) codeFor(as string, changes ...string) string {
	w.t.Helper()
	q := url.Values{"state": {w.authorize(changes...)}, "code": {as}}
	_, answer := w.location(w.get(w.proxy.URL, "/callback", q))
	if answer.Get("code") == "" {
		w.t.Fatalf("no code in %v", answer)
	}
	return answer.Get("code")
}

func tokenForm(code string, changes ...string) url.Values {
	return with(url.Values{
		"grant_type":    {"authorization_code"},
		"code":          {code},
		"redirect_uri":  {redirectURI},
		"client_id":     {clientID},
		"code_verifier": {verifier},
	}, changes...)
}

func refreshForm(changes ...string) url.Values {
	return with(url.Values{
		"grant_type":    {"refresh_token"},
		"refresh_token": {"rt-c4nary"},
		"client_id":     {clientID},
	}, changes...)
}

func (w *world) token(form url.Values) response {
	w.t.Helper()
	return w.post(w.proxy.URL, "/oauth/token", form)
}

// wantError checks an error of RFC 6749 5.2.
func wantError(t testing.TB, r response, status int, code string) {
	t.Helper()
	var e struct {
		Error       string `json:"error"`
		Description string `json:"error_description"`
	}
	if err := json.Unmarshal([]byte(r.body), &e); err != nil {
		t.Fatalf("status %d, body %q: %v", r.StatusCode, r.body, err)
	}
	if r.StatusCode != status || e.Error != code {
		t.Errorf("%d %s (%s), want %d %s", r.StatusCode, e.Error, e.Description, status, code)
	}
	if strings.ContainsAny(e.Description, `"\`) {
		t.Errorf("error_description %q has characters outside RFC 6749 5.2", e.Description)
	}
	for name, want := range map[string]string{
		"Content-Type": "application/json", "Cache-Control": "no-store", "Pragma": "no-cache",
	} {
		if got := r.Header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

// wantPage checks an error that the user is shown, and nobody is redirected.
func wantPage(t testing.TB, r response) {
	t.Helper()
	if r.StatusCode != http.StatusBadRequest || r.Header.Get("Location") != "" {
		t.Errorf("%d to %q, want 400", r.StatusCode, r.Header.Get("Location"))
	}
	if r.Header.Get("Cache-Control") != "no-store" || !strings.HasPrefix(r.Header.Get("Content-Type"), "text/html") ||
		!strings.Contains(r.Header.Get("Content-Security-Policy"), "default-src 'none'") {
		t.Errorf("headers %v", r.Header)
	}
}

func fatalIf(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(fmt.Errorf("unexpected: %w", err))
	}
}
