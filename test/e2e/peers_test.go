package e2e

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"slices"
	"strings"
	"testing"

	"oauth-agent/agent/config"
	"oauth-agent/test/idp"
)

// Defects that were read in the code of other agents and proxies, each with the
// test that it is not ours.

// Curity's Node and Kotlin agents set the refresh and ID token cookies with paths
// of their own and clear them with "/": after logout a usable refresh token stays.
func TestPeerCurityLogoutLeavesTheRefreshToken(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.login()
	set := c.clone().jar
	c.leave()
	for id := range set {
		if _, stays := c.jar[id]; stays {
			t.Errorf("%s of path %s survives the logout", id.name, id.path)
		}
	}
	c.post("/refresh", "").want(401, "unauthorized_request")
}

// Curity's agents concatenate form bodies: a token or secret with + or & breaks.
// The client secret of every test here has both.
func TestPeerCurityFormsAreNotEncoded(t *testing.T) {
	t.Parallel()
	const odd = "rt+with/all=of&it 100%;é"
	w := newWorld(t)
	c := w.login()
	w.idp.SetTokenResponseFault(func(m map[string]any) { m["refresh_token"] = odd })
	c.post("/refresh", "").want(204, "")
	w.idp.ClearFaults()
	c.post("/refresh", "").want(401, "session_expired")
	if r, _ := w.idp.Last(idp.Token); r.Form.Get("refresh_token") != odd || len(r.Form) != 2 {
		t.Errorf("the server got %q", r.Form)
	}
	c = w.client()
	c.end(w.response(c.start(), "code=c%2Bd%26e%3Df+g")).want(400, "authorization_error")
	if r, _ := w.idp.Last(idp.Token); r.Form.Get("code") != "c+d&e=f g" || r.Form.Get("redirect_uri") != redirectURI {
		t.Errorf("the server got %q", r.Form)
	}
}

// Curity's Node agent decodes claims as latin1.
func TestPeerCurityGarblesNames(t *testing.T) {
	t.Parallel()
	if name := newWorld(t).login().get("/claims").want(200, "").json("name"); name != "Zoë Ångström 李" {
		t.Errorf("name %q", name)
	}
}

// Curity's Node agent verifies neither nonce nor signature nor expiry, issuer and
// audience only when an issuer is set, and makes its verifier of 62 characters by
// modulo.
func TestPeerCurityTakesAnyIDToken(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	replica := w.replica(append(explicit(w, w.idp.Issuer), "ISSUER=")...)
	for name, f := range map[string]idp.IDTokenFault{
		"nonce": claim("nonce", "x"), "signature": {Signing: idp.SignWrongKey}, "none": {Signing: idp.SignNone},
		"expiry": w.dated("exp", -90), "audience": claim("aud", "x"), "no issuer": claim("iss", nil),
	} {
		c := w.client().at(replica)
		page := w.authorize(c.start())
		w.idp.SetIDTokenFault(f)
		if a := c.end(page); a.Status != 400 || len(c.jar) != 0 {
			t.Errorf("%s: %d %s", name, a.Status, a.Body)
		}
		w.idp.ClearFaults()
	}
	for range 8 { // the six before make fourteen: no '-' and no '_' among 602 is a chance of 6e-9
		w.login()
	}
	all := strings.Join(w.wire.verifiers(), "")
	if len(all) != 14*43 || !strings.Contains(all, "-") || !strings.Contains(all, "_") || strings.Trim(all, base64url) != "" {
		t.Errorf("verifiers of odd characters: %d", len(all))
	}
}

// Curity's agents have one login cookie, so that a second tab kills the first's
// login, and a CSRF cookie that is sealed but of no session, so that a neighbour
// can plant a pair of its own.
func TestPeerCurityOneLoginAndACSRFTokenForAll(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.client()
	first, second := w.authorize(c.start()), w.authorize(c.start())
	c.end(second).want(200, "")
	c.csrf = c.end(first).want(200, "").json("csrf").(string)
	neighbour := w.loginAs("eve")
	c.put("example-csrf", neighbour.cookie("example-csrf").Value)
	c.csrf = neighbour.csrf
	c.post("/refresh", "").want(401, "unauthorized_request")
}

// Curity's Node agent makes session_expired of the loser of a refresh race and
// clears the cookies that the winner has just got.
func TestPeerCurityLoserLogsTheWinnerOut(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.login()
	loser := c.clone()
	c.post("/refresh", "").want(204, "")
	a := loser.post("/refresh", "").want(204, "")
	c.keep(a) // the answer comes to the same browser
	if len(a.cleared()) != 0 {
		t.Errorf("the loser's answer clears %v", a.cleared())
	}
	c.works()
}

// Curity's Node agent starts with default secrets.
func TestPeerCurityDefaultSecrets(t *testing.T) {
	t.Parallel()
	env := newWorld(t).env
	for _, key := range []string{"CLIENT_SECRET", "COOKIE_ENCRYPTION_KEY"} {
		var environ []string
		for k, v := range env {
			if k != key {
				environ = append(environ, k+"="+v)
			}
		}
		if _, err := config.Load("", environ); err == nil || !strings.Contains(err.Error(), key) {
			t.Errorf("without %s: %v", key, err)
		}
	}
}

