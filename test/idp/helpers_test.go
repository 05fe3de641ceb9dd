package idp_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"oauth-agent/test/double"
	"oauth-agent/test/idp"
)

const (
	callback  = "http://localhost:8080/callback"
	loggedOut = "http://localhost:8080/bye"
	secret    = "s3cret:with&odd+characters%"
	verifier  = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
)

// party is a test with a provider and a relying party made by hand, so that a mistake
// of ours is not made twice.
type party struct {
	*testing.T
	*idp.Server
	client *http.Client
	clock  *double.Clock
}

func zoe() idp.User {
	return idp.User{Username: "zoe", Password: "pässword", Sub: "zoe-1990", Claims: map[string]any{
		"name": "Zoë Ångström 李", "email": "zoe@example.com",
	}}
}

// start runs a provider with one client "app", one "other", one public "spa" and two
// users, changed by the given functions.
func start(t *testing.T, changes ...func(*idp.Config)) *party {
	t.Helper()
	c := double.NewClock(time.Now())
	cfg := idp.Config{
		Clients: []idp.Client{
			{
				ID: "app", Secret: secret, RedirectURIs: []string{callback, callback + "?tenant=1"},
				PostLogoutRedirectURIs: []string{loggedOut},
			},
			{ID: "other", Secret: "other-secret", RedirectURIs: []string{"http://localhost:9999/cb"}},
			{ID: "spa", RedirectURIs: []string{callback}},
		},
		Users: []idp.User{zoe(), {Username: "ada", Password: "ada", Sub: "ada-1815"}},
		Clock: c.Now,
	}
	for _, change := range changes {
		change(&cfg)
	}
	srv, err := idp.Start(t.Context(), "127.0.0.1:0", cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = srv.Close() })
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &party{T: t, Server: srv, clock: c, client: &http.Client{
		Jar: jar, Timeout: 10 * time.Second, Transport: &http.Transport{},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// authorization is the query of a good request; pairs replace, "" removes.
func authorization(pairs ...string) url.Values {
	sum := sha256.Sum256([]byte(verifier))
	v := url.Values{
		"response_type": {"code"}, "client_id": {"app"}, "redirect_uri": {callback},
		"scope": {"openid profile"}, "state": {"st&te"}, "nonce": {"n-0S6"},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])}, "code_challenge_method": {"S256"},
	}
	return with(v, pairs)
}

func with(v url.Values, pairs []string) url.Values {
	for i := 0; i < len(pairs); i += 2 {
		if v.Set(pairs[i], pairs[i+1]); pairs[i+1] == "" {
			v.Del(pairs[i])
		}
	}
	return v
}

func (p *party) authorizeURL(pairs ...string) string {
	return p.Issuer + "/authorize?" + authorization(pairs...).Encode()
}

// login gives the parameters that come back.
func (p *party) login(pairs ...string) url.Values {
	p.Helper()
	location, err := idp.Login(p.Context(), p.client, p.authorizeURL(pairs...), "zoe", "pässword")
	if err != nil {
		p.Fatal(err)
	}
	return p.query(location)
}

func (p *party) query(location string) url.Values {
	p.Helper()
	u, err := url.Parse(location)
	if err != nil {
		p.Fatal(err)
	}
	return u.Query()
}

// answer is a response, read whole.
type answer struct {
	*http.Response
	body string
}

func (a answer) json(t *testing.T) map[string]any {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal([]byte(a.body), &m); err != nil {
		t.Fatalf("%v: %.200s", err, a.body)
	}
	return m
}

func (p *party) send(req *http.Request) answer {
	p.Helper()
	resp, err := p.client.Do(req)
	if err != nil {
		p.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		p.Fatal(err)
	}
	return answer{resp, string(body)}
}

func (p *party) request(ctx context.Context, method, target string, form url.Values) *http.Request {
	p.Helper()
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	req, err := http.NewRequestWithContext(ctx, method, target, body)
	if err != nil {
		p.Fatal(err)
	}
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return req
}

func (p *party) get(target string) answer {
	p.Helper()
	return p.send(p.request(p.Context(), http.MethodGet, target, nil))
}

// post sends a form as the client "app", by Basic.
func (p *party) post(path string, form url.Values) answer {
	p.Helper()
	req := p.request(p.Context(), http.MethodPost, p.Issuer+path, form)
	req.SetBasicAuth("app", url.QueryEscape(secret))
	return p.send(req)
}

func codeForm(code string, pairs ...string) url.Values {
	return with(url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {callback}, "code_verifier": {verifier},
	}, pairs)
}

func refreshForm(token string, pairs ...string) url.Values {
	return with(url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}}, pairs)
}

// tokens logs in and exchanges the code.
func (p *party) tokens(pairs ...string) map[string]any {
	p.Helper()
	a := p.post("/token", codeForm(p.login(pairs...).Get("code")))
	if a.StatusCode != http.StatusOK {
		p.Fatalf("token endpoint: %d %s", a.StatusCode, a.body)
	}
	return a.json(p.T)
}

func (p *party) refresh(token any) answer {
	p.Helper()
	return p.post("/token", refreshForm(token.(string)))
}

func (p *party) userinfo(accessToken any) answer {
	p.Helper()
	req := p.request(p.Context(), http.MethodGet, p.Issuer+"/userinfo", nil)
	req.Header.Set("Authorization", "Bearer "+accessToken.(string))
	return p.send(req)
}

// wantError checks an OAuth error.
func (p *party) wantError(a answer, status int, code string) {
	p.Helper()
	if a.StatusCode != status {
		p.Fatalf("status %d, want %d: %s", a.StatusCode, status, a.body)
	}
	if got := a.json(p.T)["error"]; got != code {
		p.Fatalf("error %v, want %s: %s", got, code, a.body)
	}
	if cc := a.Header.Get("Cache-Control"); cc != "no-store" {
		p.Errorf("Cache-Control %q", cc)
	}
}

// verify opens an ID token with the JWKS of the moment.
func (p *party) verify(idToken any) (map[string]any, error) {
	p.Helper()
	jws, err := jose.ParseSignedCompact(idToken.(string), []jose.SignatureAlgorithm{jose.ES256, jose.RS256})
	if err != nil {
		return nil, err
	}
	var set jose.JSONWebKeySet
	if err := json.Unmarshal([]byte(p.get(p.Issuer+"/jwks").body), &set); err != nil {
		p.Fatal(err)
	}
	var key any = set
	if jws.Signatures[0].Header.KeyID == "" { // go-jose finds no key then
		key = set.Keys[0]
	}
	payload, err := jws.Verify(key)
	if err != nil {
		return nil, err
	}
	var claims map[string]any
	return claims, json.Unmarshal(payload, &claims)
}

// claims is verify for a token that must be good.
func (p *party) claims(idToken any) map[string]any {
	p.Helper()
	claims, err := p.verify(idToken)
	if err != nil {
		p.Fatal(err)
	}
	return claims
}

// header is the JOSE header of a token.
func header(t *testing.T, token any) map[string]any {
	t.Helper()
	return part(t, token, 0)
}

// payload is what it says, verified or not.
func payload(t *testing.T, token any) map[string]any {
	t.Helper()
	return part(t, token, 1)
}

func part(t *testing.T, token any, i int) map[string]any {
	t.Helper()
	raw, err := base64.RawURLEncoding.DecodeString(strings.Split(token.(string), ".")[i])
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	if err := json.Unmarshal(raw, &m); err != nil {
		t.Fatal(err)
	}
	return m
}
