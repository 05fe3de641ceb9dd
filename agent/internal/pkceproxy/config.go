package pkceproxy

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"oauth-agent/agent/internal/authserver"
	"oauth-agent/agent/internal/oauthsyntax"
	"oauth-agent/agent/internal/secret"
)

// keySize is the size of either key, in bytes: A256GCM wants exactly that, and
// HS256 at least that (RFC 7518 3.2).
const keySize = 32

const callbackPath = "/callback"

// check tells every mistake in cfg at once.
func (cfg Config) check() error {
	return errors.Join(
		cfg.checkClient(),
		cfg.checkEndpoints(),
		cfg.checkKeys(),
		checkRedirectURIs(cfg.AllowedRedirectURIs),
		checkClientIDs(cfg.AllowedClientIDs),
	)
}

func (cfg Config) checkClient() error {
	var errs []error
	if cfg.ClientID == "" {
		errs = append(errs, errors.New("client id: missing"))
	}
	if cfg.ClientSecret.Empty() {
		errs = append(errs, errors.New("client secret: missing"))
	}
	methods := []authserver.AuthMethod{"", authserver.AuthAuto, authserver.AuthBasic, authserver.AuthPost}
	if !slices.Contains(methods, cfg.AuthMethod) {
		errs = append(errs, fmt.Errorf("auth method %q: must be auto, basic or post", string(cfg.AuthMethod)))
	}
	return errors.Join(errs...)
}

func (cfg Config) checkEndpoints() error {
	errs := []error{
		checkURL("authorization URL", cfg.AuthURL),
		checkURL("token URL", cfg.TokenURL),
		checkURL("redirect URL", cfg.RedirectURL),
	}
	if cfg.RevocationURL != "" {
		errs = append(errs, checkURL("revocation URL", cfg.RevocationURL))
	}
	if !strings.HasSuffix(cfg.RedirectURL, callbackPath) {
		errs = append(errs, fmt.Errorf("redirect URL %q: must end in %s", cfg.RedirectURL, callbackPath))
	}
	if u, err := url.Parse(cfg.AuthURL); err == nil {
		if fault := oauthsyntax.AuthorizationEndpointFault(u); fault != "" {
			errs = append(errs, errors.New("authorization URL: "+fault))
		}
	}
	return errors.Join(errs...)
}

func (cfg Config) checkKeys() error {
	var errs []error
	for name, key := range map[string]secret.String{"signing key": cfg.SigningKey, "encryption key": cfg.EncryptionKey} {
		if len(key.Reveal()) != keySize {
			errs = append(errs, fmt.Errorf("%s: must be %d bytes", name, keySize))
		}
	}
	if cfg.SigningKey.Equal(cfg.EncryptionKey) {
		errs = append(errs, errors.New("signing key and encryption key must differ"))
	}
	return errors.Join(errs...)
}

func checkURL(name, raw string) error {
	u, err := url.Parse(raw)
	switch {
	case raw == "":
		return fmt.Errorf("%s: missing", name)
	case err != nil, u.Host == "", u.Scheme != "https" && u.Scheme != "http":
		return fmt.Errorf("%s: must be an absolute http or https URL", name)
	case u.Fragment != "" || strings.Contains(raw, "#"):
		return fmt.Errorf("%s: must not have a fragment", name)
	case u.User != nil:
		return fmt.Errorf("%s: must not have a user name", name)
	}
	return nil
}

// issuerOf gives the issuer that clients see: the redirect URL without
// /callback.
func issuerOf(redirectURL string) string { return strings.TrimSuffix(redirectURL, callbackPath) }

// clientIDs are the clients that may use the proxy; none listed means any.
type clientIDs map[string]bool

func newClientIDs(ids []string) clientIDs {
	set := make(clientIDs, len(ids))
	for _, id := range ids {
		set[id] = true
	}
	return set
}

// allows tells whether id may use the proxy. It must be well formed in any case.
func (c clientIDs) allows(id string) bool {
	return oauthsyntax.ClientIDFault(id) == "" && (len(c) == 0 || c[id])
}

func checkClientIDs(ids []string) error {
	var errs []error
	for _, id := range ids {
		if fault := oauthsyntax.ClientIDFault(id); fault != "" {
			errs = append(errs, fmt.Errorf("allowed client id %q: %s", id, fault))
		}
	}
	return errors.Join(errs...)
}
