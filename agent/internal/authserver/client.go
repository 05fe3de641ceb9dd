package authserver

import (
	"log/slog"
	"time"

	"golang.org/x/oauth2"

	"oauth-agent/agent/internal/secret"
)

// Config says which authorization server, and who we are to it.
type Config struct {
	// Issuer is the server's identifier, from which its metadata is discovered.
	// It may be empty for a server without discovery, and may have {tenantid} in the
	// place of the tenant.
	Issuer string
	// Tenants are those whose users may log in, where the issuer has {tenantid};
	// "any": all.
	Tenants []string
	// MetadataURL is where the metadata is, if not at the issuer.
	MetadataURL string
	// Explicit endpoints take the place of discovered ones. With authorize, token
	// and (for OpenID Connect) JWKS given, discovery may fail.
	Authorize, Token, Userinfo, EndSession, JWKS, Revocation string
	// InsecureHTTP accepts discovered http:// endpoints beyond loopback.
	InsecureHTTP bool

	Client      Credentials
	AuthMethod  AuthMethod // empty: AuthAuto
	RedirectURI string
	Scope       []string
	// AllowScopeWidening lets a login ask for scopes that are not in Scope.
	AllowScopeWidening bool
	// TrustedAudiences, if any, are the only audiences that an ID token may
	// name besides our client id. A token without azp needs them.
	TrustedAudiences []string
	// ClockSkew is how far the server's clock may be from ours; zero: a minute.
	ClockSkew time.Duration
}

// Options are what a [Client] works with. The zero value works.
type Options struct {
	HTTP  *HTTP            // nil: NewHTTP(nil, 10 seconds)
	Clock func() time.Time // nil: time.Now
	Log   *slog.Logger     // nil: nowhere
	// Servers is what the process knows of servers; nil: this client knows by itself.
	Servers *Servers
}

// Tokens are what a login or a refresh brought.
type Tokens struct {
	Access, Refresh, ID secret.String // Refresh and ID may be empty
	Issued              time.Time     // when the access token was asked for
	Expiry              time.Time     // of the access token; zero: unknown
	Identity            Identity      // from the ID token; zero without one
}

// Identity is who an ID token speaks of. Only both together identify.
type Identity struct{ Issuer, Subject string }

// Client speaks to one authorization server. It is safe for concurrent use.
type Client struct {
	cfg       Config
	http      *HTTP
	now       func() time.Time
	log       *slog.Logger
	server    *server
	discovery *discovery // the server's
	keys      *keySource // the server's
}

// New makes a client. Nothing is sent before the first call.
func New(cfg Config, opt Options) *Client {
	cfg, opt = withDefaults(cfg, opt)
	known := opt.Servers.get(cfg)
	return &Client{
		cfg: cfg, http: opt.HTTP, now: opt.Clock, log: opt.Log,
		server: known, discovery: known.discovery, keys: known.keys,
	}
}

func withDefaults(cfg Config, opt Options) (Config, Options) {
	if cfg.AuthMethod == "" {
		cfg.AuthMethod = AuthAuto
	}
	if cfg.ClockSkew == 0 {
		cfg.ClockSkew = time.Minute
	}
	if opt.HTTP == nil {
		opt.HTTP = NewHTTP(nil, 10*time.Second)
	}
	if opt.Clock == nil {
		opt.Clock = time.Now
	}
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	if opt.Servers == nil {
		opt.Servers = NewServers(opt.HTTP, opt.Clock, opt.Log)
	}
	return cfg, opt
}

// Timeout is how long the server has for an answer.
func (c *Client) Timeout() time.Duration { return c.http.Timeout() }

// Issuer is the configured issuer; empty when there is none.
func (c *Client) Issuer() string { return c.cfg.Issuer }

// NewVerifier makes a PKCE code verifier of 256 random bits (RFC 7636 4.1).
func NewVerifier() secret.String { return secret.New(oauth2.GenerateVerifier()) }
