package authserver

import (
	"slices"
	"time"

	"oauth-agent/agent/internal/strictjson"
)

// latest bounds a NumericDate: the last second of the year 9999. What is
// beyond is no time but an overflow in waiting.
const latest = 253402300799

// claims are an ID token's, by their exact names (OpenID Connect Core 2).
type claims struct{ strictjson.Object }

func (c claims) identity() Identity {
	issuer, _ := c.Text("iss")
	subject, _ := c.Text("sub")
	return Identity{issuer, subject}
}

// date reads a NumericDate: a JSON number of seconds since 1970 (RFC 7519 2).
func (c claims) date(name string) (t time.Time, ok bool) {
	seconds, ok := c.Number(name)
	if !ok || seconds < 0 || seconds > latest {
		return time.Time{}, false
	}
	return time.Unix(int64(seconds), 0), true
}

// checkClaims makes the checks that need nothing but the settings and the
// time. An empty fault is none.
func (c *Client) checkClaims(payload []byte) (claims, fault) {
	o, err := strictjson.Parse(payload)
	if err != nil {
		return claims{}, fault("its claims are " + err.Error())
	}
	found := claims{o}
	for _, check := range []func(claims) fault{c.checkIssuer, c.checkAudience, c.checkTimes} {
		if bad := check(found); bad != "" {
			return claims{}, bad
		}
	}
	return found, ""
}

// checkIssuer wants the configured issuer and a subject.
func (c *Client) checkIssuer(found claims) fault {
	switch id := found.identity(); {
	case id.Issuer == "":
		return "iss is missing"
	case id.Subject == "":
		return "sub is missing"
	case c.cfg.manyTenants():
		return c.cfg.checkTenant(found)
	case c.cfg.Issuer != "" && id.Issuer != c.cfg.Issuer && !googleWithoutScheme(c.cfg.Issuer, id.Issuer):
		return "iss is not the configured issuer" + fault(tellableIssuer(id.Issuer))
	}
	return ""
}

// googleWithoutScheme is the one spelling besides the exact one that go-oidc
// knows as well: Google signs with both.
func googleWithoutScheme(configured, found string) bool {
	return configured == "https://accounts.google.com" && found == "accounts.google.com"
}

// checkAudience wants the token to be for us, and if for others too, then issued to us
// (azp) or, without azp, for those whom the settings trust. Others than these are not
// accepted in either case (OpenID Connect Core 3.1.3.7).
func (c *Client) checkAudience(found claims) fault {
	audience, ok := found.Texts("aud")
	if one, isText := found.Text("aud"); isText {
		audience, ok = []string{one}, true
	}
	if !ok || !slices.Contains(audience, c.cfg.Client.ID) {
		return "aud is not our client id"
	}
	azp, _ := found.Text("azp")
	if found.Has("azp") && azp != c.cfg.Client.ID {
		return "azp is not our client id"
	}
	for _, other := range audience {
		switch {
		case other == c.cfg.Client.ID, slices.Contains(c.cfg.TrustedAudiences, other):
		case len(c.cfg.TrustedAudiences) > 0:
			return "aud has one that is not trusted"
		case azp == "":
			return "aud has others besides us, and azp is missing"
		}
	}
	return ""
}

// checkTimes allows for clocks that differ by the skew.
func (c *Client) checkTimes(found claims) fault {
	now, skew := c.now(), c.cfg.ClockSkew
	expiry, ok := found.date("exp")
	if !ok {
		return "exp is missing or no date"
	}
	if !now.Before(expiry.Add(skew)) {
		return "it is expired"
	}
	issued, ok := found.date("iat")
	if !ok {
		return "iat is missing or no date"
	}
	if issued.After(now.Add(skew)) {
		return "iat is in the future"
	}
	if notBefore, ok := found.date("nbf"); found.Has("nbf") && (!ok || notBefore.After(now.Add(skew))) {
		return "nbf is in the future or no date"
	}
	return ""
}

// ofLogin tells, as an error of type fault, whether the token is of this very
// login, and of a sign-in that is as recent as was asked for.
func (c claims) ofLogin(nonce string, maxAge *int, now time.Time, skew time.Duration) error {
	if got, _ := c.Text("nonce"); nonce == "" || got != nonce {
		return fault("nonce is not the one of this login")
	}
	if maxAge == nil {
		return nil
	}
	signedIn, ok := c.date("auth_time")
	if !ok || signedIn.After(now.Add(skew)) {
		return fault("auth_time is missing, no date or in the future, though max_age was asked for")
	}
	if now.After(signedIn.Add(time.Duration(*maxAge)*time.Second + skew)) {
		return fault("auth_time is longer ago than max_age")
	}
	return nil
}

// continues tells, as an error of type fault, whether the token is of the same
// user as the one before it (OpenID Connect Core 12.2). A nonce need not come
// again, but must not change.
func (c claims) continues(before claims) error {
	if c.identity() != before.identity() {
		return fault("iss and sub are not those of the session")
	}
	now, _ := c.Text("nonce")
	then, _ := before.Text("nonce")
	if c.Has("nonce") && before.Has("nonce") && now != then {
		return fault("nonce is not the one of the session")
	}
	return nil
}
