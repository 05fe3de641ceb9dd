package e2e

import (
	"testing"
	"time"

	"oauth-agent/test/idp"
)

// claim changes a claim; nil takes it away.
func claim(name string, value any) idp.IDTokenFault {
	return idp.IDTokenFault{Mutate: func(m map[string]any) {
		if value == nil {
			delete(m, name)
			return
		}
		m[name] = value
	}}
}

// claims changes several.
func claims(changes map[string]any) idp.IDTokenFault {
	return idp.IDTokenFault{Mutate: func(m map[string]any) {
		for k, v := range changes {
			m[k] = v
		}
	}}
}

// dated sets a time claim relative to the moment of the token.
func (w *world) dated(name string, seconds int64) idp.IDTokenFault {
	return idp.IDTokenFault{Mutate: func(m map[string]any) { m[name] = w.clock.now().Unix() + seconds }}
}

// idTokenFaults are ID tokens that must be refused, at login and at refresh.
func idTokenFaults(w *world) map[string]idp.IDTokenFault {
	faults := map[string]idp.IDTokenFault{
		"another issuer": claim("iss", "https://evil.example"), "issuer with a slash": claim("iss", w.idp.Issuer+"/"),
		"no issuer": claim("iss", nil), "issuer, a list": claim("iss", []string{w.idp.Issuer}),
		"no sub": claim("sub", nil), "empty sub": claim("sub", ""), "sub, a number": claim("sub", 7),
		"another audience": claim("aud", "other"), "no audience": claim("aud", nil), "empty audience": claim("aud", []string{}),
		"audience, a number": claim("aud", 7), "audience of case": claim("aud", "SPA"), "audience, a part": claim("aud", "sp"),
		"two audiences, no azp": claim("aud", []string{clientID, "other"}), "azp of another": claim("azp", "other"),
		"two audiences, azp of the other": claims(map[string]any{"aud": []string{clientID, "other"}, "azp": "other"}),
		"audience with a null":            claim("aud", []any{clientID, nil}),
		"azp, a list":                     claim("azp", []string{clientID}),
		"no exp":                          claim("exp", nil), "expired": w.dated("exp", -90), "exp 0": claim("exp", 0), "exp -1": claim("exp", -1),
		"exp 1e300": claim("exp", 1e300), "exp, a string": claim("exp", "9999999999"), "exp 2^63": claim("exp", 9.3e18),
		"no iat": claim("iat", nil), "iat to come": w.dated("iat", 120), "iat, a string": claim("iat", "0"), "iat 1e300": claim("iat", 1e300),
		"nbf to come": w.dated("nbf", 120), "nbf, a string": claim("nbf", "x"),
		"at_hash of another": claim("at_hash", "AAAAAAAAAAAAAAAAAAAAAA"), "at_hash, empty": claim("at_hash", ""), "at_hash, a number": claim("at_hash", 7),
		"nonce of another login": claim("nonce", "x"),
	}
	for _, signing := range []idp.Signing{
		idp.SignWrongKey, idp.SignUnknownKID, idp.SignEmbeddedKey, idp.SignTampered, idp.SignStripped, idp.SignNone,
		idp.SignGarbage, idp.SignHS256ClientSecret, idp.SignHS256PublicKey,
	} {
		faults["signed: "+string(signing)] = idp.IDTokenFault{Signing: signing}
	}
	return faults
}

func TestIDTokenFaultsAtLogin(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	faults := idTokenFaults(w)
	faults["no nonce"] = claim("nonce", nil)
	faults["empty nonce"] = claim("nonce", "")
	faults["nonce, a list"] = claim("nonce", []string{"x"})
	for name, f := range faults {
		c := w.client()
		page := w.authorize(c.start())
		w.idp.SetIDTokenFault(f)
		a := c.end(page)
		if a.Status != 400 || a.json("code") != "invalid_request" || len(c.jar) != 0 {
			t.Errorf("%s: %d %s, cookies %v", name, a.Status, a.Body, c.cookieNames())
		}
		w.idp.ClearFaults()
		w.clock.advance(15 * time.Second) // so that looking for keys again is not put off
	}
}

