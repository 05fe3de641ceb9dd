package pkceproxy

import (
	"log/slog"
	"net/http"
	"time"

	"oauth-agent/agent/internal/authserver"
	"oauth-agent/agent/internal/httperr"
	"oauth-agent/agent/internal/secret"
	"oauth-agent/agent/internal/store"
)

// Config is what the proxy must be told. [New] refuses an incomplete or an
// unsafe one.
type Config struct {
	// ClientID and ClientSecret are the proxy's own, registered at the AS.
	ClientID     string
	ClientSecret secret.String
	// AuthMethod is how the proxy authenticates to the AS. With
	// [authserver.AuthAuto], the default, it finds out.
	AuthMethod authserver.AuthMethod

	// AuthURL, TokenURL and RevocationURL are the AS's endpoints. The last may
	// be empty: no revocation then. A query in AuthURL is kept, and wins over
	// what a client sends.
	AuthURL, TokenURL, RevocationURL string
	// RedirectURL is this proxy's callback, as registered at the AS. It ends in
	// /callback; what stands before is the proxy's issuer.
	RedirectURL string

	// SigningKey and EncryptionKey are 32 raw bytes each, and differ.
	SigningKey, EncryptionKey secret.String

	// AllowedRedirectURIs are the clients' redirect URIs: exact, but for the
	// port of a loopback address (RFC 8252 7.3). There must be one.
	AllowedRedirectURIs []string
	// AllowedClientIDs are the clients; none means any.
	AllowedClientIDs []string
	// AllowPlain takes the method plain beside S256 (RFC 7636 4.2).
	AllowPlain bool
}

// Options are the proxy's ties to the world; each has a default.
type Options struct {
	HTTP  *authserver.HTTP // nil: ten seconds an exchange
	Clock func() time.Time // nil: the real one
	Log   *slog.Logger     // nil: nothing is logged
	Store store.Store      // of what was used; nil: a memory of its own

	// Refused, if set, is told of each request that is refused by a redirect.
	Refused func(r *http.Request, e *httperr.Error)
	// Unsealed, if set, is told which of "pkce_state" and "pkce_code" did not open,
	// and why: "malformed", "key" or "expired".
	Unsealed func(purpose, reason string)
}

// Lifetimes of what the proxy hands out.
const (
	stateLifetime = 10 * time.Minute // the user may have to find a password
	codeLifetime  = time.Minute      // RFC 6749 4.1.2: short; a redirect takes a moment
)

// What the store keeps for the proxy, and for how long. A callback may be repeated
// for as long as its state lives, and each time the same code of the AS is sealed
// anew.
const (
	usedCode          store.Purpose = "pkce-code"    // codes of the AS that were sent to it
	refreshOwner      store.Purpose = "pkce-refresh" // the client that a refresh token was issued to
	workingMethod     store.Purpose = "pkce-method"  // how the AS authenticates the proxy
	usedCodeLife                    = stateLifetime + codeLifetime
	refreshLife                     = 30 * 24 * time.Hour
	workingMethodLife               = 24 * time.Hour
)

// Proxy is the PKCE proxy. Its methods are safe for concurrent use.
type Proxy struct {
	issuer      string
	redirectURL string
	authURL     authorizationEndpoint
	redirects   redirectURIs
	clients     clientIDs
	allowPlain  bool
	envelopes   *envelopes
	upstream    *upstream
	revocation  bool

	store store.Store

	log    *slog.Logger
	refuse func(r *http.Request, e *httperr.Error)
}

// New makes a proxy. The error joins every mistake in cfg.
func New(cfg Config, opt Options) (*Proxy, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	opt = opt.withDefaults()
	issuer := issuerOf(cfg.RedirectURL)
	envelopes, err := newEnvelopes(cfg.SigningKey, cfg.EncryptionKey, issuer, opt.Clock)
	if err != nil {
		return nil, err
	}
	envelopes.told = opt.Unsealed
	return &Proxy{
		issuer:      issuer,
		redirectURL: cfg.RedirectURL,
		authURL:     newAuthorizationEndpoint(cfg),
		redirects:   newRedirectURIs(cfg.AllowedRedirectURIs),
		clients:     newClientIDs(cfg.AllowedClientIDs),
		allowPlain:  cfg.AllowPlain,
		envelopes:   envelopes,
		upstream:    newUpstream(cfg, opt),
		revocation:  cfg.RevocationURL != "",
		store:       opt.Store,
		log:         opt.Log, refuse: opt.Refused,
	}, nil
}

func (o Options) withDefaults() Options {
	if o.HTTP == nil {
		o.HTTP = authserver.NewHTTP(nil, 10*time.Second)
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Store == nil {
		o.Store = store.NewMemory(o.Clock)
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Refused == nil {
		o.Refused = func(*http.Request, *httperr.Error) {}
	}
	if o.Unsealed == nil {
		o.Unsealed = func(string, string) {}
	}
	return o
}
