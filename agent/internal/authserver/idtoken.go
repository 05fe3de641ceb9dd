package authserver

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"

	"oauth-agent/agent/internal/secret"
	"oauth-agent/agent/internal/strictjson"
)

// fault is why an ID token is refused. Whose error it becomes depends on when:
// see [ErrIDToken]. Its text quotes nothing of the token.
type fault string

func (f fault) Error() string { return string(f) }

func asFault(err error) (fault, bool) { return errors.AsType[fault](err) }

// verifyIDToken makes every check that login and refresh have in common
// (OpenID Connect Core 3.1.3.7): signature, then claims. The error is a fault
// or [ErrUnavailable]. access is for at_hash.
func (c *Client) verifyIDToken(ctx context.Context, meta *metadata, raw, access secret.String) (claims, error) {
	if meta.jwks == "" {
		return claims{}, unavailable("no jwks_uri is known, so that no ID token can be verified")
	}
	if len(meta.algorithms) == 0 { // go-oidc would take its own default
		return claims{}, fault("the server announces no asymmetric algorithm")
	}
	if !compact(raw.Reveal()) {
		return claims{}, fault("it is no JWT in compact form")
	}
	keys := &watchedKeys{client: c, meta: meta}
	token, err := oidc.NewVerifier(c.cfg.Issuer, keys, &oidc.Config{
		ClientID:             c.cfg.Client.ID,
		SupportedSigningAlgs: meta.algorithms,
		SkipIssuerCheck:      c.cfg.Issuer == "" || c.cfg.manyTenants(), // see [Client.checkIssuer]
		SkipExpiryCheck:      true,                                      // ours is stricter about numbers, and knows the skew
	}).Verify(ctx, raw.Reveal())
	switch {
	case errors.Is(keys.err, errNoKey):
		return claims{}, fault(errNoKey.Error())
	case keys.err != nil:
		return claims{}, fmt.Errorf("fetching keys: %w", keys.err)
	case keys.payload == nil:
		return claims{}, fault("it is no signed JWT of an accepted algorithm")
	}
	// go-oidc has checked issuer and audience as well. Ours come first, since
	// they say which claim it was without quoting it.
	found, bad := c.checkClaims(keys.payload)
	switch {
	case bad != "":
		return claims{}, bad
	case err != nil:
		return claims{}, fault("its claims are malformed")
	case c.cfg.manyTenants() && keys.key.ofAnother(found.identity().Issuer):
		return claims{}, fault("its key is of another tenant")
	case found.Has("at_hash") && token.VerifyAccessToken(access.Reveal()) != nil:
		return claims{}, fault("at_hash is not of the access token")
	}
	return found, nil
}

// compact tells whether raw could be a JWT (RFC 7519 3). go-oidc would also take
// the JSON form of a signature, and white space anywhere, both of which others
// to whom the token goes on as a hint do not read.
func compact(raw string) bool {
	return raw != "" && !strings.ContainsFunc(raw, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_' || r == '.')
	})
}

// watchedKeys keeps what go-oidc flattens into text or leaves out: the cause of a
// failure, and the payload whose signature was good, with its key.
type watchedKeys struct {
	client  *Client
	meta    *metadata
	payload []byte
	key     publicKey
	err     error
}

// VerifySignature implements [oidc.KeySet].
func (k *watchedKeys) VerifySignature(ctx context.Context, jwt string) ([]byte, error) {
	jws, err := jose.ParseSignedCompact(jwt, joseAlgorithms(k.meta.algorithms))
	if err != nil {
		return nil, err
	}
	k.payload, k.key, k.err = k.client.verify(ctx, k.meta.jwks, jws)
	return k.payload, k.err
}

func joseAlgorithms(names []string) (algorithms []jose.SignatureAlgorithm) {
	for _, name := range names {
		algorithms = append(algorithms, jose.SignatureAlgorithm(name))
	}
	return algorithms
}

// ReadIDToken gives the claims of an ID token that was verified when it came
// and has been sealed since: its signature is not checked again. The claims are
// the very bytes that the server signed, valid UTF-8, one JSON object.
func (c *Client) ReadIDToken(raw secret.String) (json.RawMessage, Identity, error) {
	payload, found, err := readPayload(raw)
	return payload, found.identity(), err
}

// readPayload opens an ID token without checking it.
func readPayload(raw secret.String) (json.RawMessage, claims, error) {
	jws, err := jose.ParseSignedCompact(raw.Reveal(), joseAlgorithms(asymmetric()))
	if err != nil { // its text may quote the token
		return nil, claims{}, errors.New("stored ID token: not a signed JWT")
	}
	payload := jws.UnsafePayloadWithoutVerification()
	o, err := strictjson.Parse(payload)
	if err != nil {
		return nil, claims{}, fmt.Errorf("stored ID token: %w", err)
	}
	return payload, claims{o}, nil
}
