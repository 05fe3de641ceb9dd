package agent

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"oauth-agent/agent/config"
	"oauth-agent/agent/internal/cookie"
	"oauth-agent/agent/internal/observe"
	"oauth-agent/web/client"
)

// NewLogger makes the logger that the settings ask for, writing to w.
func NewLogger(w io.Writer, cfg config.Log) *slog.Logger {
	return observe.NewLogger(w, cfg.Level, cfg.Format)
}

// teller writes a line of what Check tells.
type teller func(key, format string, args ...any)

// Check tells on w what a process with these settings would do, and tries the
// authorization servers. The error is what would keep users from logging in.
func (a *Agent) Check(ctx context.Context, w io.Writer) error {
	var line teller = func(key, format string, args ...any) {
		_, _ = fmt.Fprintf(w, "%-16s %s\n", key, fmt.Sprintf(format, args...))
	}
	scheme := "http"
	if a.cfg.TLS.CertFile != "" {
		scheme = "https"
	}
	line("listen", "%s://%s:%d", scheme, a.cfg.BindAddress, a.cfg.Port)
	for _, r := range a.cfg.Routes {
		line("route", "%s to %s", r.Path, r.Upstream)
	}
	if a.cfg.ForwardAuth.Addr != "" {
		line("forward auth", "http://%s%s/authorize: for the gateway alone", a.cfg.ForwardAuth.Addr, a.base())
	}
	if a.cfg.HasAdmin() {
		address, _ := a.cfg.AdminListener()
		line("operators", "http://%s: /livez, /readyz, /metrics and /buildinfo", address)
	}
	for _, warning := range a.cfg.Warnings() {
		line("warning", "%s", warning)
	}
	var errs []error
	if a.cfg.HasPKCEProxy() {
		errs = append(errs, a.checkPKCEProxy(ctx, line))
	}
	if a.cfg.HasAgent() {
		errs = append(errs, a.checkAgent(ctx, line))
	}
	return errors.Join(errs...)
}

// checkPKCEProxy tries the token endpoint, without which no code is redeemed. The
// authorization endpoint is for browsers alone, so that it may be out of reach
// from here.
func (a *Agent) checkPKCEProxy(ctx context.Context, line teller) error {
	p := a.cfg.PKCEProxy
	line("PKCE proxy", "%s, in front of %s, for %v", p.RedirectURL, p.AuthURL, []string(p.AllowedRedirectURIs))
	if err := a.wire.Reachable(ctx, p.AuthURL); err != nil {
		line("its server", "not reached at its authorization endpoint, where browsers are sent: %v", err)
	}
	if err := a.wire.Reachable(ctx, p.TokenURL); err != nil {
		line("its server", "not available: %v", err)
		return err
	}
	line("its server", "answers at %s", p.TokenURL)
	return nil
}

func (a *Agent) checkAgent(ctx context.Context, line teller) error {
	line("agent", "%s, for %v", a.cfg.BasePath, []string(a.cfg.TrustedWebOrigins))
	if len(a.cfg.Tenants) > 0 {
		line("tenants", "%v", []string(a.cfg.Tenants))
	}
	for _, k := range []cookie.Kind{cookie.Access, cookie.CSRF, cookie.Refresh, cookie.ID} {
		line("cookie", "%s", a.jar.Name(k, ""))
	}
	line("CSRF header", "%s", csrfHeader(a.cfg))
	line("client library", "%s/client.js?v=%s, integrity %s", a.base(), client.Version(a.clientIntegrity), a.clientIntegrity)
	a.checkHeaderSizes(line)
	a.checkLogoutURL(line)
	if err := a.checkServer(ctx, line); err != nil {
		return err
	}
	if a.as.EndSession(ctx) == "" {
		line("logout", "the authorization server has no end-session endpoint: its own session stays")
	}
	return nil
}

// checkServer tries whatever a login needs of the server. That it is known by the
// settings proves nothing.
func (a *Agent) checkServer(ctx context.Context, line teller) error {
	if err := a.as.Ready(ctx); err != nil {
		line("server", "not available: %v", err)
		return err
	}
	found, err := a.as.Discovered()
	if err != nil {
		line("discovery", "failed, so that only what the settings say is known: %v", err)
	}
	for _, warning := range a.as.Warnings() {
		line("metadata", "makes no sense in part: %s", warning)
	}
	probe := a.as.Probe(ctx)
	switch {
	case probe.Token.Err != nil:
		line("server", "not available: %v", probe.Token.Err)
	case found:
		line("server", "%s: found", serverName(a.cfg))
	default:
		line("server", "%s: answers at %s", serverName(a.cfg), probe.Token.URL)
	}
	switch {
	case probe.Keys.Err != nil:
		line("keys", "not available: %v", probe.Keys.Err)
	case probe.Keys.URL != "":
		line("keys", "%s: found", probe.Keys.URL)
	}
	for _, skipped := range probe.SkippedKeys {
		line("keys", "skipped: %s", skipped)
	}
	return probe.Err()
}

func serverName(cfg *config.Config) string {
	if cfg.Issuer != "" {
		return cfg.Issuer
	}
	return cfg.Endpoints.Token
}
