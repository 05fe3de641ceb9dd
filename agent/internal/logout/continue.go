package logout

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"net/http"
	"time"

	"oauth-agent/agent/internal/cookie"
	"oauth-agent/agent/internal/httperr"
	"oauth-agent/agent/internal/seal"
	"oauth-agent/agent/internal/secret"
	"oauth-agent/agent/internal/store"
)

// continueLogout answers GET /logout/continue with a redirect to the end-session
// endpoint, ID token included.
//
// Only a navigation gets it. A script that fetched it could not read the redirect, and
// is refused all the same. There is no Origin to check, since navigations have none: the
// cookie is SameSite=Strict, lives a minute and works once.
func (h *Handlers) continueLogout(w http.ResponseWriter, r *http.Request) error {
	if mode := r.Header["Sec-Fetch-Mode"]; len(mode) > 1 || len(mode) == 1 && mode[0] != "navigate" {
		return httperr.Unauthorized("only a navigation may log out here", nil).Because(httperr.ReasonNavigation)
	}
	cookies := cookie.Read(r)
	var id secret.String
	err := h.Jar.OpenThat(cookies, cookie.Logout, "", func(record []byte) (ok bool) {
		id, ok = h.spendPendingLogout(r.Context(), record)
		return ok
	})
	h.Jar.Clear(w, cookies, cookie.Logout, "")
	if err != nil {
		return httperr.BadRequest("there is no logout to continue: it is over, or has been continued already", err)
	}
	target := h.lastURL()
	if endpoint := h.Server.EndSession(r.Context()); endpoint != "" {
		if target, err = h.endSessionURLWithHint(endpoint, id); err != nil {
			return err
		}
	}
	// Not http.Redirect: it would write the URL, and so the token, into a body.
	w.Header().Set("Location", target)
	w.WriteHeader(http.StatusFound)
	return nil
}

// pendingLogout returns what the logout cookie holds: a number that is used once, the
// time, and the ID token.
func (h *Handlers) pendingLogout(id secret.String) []byte {
	once := make([]byte, 16)
	_, _ = rand.Read(once) // never fails, see its documentation
	now := binary.BigEndian.AppendUint64(nil, uint64(h.Clock().Unix()))
	return seal.Pack(once, now, []byte(id.Reveal()))
}

// continuedLogout is what the store keeps of logouts.
const continuedLogout store.Purpose = "logout"

// spendPendingLogout returns the ID token of a pending logout that is neither too old
// nor spent, and spends it.
func (h *Handlers) spendPendingLogout(ctx context.Context, record []byte) (id secret.String, ok bool) {
	fields, err := seal.Unpack(record, 3)
	if err != nil || len(fields[1]) != 8 {
		return id, false
	}
	since := time.Unix(int64(binary.BigEndian.Uint64(fields[1])), 0)
	if h.Clock().Sub(since) > cookie.LogoutLifetime {
		return id, false
	}
	// A store that does not answer costs the hint, and with it the logout at the server.
	first, err := h.Store.PutIfAbsent(ctx, store.NewKey(continuedLogout, string(fields[0])), []byte{1}, cookie.LogoutLifetime)
	if err != nil || !first {
		return id, false
	}
	return secret.New(string(fields[2])), true
}
