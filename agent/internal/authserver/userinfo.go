package authserver

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"oauth-agent/agent/internal/secret"
	"oauth-agent/agent/internal/strictjson"
)

// Userinfo asks for the user's claims (OpenID Connect Core 5.3) and gives the
// bytes as they came. They must be of sub, the ID token's; an empty one is not
// compared. It fails with [ErrTokenExpired], [ErrForbidden], [ErrNoUserinfo] or
// [ErrUnavailable].
func (c *Client) Userinfo(ctx context.Context, access secret.String, sub string) (json.RawMessage, error) {
	meta, err := c.discovery.get(ctx)
	if err != nil {
		return nil, err
	}
	if meta.userinfo == "" {
		return nil, ErrNoUserinfo
	}
	answer, err := c.http.At(EndpointUserinfo).Get(ctx, meta.userinfo, access)
	switch {
	case answer != nil && refusesToken(answer): // whatever its status
		return nil, fmt.Errorf("userinfo: %w: status %d", ErrTokenExpired, answer.Status)
	case err != nil:
		return nil, err
	}
	if r := refused(answer); r != nil && r.status == http.StatusForbidden && r.verdict != outage {
		return nil, fmt.Errorf("userinfo: %w: %w", ErrForbidden, r)
	} else if r != nil {
		return nil, unavailable("userinfo: %w", r)
	}
	// A signed or encrypted answer (application/jwt) was not registered for,
	// and is no JSON object.
	o, err := strictjson.Parse(answer.Body)
	if err != nil {
		return nil, unavailable("userinfo: %w", err)
	}
	if got, _ := o.Text("sub"); sub != "" && got != sub {
		return nil, unavailable("userinfo: it is of another sub than the ID token, or of none")
	}
	return answer.Body, nil
}

// refusesToken reports whether an answer says that the access token is no longer
// good: by its status, or by the error of RFC 6750 3 in its header or, as some
// servers send it, in its body.
func refusesToken(answer *Answer) bool {
	if answer.Status == http.StatusUnauthorized || oauthError(answer.Body) == "invalid_token" {
		return true
	}
	for _, challenge := range answer.Header.Values("WWW-Authenticate") {
		folded := strings.ReplaceAll(strings.ToLower(challenge), " ", "") + ","
		if strings.Contains(folded, `error="invalid_token"`) || strings.Contains(folded, "error=invalid_token,") {
			return true
		}
	}
	return false
}
