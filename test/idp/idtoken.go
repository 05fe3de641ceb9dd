package idp

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
)

// withIDToken adds an ID token to answer when openid was granted, after the faults
// of the moment had their say.
func (p *Provider) withIDToken(answer map[string]any, g *grant, grantType string) (map[string]any, *oauthError) {
	if p.cfg.NoIDToken || !g.has("openid") {
		return answer, nil
	}
	f := p.takeIDTokenFault(grantType)
	if f.Omit {
		return answer, nil
	}
	accessToken, _ := answer["access_token"].(string)
	claims := p.idTokenClaims(g, accessToken, grantType)
	mutate(f.Mutate, claims)
	token, err := p.signIDToken(claims, f.Signing, g.client)
	if err != nil {
		return nil, &oauthError{status: http.StatusInternalServerError, code: "server_error", description: err.Error()}
	}
	p.issued.add(token)
	answer["id_token"] = token
	return answer, nil
}

// idTokenClaims are those of OpenID Connect Core 2 and 3.1.3.6, and the user's. One
// of a refresh has no nonce (12.2), and the time of the login.
func (p *Provider) idTokenClaims(g *grant, accessToken, grantType string) map[string]any {
	now := p.now()
	claims := maps.Clone(g.user.Claims)
	if claims == nil {
		claims = make(map[string]any)
	}
	maps.Copy(claims, map[string]any{
		"iss":       p.cfg.Issuer,
		"sub":       g.user.Sub,
		"aud":       g.client.ID,
		"iat":       now.Unix(),
		"exp":       now.Add(p.cfg.IDTokenLifetime).Unix(),
		"auth_time": g.authTime.Unix(),
		"sid":       g.sid,
		"at_hash":   leftHalfHash(accessToken),
	})
	if g.nonce != "" && (grantType == grantCode || p.cfg.NonceOnRefresh) {
		claims["nonce"] = g.nonce
	}
	if p.cfg.Padding > 0 { // base64 makes four bytes of three
		claims["padding"] = randomToken("", p.cfg.Padding)[:p.cfg.Padding*3/4]
	}
	return claims
}

// leftHalfHash is the hash of OpenID Connect Core 3.1.3.6, for the algorithms here,
// all of SHA-256.
func leftHalfHash(token string) string {
	sum := sha256.Sum256([]byte(token))
	return base64.RawURLEncoding.EncodeToString(sum[:len(sum)/2])
}

// hint is what an id_token_hint says.
type hint struct {
	Issuer   string   `json:"iss"`
	Subject  string   `json:"sub"`
	Audience audience `json:"aud"`
	SID      string   `json:"sid"`
}

// audience is a string or a list of them.
type audience []string

// UnmarshalJSON implements [json.Unmarshaler].
func (a *audience) UnmarshalJSON(b []byte) error {
	var one string
	if err := json.Unmarshal(b, &one); err == nil {
		*a = audience{one}
		return nil
	}
	return json.Unmarshal(b, (*[]string)(a))
}

// openHint verifies an id_token_hint. One that has expired is as good (OpenID
// Connect RP-Initiated Logout 1.0, 4).
func (p *Provider) openHint(token string) (*hint, *Client, *oauthError) {
	payload, err := p.keys.verify(token)
	if err != nil {
		return nil, nil, invalidRequest("The id_token_hint is not ours.")
	}
	var h hint
	if err := json.Unmarshal(payload, &h); err != nil || h.Issuer != p.cfg.Issuer {
		return nil, nil, invalidRequest("The id_token_hint is not ours.")
	}
	i := slices.IndexFunc(h.Audience, func(id string) bool { return p.cfg.client(id) != nil })
	if i < 0 {
		return nil, nil, invalidRequest("The id_token_hint is for nobody here.")
	}
	return &h, p.cfg.client(h.Audience[i]), nil
}
