package apiproxy

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"oauth-agent/agent/internal/httperr"
	"oauth-agent/agent/internal/session"
)

// Refresher renews tokens at the authorization server, so that parallel calls
// with one refresh token get one outcome. What the server does not send again
// is kept by the Refresher.
type Refresher interface {
	Refresh(ctx context.Context, old session.Tokens) (session.Tokens, error)
}

// renewal refreshes access tokens on the way. Its nil is "off".
type renewal struct {
	store     *session.Store
	refresher Refresher
	ahead     time.Duration
	clock     func() time.Time
	log       *slog.Logger
}

func newRenewal(opt Options) *renewal {
	if opt.Refresher == nil {
		return nil
	}
	return &renewal{store: opt.Store, refresher: opt.Refresher, ahead: opt.RefreshAhead, clock: opt.Clock, log: opt.Log}
}

// grant gives the access token of a session, new if the old one is at its end.
// The new cookies go with the upstream's answer. A refresh that fails does no
// harm: the old token serves while it lives, and after that /refresh tells why.
func (n *renewal) grant(w http.ResponseWriter, r *http.Request, s *session.Session) (grant, error) {
	live := !s.Access.Empty() && !s.Expired()
	old := grant{token: s.Access, expiry: s.Expiry()}
	if live && !n.due(s) {
		return old, nil
	}
	t, err := n.refresh(w, r, s)
	switch {
	case err == nil:
		return grant{token: t.Access, expiry: t.Expiry}, nil
	case live:
		return old, nil
	}
	return grant{}, errExpired()
}

func (n *renewal) due(s *session.Session) bool {
	return !s.Expiry().IsZero() && s.Expiry().Sub(n.clock()) < n.ahead
}

func (n *renewal) refresh(w http.ResponseWriter, r *http.Request, s *session.Session) (session.Tokens, error) {
	old := session.Tokens{Access: s.Access, Refresh: s.Refresh(), ID: s.IDToken(), Expiry: s.Expiry()}
	if old.Refresh.Empty() {
		return session.Tokens{}, session.ErrNone
	}
	t, err := n.refresher.Refresh(r.Context(), old)
	if err == nil {
		err = n.store.Refreshed(w, s, t)
	}
	if err != nil {
		n.log.LogAttrs(r.Context(), slog.LevelWarn, "security",
			slog.String("event", httperr.EventRefreshFailed), slog.Any("error", err))
	}
	return t, err
}
