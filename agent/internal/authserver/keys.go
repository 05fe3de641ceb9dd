package authserver

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"

	"oauth-agent/agent/internal/secret"
	"oauth-agent/agent/internal/sharedcall"
)

const (
	// keyBurst and keyPause bound how often keys are fetched: an unknown kid is
	// a reason to look again, an endless row of them is not.
	keyBurst = 5
	keyPause = 15 * time.Second
	// retryKeys is the pause after a failed fetch, which is no token's fault.
	retryKeys = time.Second
	// keyLife is how long a key may be good that the server has taken back.
	keyLife = time.Hour
)

// keySource keeps the server's keys, and fetches them again for a signature that none
// of them verifies, as often as makes sense. It belongs to no client, so that one may
// leave it to its successor.
type keySource struct {
	now   func() time.Time
	calls sharedcall.Group

	mu       sync.Mutex
	url      string // of keys
	keys     []publicKey
	born     time.Time // when they were fetched
	skipped  string    // as told in the log
	tokens   int       // of the bucket that bounds fetching
	refilled time.Time
	failed   time.Time // the last fetch, if err is of it
	err      error
}

func newKeySource(now func() time.Time) *keySource {
	return &keySource{now: now, tokens: keyBurst, refilled: now()}
}

var errNoKey = errors.New("no key of the server verifies its signature")

// verify returns the payload of a token, and the key that its signature is by. The
// error is errNoKey or [ErrUnavailable].
func (c *Client) verify(ctx context.Context, url string, jws *jose.JSONWebSignature) ([]byte, publicKey, error) {
	if payload, key, err := verifyBy(c.keys.fresh(url), jws); err == nil {
		return payload, key, nil
	}
	keys, err := Once(ctx, &c.keys.calls, url, c.http.Timeout()+time.Second, func(ctx context.Context) ([]publicKey, error) {
		return c.renewKeys(ctx, url)
	})
	if err != nil {
		return nil, publicKey{}, err
	}
	return verifyBy(keys, jws)
}

func verifyBy(keys []publicKey, jws *jose.JSONWebSignature) ([]byte, publicKey, error) {
	for _, k := range candidates(keys, jws.Signatures[0].Header.KeyID) {
		if payload, err := jws.Verify(k.key); err == nil {
			return payload, k, nil
		}
	}
	return nil, publicKey{}, errNoKey
}

// fresh returns the keys of url that are young enough to be believed.
func (s *keySource) fresh(url string) []publicKey {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.url != url || s.now().Sub(s.born) >= keyLife {
		return nil
	}
	return s.keys
}

// renewKeys fetches keys. When it is too early to ask again it answers from memory, so
// that a storm of unknown kids sees the keys that were there a moment ago, and is
// refused by them.
func (c *Client) renewKeys(ctx context.Context, url string) ([]publicKey, error) {
	if keys, known, err := c.keys.known(url); known || err != nil {
		return keys, err
	}
	keys, skipped, err := c.fetchKeys(ctx, url)
	if c.keys.remember(url, keys, skipped, err) {
		c.log.LogAttrs(ctx, slog.LevelWarn, "keys of the authorization server are skipped",
			slog.String("issuer", c.cfg.Issuer), slog.String("skipped", strings.Join(skipped, "; ")))
	}
	return keys, err
}

// known answers without asking, if it is too early to ask; otherwise it gives
// neither keys nor an error, and one token of the bucket is taken.
func (s *keySource) known(url string) (keys []publicKey, known bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	if s.err != nil {
		if now.Sub(s.failed) < retryKeys {
			return nil, false, s.err
		}
		return nil, false, nil
	}
	if pauses := int(now.Sub(s.refilled) / keyPause); pauses > 0 {
		s.tokens = min(keyBurst, s.tokens+pauses)
		s.refilled = s.refilled.Add(time.Duration(pauses) * keyPause)
	}
	if s.tokens == 0 && s.url == url {
		return s.keys, true, nil
	}
	s.tokens = max(0, s.tokens-1)
	return nil, false, nil
}

// remember keeps what a fetch has brought. It reports whether keys were skipped that
// the log does not know of.
func (s *keySource) remember(url string, keys []publicKey, skipped []string, err error) (news bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err = err; err != nil {
		s.failed = s.now()
		return false
	}
	s.url, s.keys, s.born = url, keys, s.now()
	before := s.skipped
	s.skipped = strings.Join(skipped, "; ")
	return s.skipped != "" && s.skipped != before
}

func (c *Client) fetchKeys(ctx context.Context, url string) (keys []publicKey, skipped []string, err error) {
	answer, err := c.http.At(EndpointKeys).Get(ctx, url, secret.String{})
	if err != nil {
		return nil, nil, err
	}
	if answer.Status != http.StatusOK {
		return nil, nil, unavailable("key set: status %d", answer.Status)
	}
	keys, skipped, err = readKeys(answer.Body)
	if err != nil {
		return nil, nil, unavailable("key set: %w", err)
	}
	return keys, skipped, nil
}
