package idp_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"oauth-agent/test/idp"
)

func (p *party) discoveryURL() string { return p.Issuer + "/.well-known/openid-configuration" }

func TestFaultAnswers(t *testing.T) {
	p := start(t)
	for _, tc := range []struct {
		name              string
		fault             idp.Fault
		status            int
		contentType, body string
		location          string
	}{
		{"down for maintenance", idp.Empty(503), 503, "application/json", "", ""},
		{"empty", idp.Empty(200), 200, "application/json", "", ""},
		{"HTML", idp.HTML(502), 502, "text/html", "<h1>", ""},
		{"garbage", idp.Garbage(), 200, "application/json", "garbage", ""},
		{"own body", idp.Fault{Status: 418, ContentType: "text/plain", Body: "teapot"}, 418, "text/plain", "teapot", ""},
		{"redirect", idp.Fault{Redirect: "https://evil.example/"}, 307, "", "", "https://evil.example/"},
		{"see other", idp.Fault{Redirect: "/x", Status: 303}, 303, "", "", "/x"},
		{"OAuth error", idp.OAuthError(401, "invalid_token"), 401, "application/json", `"error":"invalid_token"`, ""},
		{"OAuth error, 400", idp.Fault{Error: "odd"}, 400, "application/json", `"error":"odd"`, ""},
		{"drip", idp.Fault{Status: 200, Body: "slow", Drip: time.Microsecond}, 200, "application/json", "slow", ""},
		{"drip of the real answer", idp.Fault{Drip: time.Microsecond}, 200, "application/json", p.Issuer, ""},
		{"delay", idp.Fault{Delay: time.Millisecond}, 200, "application/json", p.Issuer, ""},
	} {
		p.SetFault(idp.Discovery, tc.fault)
		a := p.get(p.discoveryURL())
		if a.StatusCode != tc.status || a.Header.Get("Content-Type") != tc.contentType {
			t.Errorf("%s: %d %s", tc.name, a.StatusCode, a.Header.Get("Content-Type"))
		}
		if !strings.Contains(a.body, tc.body) || tc.body == "" && a.body != "" {
			t.Errorf("%s: body %.100q", tc.name, a.body)
		}
		if got := a.Header.Get("Location"); got != tc.location {
			t.Errorf("%s: Location %q", tc.name, got)
		}
	}
	p.ClearFaults()
	if a := p.get(p.discoveryURL()); a.StatusCode != 200 {
		t.Errorf("not well again: %d", a.StatusCode)
	}
}

func TestFaultHeader(t *testing.T) {
	p := start(t)
	p.SetFault(idp.JWKS, idp.Fault{Status: 429, Header: http.Header{"Retry-After": {"7"}}})
	if a := p.get(p.Issuer + "/jwks"); a.StatusCode != 429 || a.Header.Get("Retry-After") != "7" {
		t.Errorf("%d %v", a.StatusCode, a.Header)
	}
}

func TestHang(t *testing.T) {
	p := start(t)
	p.SetFault(idp.Userinfo, idp.Fault{Hang: true})
	p.SetFault(idp.JWKS, idp.Fault{Delay: time.Hour})
	for _, path := range []string{"/userinfo", "/jwks"} {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		resp, err := p.client.Do(p.request(ctx, http.MethodGet, p.Issuer+path, nil))
		if cancel(); !errors.Is(err, context.DeadlineExceeded) {
			_ = resp.Body.Close()
			t.Errorf("%s: %v", path, err)
		}
	}
}

func TestBrokenConnection(t *testing.T) {
	p := start(t)
	p.SetFault(idp.All, idp.Down())
	for _, path := range []string{"/jwks", "/authorize", "/userinfo", "/end_session"} {
		resp, err := p.client.Do(p.request(t.Context(), http.MethodGet, p.Issuer+path, nil))
		if err == nil {
			_ = resp.Body.Close()
			t.Errorf("%s answers %d", path, resp.StatusCode)
		}
	}
	p.ClearFaults()
	p.SetFault(idp.Discovery, idp.Fault{Cut: true})
	resp, err := p.client.Do(p.request(t.Context(), http.MethodGet, p.discoveryURL(), nil))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if !errors.Is(err, io.ErrUnexpectedEOF) || len(body) == 0 {
		t.Errorf("%d bytes, then %v", len(body), err)
	}
}

