package authserver

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"oauth-agent/agent/internal/secret"
)

// Param is one parameter that the SPA adds to the authorization request.
type Param struct{ Key, Value string }

// AuthRequest is a login that begins. State, Nonce and Verifier must be fresh.
type AuthRequest struct {
	State, Nonce string
	Verifier     secret.String // see [NewVerifier]
	Extra        []Param
}

// AuthorizationURL is where the browser goes, and what must be remembered for
// the [CodeGrant].
type AuthorizationURL struct {
	URL    string
	OpenID bool // an ID token is to come
	MaxAge *int // in seconds, as asked for; nil: not asked
}

// AuthorizationURL makes the authorization request (RFC 6749 4.1.1, OpenID
// Connect Core 3.1.2.1) with a PKCE challenge by S256 (RFC 7636 4.3). It fails
// with an [*ExtraParamsError] or [ErrUnavailable].
func (c *Client) AuthorizationURL(ctx context.Context, r AuthRequest) (AuthorizationURL, error) {
	if r.State == "" || r.Nonce == "" || r.Verifier.Empty() {
		return AuthorizationURL{}, errors.New("authorization request without state, nonce or verifier")
	}
	meta, err := c.discovery.get(ctx)
	if err != nil {
		return AuthorizationURL{}, err
	}
	extra, err := c.readExtra(r.Extra, meta.authorize)
	if err != nil {
		return AuthorizationURL{}, err
	}
	openID := slices.Contains(extra.scope, oidc.ScopeOpenID)
	if openID && meta.jwks == "" {
		return AuthorizationURL{}, unavailable("no jwks_uri is known, so that no ID token could be verified")
	}
	opts := append(extra.options, oauth2.S256ChallengeOption(r.Verifier.Reveal()))
	if openID {
		opts = append(opts, oidc.Nonce(r.Nonce))
	}
	request := oauth2.Config{
		ClientID:    c.cfg.Client.ID,
		RedirectURL: c.cfg.RedirectURI,
		Scopes:      extra.scope,
		Endpoint:    oauth2.Endpoint{AuthURL: meta.authorize},
	}
	return AuthorizationURL{request.AuthCodeURL(r.State, opts...), openID, extra.maxAge}, nil
}

// extraParams are the SPA's parameters, sorted by who must know of them.
type extraParams struct {
	scope   []string
	maxAge  *int
	options []oauth2.AuthCodeOption
}

// readExtra checks the SPA's parameters: none of ours, none twice, none that
// the endpoint's own query has.
func (c *Client) readExtra(params []Param, endpoint string) (extraParams, error) {
	out := extraParams{scope: c.cfg.Scope}
	seen := queryKeys(endpoint)
	for _, p := range params {
		key := foldKey(p.Key)
		switch {
		case key == "":
			return out, &ExtraParamsError{"a key is empty"}
		case reserved(key), p.Key != key && (key == "scope" || key == "max_age"):
			return out, &ExtraParamsError{key + " is set by the agent"}
		case seen[key]:
			return out, &ExtraParamsError{"a parameter is given twice"}
		}
		seen[key] = true
		if err := c.readParam(&out, p); err != nil {
			return out, err
		}
	}
	return out, nil
}

func (c *Client) readParam(out *extraParams, p Param) (err error) {
	switch p.Key {
	case "scope":
		out.scope, err = c.narrow(p.Value)
		return err
	case "max_age":
		out.maxAge, err = readMaxAge(p.Value)
	}
	out.options = append(out.options, oauth2.SetAuthURLParam(p.Key, p.Value))
	return err
}

// narrow reads a scope (RFC 6749 3.3) and holds it against the configured one.
func (c *Client) narrow(value string) ([]string, error) {
	scope := strings.FieldsFunc(value, func(r rune) bool { return r == ' ' })
	if len(scope) == 0 {
		return nil, &ExtraParamsError{"scope is empty"}
	}
	for _, s := range scope {
		if strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' || r == '"' || r == '\\' }) {
			return nil, &ExtraParamsError{"scope has characters that no scope has"}
		}
		if !c.cfg.AllowScopeWidening && !slices.Contains(c.cfg.Scope, s) {
			return nil, &ExtraParamsError{"scope may be narrowed, not widened"}
		}
	}
	return scope, nil
}

// readMaxAge takes digits alone; the check of auth_time must know the same
// number that the server reads.
func readMaxAge(value string) (*int, error) {
	n, err := strconv.ParseUint(value, 10, 31)
	if err != nil {
		return nil, &ExtraParamsError{"max_age is no number of seconds"}
	}
	seconds := int(n)
	return &seconds, nil
}

// reserved tells whether the agent alone decides about key, a folded one.
func reserved(key string) bool {
	switch key {
	case "client_id", "redirect_uri", "response_type", "response_mode", "state", "nonce",
		"code_challenge", "code_challenge_method", "code_verifier", "request", "request_uri",
		"client_secret", "client_assertion", "client_assertion_type", "grant_type", "code",
		"registration", "dpop_jkt", "iss":
		return true
	}
	return false
}

// foldKey spells key as a lenient server would read it: some ignore case, and
// PHP makes an underscore of a dot or a space and cuts at a bracket. A key that
// reaches any server as one of ours must not pass.
func foldKey(key string) string {
	key, _, _ = strings.Cut(strings.ToLower(key), "[")
	key, _, _ = strings.Cut(key, "\x00")
	return strings.NewReplacer(".", "_", " ", "_").Replace(strings.TrimSpace(key))
}

// queryKeys are the parameters that endpoint has already.
func queryKeys(endpoint string) map[string]bool {
	keys := map[string]bool{}
	u, err := url.Parse(endpoint)
	if err != nil {
		return keys
	}
	for key := range u.Query() {
		keys[foldKey(key)] = true
	}
	return keys
}

// CheckIssuer holds the iss of an authorization response against the issuer
// (RFC 9207 2.4). An absent one is an error when the server announces that it
// always sends it. The error is [ErrIssuer] or [ErrUnavailable].
func (c *Client) CheckIssuer(ctx context.Context, iss string) error {
	switch {
	case c.cfg.Issuer == "", c.cfg.isIssuer(iss):
		return nil
	case iss != "":
		return fmt.Errorf("%w%s", ErrIssuer, tellableIssuer(iss))
	}
	meta, err := c.discovery.get(ctx)
	if err != nil {
		return err
	}
	if meta.issInResponse {
		return fmt.Errorf("%w: iss is missing", ErrIssuer)
	}
	return nil
}
