package authserver

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"oauth-agent/agent/internal/secret"
)

var errTODO = errors.New("not written yet")

type (
	discovery struct{}
	keySource struct{}
	memory    struct{}
)

func newDiscovery(Config, Options) *discovery                               { return nil }
func newKeySource(*HTTP, func() time.Time) *keySource                       { return nil }
func newMemory(time.Duration, int, Sealer, func() time.Time) *memory        { return nil }
func newProcessSealer() Sealer                                              { return nil }
func (c *Client) Ready(ctx context.Context) error                           { return errTODO }
func (c *Client) Exchange(ctx context.Context, g CodeGrant) (Tokens, error) { return Tokens{}, errTODO }
func (c *Client) Refresh(ctx context.Context, g RefreshGrant) (Tokens, error) {
	return Tokens{}, errTODO
}
func (c *Client) Userinfo(ctx context.Context, access secret.String, sub string) (json.RawMessage, error) {
	return nil, errTODO
}
func (c *Client) End(ctx context.Context, refresh, access secret.String) error { return errTODO }
func (c *Client) EndSession(ctx context.Context) (endpoint string)             { return "" }
func (c *Client) CheckIssuer(ctx context.Context, iss string) error            { return errTODO }
func (c *Client) ReadIDToken(raw secret.String) (json.RawMessage, Identity, error) {
	return nil, Identity{}, errTODO
}

type Param struct{ Key, Value string }
type AuthRequest struct {
	State, Nonce string
	Verifier     secret.String
	Extra        []Param
}
type AuthorizationURL struct {
	URL    string
	OpenID bool
	MaxAge *int
}

func (c *Client) AuthorizationURL(ctx context.Context, r AuthRequest) (AuthorizationURL, error) {
	return AuthorizationURL{}, errTODO
}

type CodeGrant struct {
	Code, Verifier secret.String
	Nonce          string
	OpenID         bool
	MaxAge         *int
}
type RefreshGrant struct{ Refresh, Access, ID secret.String }
