package observe

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"log/slog"
	"time"
)

// Events are told what happens to users: each is counted, and has a line in the
// log with the message "security". What was refused or has failed is told by
// [httperr.Renderer] in the same form, since it has an answer.
type Events struct {
	Log     *slog.Logger
	Metrics *Metrics
	// SubjectKey puts a hash of who it was into the lines; empty: nobody is named.
	SubjectKey []byte
}

// The events of the security log, beside those of [httperr].
const (
	loginStarted   = "login_started"
	loginCompleted = "login_completed"
	refreshed      = "refreshed"
	loggedOut      = "logout"
)

// LoginStarted tells that a browser was given an authorization request.
func (e *Events) LoginStarted(ctx context.Context) {
	e.Metrics.login("started", "")
	e.tell(ctx, loginStarted, "", "")
}

// LoginCompleted tells that a session has begun.
func (e *Events) LoginCompleted(ctx context.Context, issuer, subject string) {
	e.Metrics.login("completed", "")
	e.tell(ctx, loginCompleted, issuer, subject)
}

// Refreshed tells what came of a call with a refresh token. A failure has a line
// where it is answered.
func (e *Events) Refreshed(ctx context.Context, outcome, issuer, subject string) {
	e.Metrics.refreshes.WithLabelValues(oneOf(outcome, refreshOutcomes())).Inc()
	switch outcome {
	case "exchanged", "shared", "remembered":
		e.tell(ctx, refreshed, issuer, subject, slog.String("outcome", outcome))
	}
}

// LoggedOut tells that a session was ended by its user.
func (e *Events) LoggedOut(ctx context.Context, issuer, subject string) {
	e.Metrics.logouts.Inc()
	e.tell(ctx, loggedOut, issuer, subject)
}

func (e *Events) tell(ctx context.Context, event, issuer, subject string, more ...slog.Attr) {
	attrs := append([]slog.Attr{slog.String("event", event)}, more...)
	if len(e.SubjectKey) > 0 && subject != "" {
		attrs = append(attrs, slog.String("subject", e.hash(issuer, subject)))
	}
	e.Log.LogAttrs(ctx, slog.LevelInfo, "security", attrs...)
}

// hashSize is what is shown of a subject's hash, in bytes.
const hashSize = 16

// hash names a user to those who have the key, and joins lines for everybody
// else.
func (e *Events) hash(issuer, subject string) string {
	mac := hmac.New(sha256.New, e.SubjectKey)
	_, _ = mac.Write([]byte(issuer + "\x00" + subject)) // never fails
	return hex.EncodeToString(mac.Sum(nil)[:hashSize])
}

func (m *Metrics) login(event, reason string) {
	if reason != "" {
		reason = oneOf(reason, loginReasons())
	}
	m.logins.WithLabelValues(event, reason).Inc()
}

// RefreshShared counts how many callers one exchange has served.
func (m *Metrics) RefreshShared(callers int) { m.callers.Observe(float64(callers)) }

// ServerCalled counts a call to the authorization server.
func (m *Metrics) ServerCalled(endpoint, outcome string, took time.Duration) {
	m.server.WithLabelValues(oneOf(endpoint, serverEndpoints()), oneOf(outcome, serverOutcomes())).Observe(took.Seconds())
}

// CookieSet counts a value that was set, with the bytes that it takes in all its
// cookies.
func (m *Metrics) CookieSet(kind string, bytes int) {
	m.cookies.WithLabelValues(oneOf(kind, sealPurposes())).Observe(float64(bytes))
}

// UnsealFailed counts a sealed value that did not open.
func (m *Metrics) UnsealFailed(purpose, reason string) {
	m.unsealed.WithLabelValues(oneOf(purpose, sealPurposes()), oneOf(reason, unsealReasons())).Inc()
}

// Proxied counts an API call. The route is one of the settings.
func (m *Metrics) Proxied(route, outcome string) { m.proxied.inc(passed{route, outcome}) }
