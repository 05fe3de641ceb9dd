package pkceproxy

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"

	"oauth-agent/agent/internal/secret"
)

// grant is what the proxy must remember of an authorization request. The names
// are short because all of it travels in URLs.
type grant struct {
	ClientID    string `json:"c"`
	RedirectURI string `json:"r"`
	Challenge   string `json:"h"`
	Plain       bool   `json:"p,omitempty"` // the method: plain, else S256
	State       string `json:"s,omitempty"` // the client's own; in a state alone
	Code        string `json:"k,omitempty"` // the AS's; in a code alone
}

// claims are a grant with the registered claims of RFC 7519 4.1.
type claims struct {
	Audience string `json:"aud"`
	IssuedAt int64  `json:"iat"`
	Expires  int64  `json:"exp"`
	grant
}

// Why an envelope does not open. The client is told the same for all of them.
var (
	errForeign  = errors.New("not an envelope of this proxy")
	errOtherKey = fmt.Errorf("%w: of another key, or changed", errForeign)
	errKind     = errors.New("an envelope of another kind")
	errExpired  = errors.New("the envelope has expired")
)

// kind is one use of envelopes. Type and audience differ, so that a state never
// passes as a code, nor either as one of a proxy of another issuer that was
// given the same keys.
type kind struct {
	typ      jose.ContentType // RFC 8725 3.11
	audience string
	lifetime time.Duration
	maxSize  int // bytes of an envelope that is opened at all
	signer   jose.Signer
	name     string // for Options.Unsealed
}

// envelopes seals and opens grants: JWTs signed with HS256 and then encrypted
// with A256GCM under another key (RFC 7519, "nested"). Encryption hides the
// AS's code from the client, the browser and their histories. go-jose draws a
// fresh nonce for each.
type envelopes struct {
	state, code kind
	signingKey  []byte
	decryption  []byte
	encrypter   jose.Encrypter
	clock       func() time.Time
	told        func(purpose, reason string) // never nil
}

func newEnvelopes(signing, encryption secret.String, issuer string, clock func() time.Time) (*envelopes, error) {
	e := &envelopes{
		state:      kind{name: "pkce_state", typ: "state+jwt", audience: issuer + callbackPath, lifetime: stateLifetime, maxSize: 12 << 10},
		code:       kind{name: "pkce_code", typ: "code+jwt", audience: issuer + tokenPath, lifetime: codeLifetime, maxSize: 24 << 10},
		signingKey: []byte(signing.Reveal()),
		decryption: []byte(encryption.Reveal()),
		clock:      clock,
		told:       func(string, string) {},
	}
	for _, k := range []*kind{&e.state, &e.code} {
		var err error
		k.signer, err = jose.NewSigner(
			jose.SigningKey{Algorithm: jose.HS256, Key: e.signingKey},
			(&jose.SignerOptions{}).WithType(k.typ))
		if err != nil {
			return nil, fmt.Errorf("signing key: %w", err)
		}
	}
	var err error
	e.encrypter, err = jose.NewEncrypter(jose.A256GCM,
		jose.Recipient{Algorithm: jose.DIRECT, Key: e.decryption},
		(&jose.EncrypterOptions{}).WithContentType("JWT"))
	if err != nil {
		return nil, fmt.Errorf("encryption key: %w", err)
	}
	return e, nil
}

// seal makes an envelope of kind k.
func (e *envelopes) seal(k kind, g grant) (string, error) {
	now := e.clock().Unix()
	payload, err := marshal(claims{
		Audience: k.audience,
		IssuedAt: now,
		Expires:  now + int64(k.lifetime/time.Second),
		grant:    g,
	})
	if err != nil {
		return "", err
	}
	signed, err := k.signer.Sign(payload)
	if err != nil {
		return "", err
	}
	jws, err := signed.CompactSerialize()
	if err != nil {
		return "", err
	}
	encrypted, err := e.encrypter.Encrypt([]byte(jws))
	if err != nil {
		return "", err
	}
	return encrypted.CompactSerialize()
}

// open reads an envelope of kind k. Its errors hold nothing of the text.
func (e *envelopes) open(k kind, text string) (grant, error) {
	g, err := e.read(k, text)
	switch {
	case errors.Is(err, errExpired):
		e.told(k.name, "expired")
	case errors.Is(err, errOtherKey):
		e.told(k.name, "key")
	case err != nil:
		e.told(k.name, "malformed")
	}
	return g, err
}

func (e *envelopes) read(k kind, text string) (grant, error) {
	if len(text) > k.maxSize || !canonical(text) {
		return grant{}, errForeign
	}
	encrypted, err := jose.ParseEncryptedCompact(text,
		[]jose.KeyAlgorithm{jose.DIRECT}, []jose.ContentEncryption{jose.A256GCM})
	if err != nil {
		return grant{}, errForeign
	}
	jws, err := encrypted.Decrypt(e.decryption)
	if err != nil {
		return grant{}, errOtherKey
	}
	payload, err := e.verify(k, string(jws))
	if err != nil {
		return grant{}, err
	}
	var c claims
	if err := json.Unmarshal(payload, &c); err != nil {
		return grant{}, errForeign
	}
	return c.grant, e.checkClaims(k, c)
}

// verify checks signature and type, and gives the payload.
func (e *envelopes) verify(k kind, jws string) ([]byte, error) {
	signed, err := jose.ParseSignedCompact(jws, []jose.SignatureAlgorithm{jose.HS256})
	if err != nil {
		return nil, errForeign
	}
	payload, err := signed.Verify(e.signingKey)
	if err != nil {
		return nil, errOtherKey
	}
	if signed.Signatures[0].Protected.ExtraHeaders[jose.HeaderType] != string(k.typ) {
		return nil, errKind
	}
	return payload, nil
}

// checkClaims checks audience and time. Replicas' clocks may differ a little:
// one that is behind must not refuse what another has just made.
func (e *envelopes) checkClaims(k kind, c claims) error {
	const skew = time.Minute
	now := e.clock()
	switch {
	case c.Audience != k.audience:
		return errKind
	case now.Unix() >= c.Expires, now.Add(skew).Unix() < c.IssuedAt:
		return errExpired
	}
	return nil
}

// canonical tells whether text is written as the proxy writes it: five parts of
// base64url without padding, no key in the second ("dir"), and no stray bit at
// the end of a part. A decoder that overlooks such things would open texts that
// were changed.
func canonical(text string) bool {
	if strings.ContainsAny(text, "\r\n") { // which Go's decoder skips
		return false
	}
	parts := strings.Split(text, ".")
	if len(parts) != 5 || parts[1] != "" {
		return false
	}
	for _, part := range parts {
		if _, err := base64.RawURLEncoding.Strict().DecodeString(part); err != nil {
			return false
		}
	}
	return true
}

// marshal is JSON without the escapes for HTML, which only take space here.
func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}
