package tokens

import (
	"errors"
	"testing"

	"oauth-agent/agent/internal/authserver"
	"oauth-agent/agent/internal/secret"
)

// A code is sent once, and one code for a login.
func TestRedeemOnce(t *testing.T) {
	as := newAS(t)
	s, g := as.source(), goodGrant()
	if _, err := s.Redeem(t.Context(), g); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Redeem(t.Context(), g); !errors.Is(err, ErrCodeSpent) {
		t.Errorf("the same code again: %v", err)
	}
	another := g
	another.Code = secret.New("another")
	if _, err := s.Redeem(t.Context(), another); !errors.Is(err, ErrCodeSpent) {
		t.Errorf("another code for the same login: %v", err)
	}
	if n := as.Count("/token"); n != 1 {
		t.Errorf("%d codes were sent", n)
	}
}

// A store that fails costs a login and no session, and no token is spent twice.
func TestStoreThatFails(t *testing.T) {
	as := newAS(t)
	broken := &brokenStore{}
	s := as.source(func(s *setup) { broken.Store, s.store = newStore(as), broken })
	session := as.enter(s)

	broken.fail = errors.New("store down")
	if _, err := s.Redeem(t.Context(), goodGrant()); !errors.Is(err, authserver.ErrUnavailable) {
		t.Errorf("a login: %v", err)
	}
	if _, err := s.Refresh(t.Context(), grantOf(session)); !errors.Is(err, authserver.ErrUnavailable) {
		t.Errorf("a refresh: %v", err)
	}
	if n := as.Refreshes(); n != 0 {
		t.Errorf("%d refresh tokens were spent though nobody could know of it", n)
	}
	broken.fail = nil
	mustRefresh(t, s, grantOf(session))
}
