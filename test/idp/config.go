package idp

import (
	"crypto"
	"log/slog"
	"slices"
	"time"
)

// Client is a registered client (RFC 6749 2). Without a secret it is a public
// one, which must use PKCE.
type Client struct {
	ID, Secret string
	Name       string // shown on the login page; empty: the ID

	// Compared exactly, RFC 9700 2.1.
	RedirectURIs, PostLogoutRedirectURIs []string
}

// User can log in.
type User struct {
	Username, Password, Sub string

	// Claims are added to userinfo and the ID token, whatever the scope.
	Claims map[string]any
}

// Config is what a provider is made of. The zero value of every field is what a
// modern provider does.
type Config struct {
	// Issuer is the issuer identifier, without a final slash. It may have a path.
	// Empty: [Start] makes it from its listener and Path.
	Issuer string
	// Path is the issuer's path where Start makes the issuer, such as "/o".
	Path string

	Clients []Client
	Users   []User
	// ShowUsers puts names and passwords on the login page, for a demo.
	ShowUsers bool
	// Scopes are known beside openid, profile, email and offline_access. A scope
	// that is not known is left out of the grant.
	Scopes []string

	AccessTokenLifetime  time.Duration // 5 minutes
	RefreshTokenLifetime time.Duration // 24 hours
	IDTokenLifetime      time.Duration // 5 minutes
	CodeLifetime         time.Duration // 60 seconds
	SessionLifetime      time.Duration // of the single sign-on session; 8 hours

	// SigningAlg of ID tokens: ES256, or RS256, whose keys take a while to make.
	SigningAlg string
	// SigningKey is the first key (an *ecdsa.PrivateKey or *rsa.PrivateKey), so that
	// many tests share one. Empty: a fresh one.
	SigningKey crypto.Signer

	// AuthMethods are the announced and accepted ways of client authentication,
	// client_secret_basic and client_secret_post. Empty: both, and none where a
	// public client is registered.
	AuthMethods []string
	// HideAuthMethods leaves them out of discovery, where Basic is then the default.
	HideAuthMethods bool

	// Profiles of providers that do less, or other.

	NoRotation              bool // the refresh token stays the same
	NoRefreshToken          bool // none is issued
	OmitRefreshTokenOnReuse bool // with NoRotation: a refresh does not send it again
	RefreshKillsAccessToken bool // a refresh ends the access tokens before it, at once
	OmitIDTokenOnRefresh    bool // a refresh brings no ID token
	NonceOnRefresh          bool // its ID token repeats the nonce of the login
	NoIDToken               bool // no ID token ever, though openid was granted
	NoOpenID                bool // plain OAuth 2.0: openid is not known
	OmitScope               bool // no scope in the token response
	OmitExpiresIn           bool // no expires_in in the token response
	RequirePKCE             bool // of confidential clients too
	IgnorePKCE              bool // never heard of PKCE
	HidePKCE                bool // does PKCE, does not announce it
	NoIssInResponse         bool // no RFC 9207
	NoUserinfo              bool
	NoRevocation            bool
	NoEndSession            bool

	// Entries is how many codes, tokens and sessions are kept, the youngest, of each
	// kind: 10,000.
	Entries int

	// Padding makes access, refresh and ID tokens about this many bytes longer.
	Padding int

	Clock func() time.Time // time.Now
	Log   *slog.Logger     // nothing is logged; never a secret
}

// withDefaults fills what was left empty.
func (c Config) withDefaults() Config {
	for _, d := range []struct {
		field *time.Duration
		value time.Duration
	}{
		{&c.AccessTokenLifetime, 5 * time.Minute},
		{&c.RefreshTokenLifetime, 24 * time.Hour},
		{&c.IDTokenLifetime, 5 * time.Minute},
		{&c.CodeLifetime, time.Minute},
		{&c.SessionLifetime, 8 * time.Hour},
	} {
		if *d.field == 0 {
			*d.field = d.value
		}
	}
	if c.SigningAlg == "" {
		c.SigningAlg = ES256
	}
	if c.Clock == nil {
		c.Clock = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if len(c.AuthMethods) == 0 {
		c.AuthMethods = []string{methodBasic, methodPost}
	}
	return c
}

// client finds a client by its id.
func (c *Config) client(id string) *Client {
	i := slices.IndexFunc(c.Clients, func(c Client) bool { return c.ID == id })
	if i < 0 {
		return nil
	}
	return &c.Clients[i]
}

// user finds a user by name and password.
func (c *Config) user(name, password string) *User {
	for i := range c.Users {
		u := &c.Users[i]
		if u.Username == name && sameSecret(u.Password, password) {
			return u
		}
	}
	return nil
}

// scopes are all that are known.
func (c *Config) scopes() []string {
	known := append([]string{"openid", "profile", "email", "offline_access"}, c.Scopes...)
	if c.NoOpenID {
		known = slices.DeleteFunc(known, func(s string) bool { return s == "openid" })
	}
	return known
}

// hasPublicClient tells whether a client without a secret is registered.
func (c *Config) hasPublicClient() bool {
	return slices.ContainsFunc(c.Clients, func(c Client) bool { return c.Secret == "" })
}

// title is the client's name for people.
func (c *Client) title() string {
	if c.Name != "" {
		return c.Name
	}
	return c.ID
}