// Curity's Kotlin agent writes SameSite=true, which no browser knows.
func TestPeerCuritySameSite(t *testing.T) {
	t.Parallel()
	c := newWorld(t).client()
	for _, line := range c.post("/login/start", "").Header["Set-Cookie"] {
		if !slices.Contains(strings.Split(line, "; "), "SameSite=Strict") {
			t.Error(line)
		}
	}
}

// oauth-pkce-proxy encrypts every message with a nonce of zeros: equal texts give
// equal ciphertexts. What is sealed twice here differs, from its first block on.
func TestPeerPKCEProxyZeroNonce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, server(func(c *idp.Config) { c.NoRotation, c.OmitIDTokenOnRefresh = true, true }))
	c := w.login()
	before := c.clone()
	c.post("/refresh", "").want(204, "")
	for _, name := range []string{"example-auth", "example-id", "example-csrf"} {
		a, b := before.cookie(name).Value, c.cookie(name).Value
		same := 0
		for same < min(len(a), len(b)) && a[same] == b[same] {
			same++
		}
		if same > 40 { // the time in clear, in base64 twice
			t.Errorf("%s: two seals of one value begin with the same %d characters", name, same)
		}
	}
}

// danpalmer/pkce-proxy echoes code and verifier in its error pages.
func TestPeerPKCEProxyEchoesTheCode(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.client()
	a := c.end(w.response(c.start(), "code=c4nary-made-up-code")).want(400, "authorization_error")
	if strings.Contains(a.Body+w.log.String(), "c4nary-made-up") {
		t.Errorf("the code is echoed: %s", a.Body)
	}
}

// traefikoidc lets every request in that accepts event streams; oauth2-proxy has
// let in those of a health checker's User-Agent, and those whose X-Forwarded-Uri
// named a free path; Envoy's filter binds the session to a Host that proxies
// rewrite.
func TestPeerHeadersThatOpenDoors(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	stranger, c := w.client(), w.login()
	for name, value := range map[string]string{
		"Accept": "text/event-stream", "User-Agent": "GoogleHC/1.0", "X-Forwarded-Uri": "/oauth-agent/login/start",
		"X-Original-Url": "/oauth-agent/logout/continue", "X-Rewrite-Url": "/", "X-Forwarded-Method": "OPTIONS",
		"X-Http-Method-Override": "OPTIONS", "X-Forwarded-For": "127.0.0.1", "Authorization": "Bearer x", "Upgrade": "websocket",
	} {
		stranger.get("/userInfo", header(name, value)).want(401, "unauthorized_request")
		stranger.post("/refresh", "", header(name, value)).want(401, "unauthorized_request")
		c.get("/claims", header(name, value), header("Origin", "https://evil.example")).want(401, "unauthorized_request")
	}
	c.get("/claims", func(r *http.Request) { r.Host = "internal:8080" }).want(200, "")
	u := c.post("/logout", "", header("X-Forwarded-Host", "evil.example"), header("X-Forwarded-Proto", "javascript"),
		header("Forwarded", "host=evil.example")).want(200, "").json("url").(string)
	if !strings.HasPrefix(u, w.agent.URL+"/") {
		t.Errorf("logout goes to %s", u)
	}
}

// oauth2-proxy leaves the check of the nonce off by default. (It also encrypts
// cookies by AES-CFB, and nothing tells a changed one: TestCookiesFlippedBitByBit.)
func TestPeerOAuth2ProxyNonce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.idp.SetIDTokenFault(claim("nonce", nil))
	c := w.client()
	c.end(w.authorize(c.start())).want(400, "invalid_request")
}

// From the ChangeLog of mod_auth_openidc: parameters given twice were taken
// last-wins, extra parameters doubled the core ones, arrays passed as claims,
// exp:1e300 overflowed, and what was small in gzip was large without. (Storms of
// unknown kids: TestUnknownKeysAreNoStorm. Pieces of cookies: TestLargeTokensAreSplit.)
func TestPeerModAuthOpenIDC(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.login()
	c.end(w.response(c.start(), "code=a&code=b")).want(400, "invalid_request")
	c.post("/login/start", `{"extraParams":[{"key":"redirect_uri","value":"https://evil.example"}]}`).want(400, "invalid_request")
	w.idp.SetIDTokenFault(claim("exp", 1e300))
	d := w.client()
	d.end(w.authorize(d.start())).want(400, "invalid_request")

	w.idp.SetFault(idp.Userinfo, idp.Fault{Status: 200, Body: `[{"sub":"sub-demo"}]`})
	c.get("/userInfo").want(502, "authorization_server_error")
	bomb := idp.Fault{Status: 200, Header: http.Header{"Content-Encoding": {"gzip"}}, Body: gzipped(`{"sub":"sub-demo","x":"` + strings.Repeat("x", 50<<20))}
	w.idp.SetFault(idp.Userinfo, bomb)
	c.get("/userInfo").want(502, "authorization_server_error")
	w.idp.SetFault(idp.Token, bomb)
	c.post("/refresh", "").want(502, "authorization_server_error")
	w.idp.ClearFaults()
	c.works()
}

func gzipped(s string) string {
	var b bytes.Buffer
	z, _ := gzip.NewWriterLevel(&b, gzip.BestSpeed)
	_, _ = z.Write([]byte(s))
	_ = z.Close()
	return b.String()
}