func TestIDTokensThatAreGood(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	now := w.clock.now().Unix()
	for name, f := range map[string]idp.IDTokenFault{
		"audience in a list":      claim("aud", []string{clientID}),
		"two audiences and azp":   claims(map[string]any{"aud": []string{clientID, "api"}, "azp": clientID}),
		"azp alone":               claim("azp", clientID),
		"no at_hash":              claim("at_hash", nil),
		"no kid":                  {Signing: idp.SignWithoutKID},
		"expired half a minute":   w.dated("exp", -30),
		"iat in half a minute":    w.dated("iat", 30),
		"nbf in half a minute":    w.dated("nbf", 30),
		"fractions of seconds":    claims(map[string]any{"exp": float64(now) + 100.5, "iat": float64(now) - 0.5}),
		"dates after 2038":        claim("exp", 4102444800),
		"claims of unknown kinds": claims(map[string]any{"groups": []any{1, "a", nil, map[string]any{"x": 1e9}}}),
	} {
		c := w.client()
		page := w.authorize(c.start())
		w.idp.SetIDTokenFault(f)
		if a := c.end(page); a.Status != 200 {
			t.Errorf("%s: %d %s", name, a.Status, a.Body)
		}
		w.idp.ClearFaults()
	}
}

func TestTrustedAudiences(t *testing.T) {
	t.Parallel()
	w := newWorld(t, with("TRUSTED_AUDIENCES", "api"))
	for other, status := range map[string]int{"api": 200, "stranger": 400} {
		w.idp.SetIDTokenFault(claims(map[string]any{"aud": []string{clientID, other}, "azp": clientID}))
		c := w.client()
		if a := c.end(w.authorize(c.start())); a.Status != status {
			t.Errorf("audience %s: %d %s", other, a.Status, a.Body)
		}
	}
}

// Clocks may differ by a minute.
func TestClockSkew(t *testing.T) {
	t.Parallel()
	for skew, status := range map[time.Duration]int{
		55 * time.Second: 200, -55 * time.Second: 200, 70 * time.Second: 400, -70 * time.Second: 400,
	} {
		other := &clock{}
		w := newWorld(t, server(func(c *idp.Config) {
			c.IDTokenLifetime = time.Second // so that a server behind us makes expired ones
			c.Clock = other.now
		}))
		other.advance(skew)
		c := w.client()
		if a := c.end(w.authorize(c.start())); a.Status != status {
			t.Errorf("the server's clock is off by %s: %d %s", skew, a.Status, a.Body)
		}
	}
}

func TestKeysRolledBetweenLogins(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.login()
	for range 3 {
		if err := w.idp.RollKeys(); err != nil {
			t.Fatal(err)
		}
		w.login().works()
	}
	c.works() // whose ID token was signed by a key that is gone
}

// A row of tokens of unknown keys is not a row of requests for keys, and keeps
// nobody else out.
func TestUnknownKeysAreNoStorm(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.idp.SetIDTokenFault(idp.IDTokenFault{Signing: idp.SignUnknownKID, Times: 20})
	for range 20 {
		c := w.client()
		c.end(w.authorize(c.start())).want(400, "invalid_request")
	}
	if n := w.idp.Calls(idp.JWKS); n > 8 {
		t.Errorf("%d requests for keys", n)
	}
	w.login()
}

func TestKeysUnavailable(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.idp.SetFault(idp.JWKS, idp.Down())
	c := w.client()
	c.end(w.authorize(c.start())).want(502, "authorization_server_error")
	w.idp.ClearFaults()
	w.clock.advance(2 * time.Second)
	c = w.login()
	// Known keys do without the server's being there.
	w.idp.SetFault(idp.JWKS, idp.Down())
	c.works()
	w.login()
}

func TestMaxAge(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	login := func(f idp.IDTokenFault) *answer {
		c := w.client()
		page := w.authorize(c.start("max_age", "300"))
		w.idp.SetIDTokenFault(f)
		return c.end(page)
	}
	login(idp.IDTokenFault{}).want(200, "")
	login(claim("auth_time", nil)).want(400, "invalid_request")
	login(w.dated("auth_time", -400)).want(400, "invalid_request")
	login(w.dated("auth_time", 400)).want(400, "invalid_request")
}
