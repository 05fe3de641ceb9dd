package authserver

import (
	"context"
	"errors"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"oauth-agent/agent/internal/secret"
	"oauth-agent/agent/internal/strictjson"
)

// longestLife bounds expires_in. Who says more means "for ever", which is
// unknown to us.
const longestLife = 10 * 365 * 24 * time.Hour

// tokenAnswer is a successful answer of the token endpoint (RFC 6749 5.1).
type tokenAnswer struct {
	access, refresh, id secret.String // the last two may be empty
	life                time.Duration // zero: unknown
	issued              time.Time
	expiry              time.Time // zero: unknown
}

// requestTokens sends form to the token endpoint as the client. The error is a
// [*refusal] that is not an outage, or [ErrUnavailable]; along with the latter
// there may be a refresh token, see [parseTokenAnswer].
func (c *Client) requestTokens(ctx context.Context, wire *HTTP, meta *metadata, form url.Values) (tokenAnswer, error) {
	asked := c.now() // a life counts from here at the earliest
	answer, err := wire.At(EndpointToken).PostForm(ctx, meta.token, form, c.cfg.Client, meta.authMethod(c.cfg.AuthMethod))
	if err != nil {
		return tokenAnswer{}, err
	}
	tokens, err := readTokenAnswer(answer)
	tokens.issued = asked
	if tokens.life > 0 {
		tokens.expiry = asked.Add(tokens.life)
	}
	return tokens, err
}

// readTokenAnswer returns the tokens in an answer, or the error that is documented
// at [Client.requestTokens].
func readTokenAnswer(answer *Answer) (tokens tokenAnswer, err error) {
	if answer.Status < http.StatusBadRequest {
		if tokens, err = parseTokenAnswer(answer.Body); err == nil {
			return tokens, nil
		}
	}
	r := refused(answer)
	switch {
	case r == nil, !tokens.refresh.Empty(): // an answer that grants something is no refusal
		return tokens, unavailable("token endpoint: status %d: %w", answer.Status, err)
	case r.verdict == outage:
		return tokenAnswer{}, unavailable("token endpoint: %v", r)
	}
	return tokenAnswer{}, r
}

// parseTokenAnswer reads strict JSON, whatever the Content-Type says. Its
// errors name members and never quote them. A refresh token is given even along
// with an error, since the one before it may be spent.
func parseTokenAnswer(body []byte) (t tokenAnswer, err error) {
	o, err := strictjson.Parse(body)
	if err != nil {
		return t, err
	}
	refresh, ok := o.OptionalText("refresh_token")
	if !ok {
		return t, errors.New("refresh_token is no string")
	}
	t.refresh = secret.New(refresh)
	access, ok := o.Text("access_token")
	if !ok || !vschar(access) {
		return t, errors.New("no access_token that could be sent on")
	}
	if kind, ok := o.OptionalText("token_type"); !ok || (kind != "" && !strings.EqualFold(kind, "Bearer")) {
		return t, errors.New("token_type is not Bearer")
	}
	id, ok := o.OptionalText("id_token")
	if !ok {
		return t, errors.New("id_token is no string")
	}
	t.access, t.id, t.life = secret.New(access), secret.New(id), lifetime(o)
	return t, nil
}

// vschar tells whether token is of the characters of RFC 6749 A.12. Any other
// would break, or break out of, the header that the token will stand in.
func vschar(token string) bool {
	for i := range len(token) {
		if token[i] < ' ' || token[i] > '~' {
			return false
		}
	}
	return strings.TrimSpace(token) != ""
}

// lifetime reads expires_in, in seconds, as a number or (some servers) as a
// string of one. What makes no sense is unknown.
func lifetime(o strictjson.Object) time.Duration {
	seconds, ok := o.Number("expires_in")
	if s, isText := o.Text("expires_in"); isText {
		n, err := strconv.ParseFloat(s, 64)
		seconds, ok = n, err == nil
	}
	if !ok || math.IsNaN(seconds) || seconds < 1 || seconds > longestLife.Seconds() {
		return 0
	}
	return time.Duration(seconds) * time.Second
}
