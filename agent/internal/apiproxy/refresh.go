package apiproxy

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"oauth-agent/agent/internal/httperr"
	"oauth-agent/agent/internal/session"
)

// Refresher renews tokens at the authorization server. Parallel calls with one
// refresh token get one outcome, and what the server does not send again is taken
// from the old tokens.
type Refresher interface {
	Refresh(ctx context.Context, old session.Tokens) (session.Tokens, error)
}

// inlineRefresh refreshes access tokens while a request waits. A nil one is "off".
type inlineRefresh struct {
	store     *session.Store
	refresher Refresher
	ahead     time.Duration
	clock     func() time.Time
	log       *slog.Logger
}

func newInlineRefresh(opt Options) *inlineRefresh {
	if opt.Refresher == nil {
		return nil
	}
	return &inlineRefresh{store: opt.Store, refresher: opt.Refresher, ahead: opt.RefreshAhead, clock: opt.Clock, log: opt.Log}
}

// decide returns the decision with the access token of a session, refreshed if it
// is about to expire. The new cookies go with the upstream's response. A refresh
// that fails does no harm: the old token serves until it expires, and after that
// /refresh reports the reason.
func (f *inlineRefresh) decide(w http.ResponseWriter, r *http.Request, s *session.Session) (decision, error) {
	live := !s.Access.Empty() && !s.Expired()
	old := decision{token: s.Access, expiry: s.Expiry()}
	if live && !f.due(s) {
		return old, nil
	}
	t, err := f.refresh(w, r, s)
	switch {
	case err == nil:
		return decision{token: t.Access, expiry: t.Expiry}, nil
	case live:
		return old, nil
	}
	return decision{}, errExpired()
}

func (f *inlineRefresh) due(s *session.Session) bool {
	return !s.Expiry().IsZero() && s.Expiry().Sub(f.clock()) < f.ahead
}

func (f *inlineRefresh) refresh(w http.ResponseWriter, r *http.Request, s *session.Session) (session.Tokens, error) {
	old := session.Tokens{Access: s.Access, Refresh: s.Refresh(), ID: s.IDToken(), Expiry: s.Expiry()}
	if old.Refresh.Empty() {
		return session.Tokens{}, session.ErrNone
	}
	t, err := f.refresher.Refresh(r.Context(), old)
	if err == nil {
		err = f.store.Refreshed(w, s, t)
	}
	if err != nil {
		f.log.LogAttrs(r.Context(), slog.LevelWarn, "security",
			slog.String("event", httperr.EventRefreshFailed), slog.Any("error", err))
	}
	return t, err
}