func TestHuge(t *testing.T) {
	p := start(t)
	p.SetFault(idp.JWKS, idp.Huge())
	resp, err := p.client.Do(p.request(t.Context(), http.MethodGet, p.Issuer+"/jwks", nil))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if n, err := io.Copy(io.Discard, resp.Body); n != 50<<20 || err != nil {
		t.Errorf("%d bytes, %v", n, err)
	}
}

func TestFaultForSomeRequests(t *testing.T) {
	p := start(t)
	p.SetFault(idp.JWKS, idp.Fault{Status: 500, Times: 2})
	for i, want := range []int{500, 500, 200, 200} {
		if got := p.get(p.Issuer + "/jwks").StatusCode; got != want {
			t.Errorf("request %d: %d, want %d", i, got, want)
		}
	}
}

// A fault of one grant type leaves the other alone, and goes before a general one.
func TestFaultForOneGrantType(t *testing.T) {
	p := start(t)
	p.SetFault(idp.Token, idp.Fault{Error: "invalid_client", GrantType: "refresh_token"})
	tokens := p.tokens()
	p.wantError(p.refresh(tokens["refresh_token"]), 400, "invalid_client")
	p.SetFault(idp.Token, idp.Empty(503))
	p.SetFault(idp.All, idp.Empty(502))
	p.wantError(p.refresh(tokens["refresh_token"]), 400, "invalid_client")
	if got := p.post("/token", codeForm("x")).StatusCode; got != 503 {
		t.Errorf("token: %d", got)
	}
	if got := p.get(p.Issuer + "/jwks").StatusCode; got != 502 {
		t.Errorf("jwks: %d", got)
	}
	p.ClearFaults()
	if a := p.refresh(tokens["refresh_token"]); a.StatusCode != 200 {
		t.Errorf("a faulty answer cost the refresh token: %s", a.body)
	}
}

// The answer is lost, but the refresh token was rotated: the old one is spent.
func TestCarryOut(t *testing.T) {
	for _, f := range []idp.Fault{{CarryOut: true, Status: 504}, {CarryOut: true}} {
		p := start(t)
		token := p.tokens()["refresh_token"].(string)
		f.Times = 1
		p.SetFault(idp.Token, f)
		req := p.request(t.Context(), http.MethodPost, p.Issuer+"/token", refreshForm(token, "client_id", "app", "client_secret", secret))
		resp, err := p.client.Do(req)
		if (err == nil) != (f.Status != 0) {
			t.Fatalf("%v", err)
		}
		if err == nil {
			_ = resp.Body.Close()
		}
		if n := len(p.Issued()); n != 7 {
			t.Errorf("%d credentials, want 4 of the login and 3 of the refresh", n)
		}
		p.wantError(p.refresh(token), 400, "invalid_grant")
	}
}

// Before lets a test hold a request as long as it likes, without sleeping.
func TestBefore(t *testing.T) {
	p := start(t)
	token := p.tokens()["refresh_token"].(string)
	arrived, release := make(chan string), make(chan struct{})
	p.SetFault(idp.Token, idp.Fault{Before: func(r *http.Request) {
		arrived <- r.PostForm.Get("grant_type")
		<-release
	}})
	var wg sync.WaitGroup
	var status int
	wg.Go(func() { status = p.post("/token", refreshForm(token)).StatusCode })
	if got := <-arrived; got != "refresh_token" {
		t.Errorf("arrived: %s", got)
	}
	if sub, ok := p.Subject("x"); ok {
		t.Errorf("the provider stands still for one request: %s", sub)
	}
	close(release)
	if wg.Wait(); status != 200 {
		t.Errorf("status %d", status)
	}
}

func TestMutations(t *testing.T) {
	p := start(t)
	p.MutateDiscovery(func(d map[string]any) { d["issuer"] = "https://evil.example" })
	p.MutateJWKS(func(s map[string]any) { s["keys"] = append(s["keys"].([]any), map[string]any{"kty": "odd"}) })
	p.MutateUserinfo(func(c map[string]any) { c["sub"] = "somebody else" })
	p.SetTokenResponseFault(func(a map[string]any) {
		a["token_type"], a["expires_in"] = "DPoP", "300"
		delete(a, "refresh_token")
	})
	tokens := p.tokens()
	if tokens["token_type"] != "DPoP" || tokens["expires_in"] != "300" || tokens["refresh_token"] != nil {
		t.Errorf("tokens: %v", tokens)
	}
	if got := p.userinfo(tokens["access_token"]).json(t)["sub"]; got != "somebody else" {
		t.Errorf("sub %v", got)
	}
	if got := p.get(p.discoveryURL()).json(t)["issuer"]; got != "https://evil.example" {
		t.Errorf("issuer %v", got)
	}
	if got := p.get(p.Issuer + "/jwks").json(t)["keys"].([]any); len(got) != 2 {
		t.Errorf("keys %v", got)
	}
	p.ClearFaults()
	if got := p.tokens()["token_type"]; got != "Bearer" {
		t.Errorf("token_type %v", got)
	}
}

