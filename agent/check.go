package agent

import (
	"context"
	"fmt"
	"io"
	"log/slog"

	"oauth-agent/agent/config"
	"oauth-agent/agent/internal/cookie"
	"oauth-agent/agent/internal/observe"
)

// NewLogger makes the logger that the settings ask for, writing to w.
func NewLogger(w io.Writer, cfg config.Log) *slog.Logger {
	return observe.NewLogger(w, cfg.Level, cfg.Format)
}

// Check tells on w what a process with these settings would do, and tries the
// authorization server. The error is what would keep users from logging in.
func (a *Agent) Check(ctx context.Context, w io.Writer) error {
	line := func(key, format string, args ...any) {
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
	for _, warning := range a.cfg.Warnings() {
		line("warning", "%s", warning)
	}
	if p := a.cfg.PKCEProxy; a.cfg.HasPKCEProxy() {
		line("PKCE proxy", "%s, in front of %s, for %v", p.RedirectURL, p.AuthURL, []string(p.AllowedRedirectURIs))
	}
	if !a.cfg.HasAgent() {
		return nil
	}
	return a.checkAgent(ctx, line)
}

func (a *Agent) checkAgent(ctx context.Context, line func(key, format string, args ...any)) error {
	line("agent", "%s, for %v", a.cfg.BasePath, []string(a.cfg.TrustedWebOrigins))
	for _, k := range []cookie.Kind{cookie.Access, cookie.CSRF, cookie.Refresh, cookie.ID} {
		line("cookie", "%s", a.jar.Name(k, ""))
	}
	line("CSRF header", "%s", csrfHeader(a.cfg))
	if err := a.as.Ready(ctx); err != nil {
		line("server", "not available: %v", err)
		return err
	}
	line("server", "%s: found", serverName(a.cfg))
	if a.as.EndSession(ctx) == "" {
		line("logout", "the authorization server has no end-session endpoint: its own session stays")
	}
	return nil
}

func serverName(cfg *config.Config) string {
	if cfg.Issuer != "" {
		return cfg.Issuer
	}
	return cfg.Endpoints.Token
}
