package agent

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"oauth-agent/agent/config"
	"oauth-agent/agent/internal/authserver"
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
func (s *Server) Check(ctx context.Context, w io.Writer) error {
	a := s.current.Load().app
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
	if a.cfg.SPA.Dir != "" {
		line("page", "the files of %s", a.cfg.SPA.Dir)
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
func (a *App) checkPKCEProxy(ctx context.Context, line teller) error {
	p := a.cfg.PKCEProxy
	line("register", "redirect URI %s, of the PKCE proxy's client", p.RedirectURL)
	line("PKCE proxy", "%s, in front of %s, for %v", p.RedirectURL, p.AuthURL, []string(p.AllowedRedirectURIs))
	if err := a.server.http.Reachable(ctx, p.AuthURL); err != nil {
		line("its server", "not reached at its authorization endpoint, where browsers are sent: %v", err)
	}
	if err := a.server.http.Reachable(ctx, p.TokenURL); err != nil {
		line("its server", "not available: %v", err)
		return err
	}
	line("its server", "answers at %s", p.TokenURL)
	return nil
}

func (a *App) checkAgent(ctx context.Context, line teller) error {
	line("agent", "%s, for %v", a.cfg.BasePath, []string(a.cfg.TrustedWebOrigins))
	if len(a.cfg.Tenants) > 0 {
		line("tenants", "%v", []string(a.cfg.Tenants))
	}
	line("register", "redirect URI %s", a.cfg.RedirectURI)
	if a.cfg.PostLogoutRedirectURI != "" {
		line("register", "post-logout redirect URI %s", a.cfg.PostLogoutRedirectURI)
	}
	for _, k := range []cookie.Kind{cookie.Access, cookie.CSRF, cookie.Refresh, cookie.ID} {
		line("cookie", "%s", a.jar.Name(k, ""))
	}
	line("CSRF header", "%s", csrfHeader(a.cfg))
	line("client library", "%s/client.js?v=%s, integrity %s", a.base(), client.Version(a.library.integrity), a.library.integrity)
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
func (a *App) checkServer(ctx context.Context, line teller) error {
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

// CheckClient tells on w whether the authorization servers know the clients of the
// settings: it sends each id and secret, with a code that does not exist. The error
// is that one was refused, or could not be tried.
func (s *Server) CheckClient(ctx context.Context, w io.Writer) error {
	a := s.current.Load().app
	var errs []error
	if a.cfg.HasPKCEProxy() {
		p := a.cfg.PKCEProxy
		trial, err := a.server.http.TryClient(ctx, p.TokenURL, p.RedirectURL,
			authserver.Credentials{ID: p.ClientID, Secret: p.ClientSecret}, authserver.AuthMethod(p.AuthMethod), false)
		errs = append(errs, tellTrial(w, "its client", p.ClientID, trial, err))
	}
	if a.cfg.HasAgent() {
		trial, err := a.as.TryClient(ctx)
		errs = append(errs, tellTrial(w, "client", a.cfg.ClientID, trial, err))
	}
	return errors.Join(errs...)
}

func tellTrial(w io.Writer, key, id string, trial authserver.Trial, err error) error {
	line := func(format string, args ...any) {
		_, _ = fmt.Fprintf(w, "%-16s %s: %s\n", key, id, fmt.Sprintf(format, args...))
	}
	switch {
	case err != nil:
		line("not tried: %v", err)
		return err
	case trial.Verdict == authserver.ClientAccepted:
		line("accepted: what the server refuses is the code, which does not exist: %s", trial.Reason)
	case trial.Verdict == authserver.ClientRefused:
		line("refused with %s: id, secret or authentication method is wrong, and no login can end", trial.Reason)
		return fmt.Errorf("the authorization server refuses the client %s: %s", id, trial.Reason)
	default:
		line("cannot tell: the answer to a code that does not exist says nothing of the client: %s", trial.Reason)
	}
	return nil
}

func serverName(cfg *config.Config) string {
	if cfg.Issuer != "" {
		return cfg.Issuer
	}
	return cfg.Endpoints.Token
}