func TestCounts(t *testing.T) {
	p := start(t)
	tokens := p.tokens()
	p.refresh(tokens["refresh_token"])
	p.post("/token", codeForm("x", "grant_type", "password"))
	p.userinfo(tokens["access_token"])
	want := map[string]int{
		"authorize": 2, "token": 3, "authorization_code": 1, "refresh_token": 1, "other": 1, "userinfo": 1,
	}
	if got := fmtJSON(t, p.Counts()); got != fmtJSON(t, want) {
		t.Errorf("counts %s", got)
	}
	if p.Calls(idp.Token) != 3 || p.Calls(idp.JWKS) != 0 {
		t.Errorf("calls %v", p.Counts())
	}
	last, ok := p.Last(idp.Authorize)
	if !ok || last.Method != http.MethodPost || last.Form.Get("username") != "zoe" {
		t.Errorf("last %v %+v", ok, last)
	}
	if _, ok := p.Last(idp.JWKS); ok {
		t.Error("a request that never was")
	}
}

func TestIssued(t *testing.T) {
	p := start(t)
	code := p.login().Get("code")
	first := p.post("/token", codeForm(code)).json(t)
	second := p.refresh(first["refresh_token"]).json(t)
	got := strings.Join(p.Issued(), "\n") + "\n"
	for _, want := range []any{
		code, first["access_token"], first["refresh_token"], first["id_token"],
		second["access_token"], second["refresh_token"], second["id_token"],
	} {
		if !strings.Contains(got, want.(string)+"\n") {
			t.Errorf("%.20s… is missing", want)
		}
	}
	if n := len(p.Issued()); n != 7 {
		t.Errorf("%d credentials, want 7", n)
	}
}

// The provider's own log has no secret, though it has every request.
func TestLogHasNoSecrets(t *testing.T) {
	var log bytes.Buffer
	p := start(t, func(c *idp.Config) { c.Log = slog.New(slog.NewJSONHandler(&log, nil)) })
	tokens := p.tokens()
	p.refresh(tokens["refresh_token"])
	p.refresh(tokens["refresh_token"])
	p.userinfo(tokens["access_token"])
	p.get(p.authorizeURL("prompt", "none login"))
	p.get(p.endSessionURL("id_token_hint", tokens["id_token"].(string)))
	_ = p.Close()
	for _, s := range append(p.Issued(), secret, "pässword", verifier) {
		if strings.Contains(log.String(), s) {
			t.Errorf("%.12s… is in the log", s)
		}
	}
	for _, want := range []string{`"endpoint":"token"`, `"error":"invalid_grant"`} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("%s is not in the log:\n%s", want, log.String())
		}
	}
}

// Everything at once, for the race detector.
func TestConcurrentUse(t *testing.T) {
	p := start(t)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			own := *p.client
			own.Jar = nil
			p := &party{T: t, Server: p.Server, client: &own, clock: p.clock}
			tokens := p.tokens()
			p.refresh(tokens["refresh_token"])
			p.userinfo(tokens["access_token"])
		})
		wg.Go(func() {
			p.SetFault(idp.JWKS, idp.Fault{Delay: time.Microsecond, Times: 3})
			p.SetIDTokenFault(idp.IDTokenFault{Signing: idp.SignNone, Times: 1})
			p.MutateUserinfo(func(c map[string]any) { c["x"] = 1 })
			if err := p.RollKeys(); err != nil {
				t.Error(err)
			}
			p.get(p.Issuer + "/jwks")
			p.KillAccessTokens()
			p.Counts()
			p.Issued()
			p.Last(idp.Token)
			p.ClearFaults()
		})
	}
	wg.Wait()
}
