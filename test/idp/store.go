package idp

import (
	"slices"
	"sync"
	"time"
)

// grant is what a user gave a client at one login: the family of all tokens that
// come of it.
type grant struct {
	client   *Client
	user     *User
	scopes   []string
	nonce    string
	authTime time.Time
	sid      string
	revoked  bool
}

func (g *grant) has(scope string) bool { return slices.Contains(g.scopes, scope) }

// credential is a code or a token of a grant.
type credential struct {
	grant   *grant
	scopes  []string // of an access token
	expires time.Time
	spent   bool

	redirectURI, challenge string // of a code
}

func (c *credential) alive(now time.Time) bool {
	return c != nil && !c.spent && !c.grant.revoked && now.Before(c.expires)
}

// session is a single sign-on session of a browser.
type session struct {
	user     *User
	authTime time.Time
	expires  time.Time
	sid      string
	ended    bool
}

// store is all state, behind one lock, so that each step is one step: of twenty
// refreshes with the same token exactly one is the first.
type store struct {
	mu       sync.Mutex
	codes    memory[*credential]
	access   memory[*credential]
	refresh  memory[*credential]
	sessions memory[*session]
	forms    memory[*form]
}

// newStore keeps so many of each kind.
func newStore(max int) *store {
	s := &store{}
	s.codes.max, s.access.max, s.refresh.max, s.sessions.max, s.forms.max = max, max, max, max, max
	return s
}

// add keeps c in m under a token that is nowhere else.
func (s *store) add(m *memory[*credential], token string, c *credential) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m.put(token, c)
}

// redeem spends a code. A code that comes a second time was stolen, either time:
// all it gave is revoked (RFC 6749 4.1.2).
func (s *store) redeem(code string, client *Client, now time.Time) (*credential, *oauthError) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.codes.entries[code]
	switch {
	case c == nil || c.grant.client != client:
		return nil, invalidGrant("the code is not known")
	case c.spent:
		c.grant.revoked = true
		return nil, invalidGrant("the code was used before")
	case !c.alive(now):
		return nil, invalidGrant("the code has expired")
	}
	c.spent = true
	return c, nil
}

// renew takes a refresh token and, when it rotates, spends it. One that comes a
// second time ends the family (RFC 9700 4.14.2).
func (s *store) renew(token string, client *Client, scopes []string, rotate bool, now time.Time) (*grant, *oauthError) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.refresh.entries[token]
	switch {
	case c == nil || c.grant.client != client:
		return nil, invalidGrant("the refresh token is not known")
	case c.spent:
		c.grant.revoked = true
		return nil, invalidGrant("the refresh token was used before")
	case !c.alive(now):
		return nil, invalidGrant("the refresh token has expired")
	}
	for _, scope := range scopes {
		if !c.grant.has(scope) {
			return nil, invalidScope("a refresh cannot widen the scope")
		}
	}
	c.spent = rotate
	return c.grant, nil
}

// bearer finds a living access token.
func (s *store) bearer(token string, now time.Time) *credential {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c := s.access.entries[token]; c.alive(now) {
		return c
	}
	return nil
}

// Subject tells whose access token this is, for an API that trusts the provider; false
// for one that is not alive.
func (p *Provider) Subject(accessToken string) (sub string, ok bool) {
	c := p.store.bearer(accessToken, p.now())
	if c == nil {
		return "", false
	}
	return c.grant.user.Sub, true
}

// revoke ends a token: an access token alone, a refresh token with its family.
// foreign: it is another client's.
func (s *store) revoke(token string, client *Client) (foreign bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	access, refresh := s.access.entries[token], s.refresh.entries[token]
	switch {
	case access != nil && access.grant.client == client:
		access.spent = true
	case refresh != nil && refresh.grant.client == client:
		refresh.grant.revoked = true
	default:
		return access != nil || refresh != nil
	}
	return false
}

// spendAccess ends the access tokens of g, or all of them.
func (s *store) spendAccess(g *grant) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.access.entries {
		if g == nil || c.grant == g {
			c.spent = true
		}
	}
}

// RevokeAll ends every grant and every single sign-on session, as an
// administrator does: all tokens are dead, all browsers must log in again.
func (p *Provider) RevokeAll() {
	s := p.store
	s.mu.Lock()
	defer s.mu.Unlock()
	s.codes.clear()
	s.access.clear()
	s.refresh.clear()
	s.sessions.clear()
}

// KillAccessTokens ends every access token; refresh tokens live on.
func (p *Provider) KillAccessTokens() { p.store.spendAccess(nil) }
