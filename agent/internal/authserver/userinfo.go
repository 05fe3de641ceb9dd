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
	if err != nil {
		return nil, err
	}
	if err := userinfoStatus(answer); err != nil {
		return nil, fmt.Errorf("userinfo: %w", err)
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

func userinfoStatus(answer *Answer) error {
	switch {
	case answer.Status < http.StatusBadRequest:
		return nil
	case answer.Status == http.StatusUnauthorized, answer.Status == http.StatusBadRequest && saysInvalidToken(answer):
		return fmt.Errorf("%w: status %d", ErrTokenExpired, answer.Status)
	case answer.Status == http.StatusForbidden:
		return ErrForbidden
	}
	return unavailable("status %d%s", answer.Status, codeSuffix(errorCode(answer.Body)))
}

// saysInvalidToken reads the error of RFC 6750 3, in the header or, as some
// servers have it, in the body.
func saysInvalidToken(answer *Answer) bool {
	for _, challenge := range answer.Header.Values("WWW-Authenticate") {
		folded := strings.ReplaceAll(strings.ToLower(challenge), " ", "")
		if strings.Contains(folded, `error="invalid_token"`) || strings.HasSuffix(folded, "error=invalid_token") {
			return true
		}
	}
	return errorCode(answer.Body) == "invalid_token"
}
