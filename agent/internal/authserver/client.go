package authserver

import (
	"context"
	"log/slog"
	"time"

	"golang.org/x/oauth2"

	"oauth-agent/agent/internal/recent"
	"oauth-agent/agent/internal/secret"
	"oauth-agent/agent/internal/sharedcall"
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
	// RefreshMemory is how long a late call with a spent refresh token is
	// answered from memory; zero: 60 seconds, negative: never.
	RefreshMemory time.Duration
	// RefreshMemoryBytes bounds that memory; zero: 64 MiB.
	RefreshMemoryBytes int
}

// Sealer encrypts and authenticates what is kept in memory.
type Sealer interface {
	Seal(plain []byte) (string, error)
	Open(sealed string) ([]byte, error)
}

// Options are what a [Client] works with. The zero value works.
type Options struct {
	HTTP   *HTTP            // nil: NewHTTP(nil, 10 seconds)
	Clock  func() time.Time // nil: time.Now
	Sealer Sealer           // nil: a key that dies with the process
	Log    *slog.Logger     // nil: nowhere
	Quiet  bool             // until Speak

	// Refreshed, if set, is told what came of each call of [Client.Refresh], and
	// whose session it was as far as that is known.
	Refreshed func(ctx context.Context, outcome string, who Identity)
	// Shared, if set, is told how many callers waited for one exchange of a refresh
	// token.
	Shared func(callers int)
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
	discovery *discovery
	keys      *keySource
	memory    *memory
	refreshed func(ctx context.Context, outcome string, who Identity)
	told      func(callers int)
	*shared
}

// shared is what a client has in common with its successor, so that no token
// and no code is spent once by each.
type shared struct {
	refreshes sharedcall.Group // by hash of the refresh token
	crowds    crowds           // likewise
	exchanges sharedcall.Group // by code and what proves it
	codes     *recent.Memory[struct{}]
}

// New makes a client. Nothing is sent before the first call.
func New(cfg Config, opt Options) *Client {
	cfg, opt = withDefaults(cfg, opt)
	return &Client{
		cfg: cfg, http: opt.HTTP, now: opt.Clock, log: opt.Log,
		refreshed: opt.Refreshed, told: opt.Shared,
		discovery: newDiscovery(cfg, opt),
		keys:      newKeySource(opt.Clock),
		shared:    &shared{codes: recent.New[struct{}](maxCodes, codeMemory, opt.Clock)},
		memory:    newMemory(cfg.RefreshMemory, cfg.RefreshMemoryBytes, opt.Sealer, opt.Clock),
	}
}

// Inherit takes over from a client that this one replaces: the calls that it
// shares, what it remembers of tokens and codes, and what it knows of the server
// as far as that is the same. Both may be used at the same time from then on.
// Call it before the first use.
func (c *Client) Inherit(from *Client) {
	c.shared, c.memory.chains = from.shared, from.memory.chains
	if c.cfg.server() == from.cfg.server() {
		c.discovery.inherit(from.discovery)
		c.keys = from.keys
	}
}

// Speak has a quiet client tell in the log how it gets on with the server, and how
// it has so far. One whose settings are only being tried is not asked to.
func (c *Client) Speak(ctx context.Context) { c.discovery.speak(ctx) }

func withDefaults(cfg Config, opt Options) (Config, Options) {
	if cfg.AuthMethod == "" {
		cfg.AuthMethod = AuthAuto
	}
	if cfg.ClockSkew == 0 {
		cfg.ClockSkew = time.Minute
	}
	if cfg.RefreshMemory == 0 {
		cfg.RefreshMemory = time.Minute
	}
	if cfg.RefreshMemoryBytes == 0 {
		cfg.RefreshMemoryBytes = 64 << 20
	}
	if opt.HTTP == nil {
		opt.HTTP = NewHTTP(nil, 10*time.Second)
	}
	if opt.Clock == nil {
		opt.Clock = time.Now
	}
	if opt.Sealer == nil {
		opt.Sealer = newProcessSealer()
	}
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	if opt.Refreshed == nil {
		opt.Refreshed = func(context.Context, string, Identity) {}
	}
	if opt.Shared == nil {
		opt.Shared = func(int) {}
	}
	return cfg, opt
}

// Issuer is the configured issuer; empty when there is none.
func (c *Client) Issuer() string { return c.cfg.Issuer }

// NewVerifier makes a PKCE code verifier of 256 random bits (RFC 7636 4.1).
func NewVerifier() secret.String { return secret.New(oauth2.GenerateVerifier()) }
