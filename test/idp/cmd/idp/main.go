// Command idp runs the development identity provider on a loopback port, with one
// client and two users:
//
//	go run ./test/idp/cmd/idp -addr 127.0.0.1:9090 \
//		-redirect-uri http://localhost:8080/
//
// It is for tests by hand. Nothing it does is fit for production.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"oauth-agent/test/idp"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// run serves until ctx is done.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	addr, cfg, err := parse(args, stderr)
	if err != nil {
		return err
	}
	cfg.Log = slog.New(slog.NewTextHandler(stderr, nil))
	srv, err := idp.Start(ctx, addr, cfg)
	if err != nil {
		return err
	}
	defer func() { _ = srv.Close() }()
	_, _ = fmt.Fprintf(stdout, "issuer %s\n", srv.Issuer)
	<-ctx.Done()
	return nil
}

// parse reads the flags.
func parse(args []string, stderr io.Writer) (addr string, cfg idp.Config, err error) {
	flags := flag.NewFlagSet("idp", flag.ContinueOnError)
	flags.SetOutput(stderr)
	client := idp.Client{}
	var redirects, logouts string
	flags.StringVar(&addr, "addr", "127.0.0.1:9090", "loopback `address` to listen on")
	flags.StringVar(&cfg.Path, "path", "", "the issuer's path, such as /o")
	flags.StringVar(&client.ID, "client-id", "demo", "client `id`")
	flags.StringVar(&client.Secret, "client-secret", "", "client `secret`; empty: a public client")
	flags.StringVar(&redirects, "redirect-uri", "http://localhost:8080/", "redirect `URIs`, comma-separated")
	flags.StringVar(&logouts, "post-logout-redirect-uri", "http://localhost:8080/", "post-logout redirect `URIs`, comma-separated")
	flags.StringVar(&cfg.SigningAlg, "alg", idp.RS256, "RS256 or ES256")
	flags.DurationVar(&cfg.AccessTokenLifetime, "access-token-lifetime", 5*time.Minute, "")
	flags.DurationVar(&cfg.RefreshTokenLifetime, "refresh-token-lifetime", 24*time.Hour, "")
	flags.BoolVar(&cfg.NoRotation, "no-rotation", false, "refresh tokens stay the same")
	flags.BoolVar(&cfg.IgnorePKCE, "ignore-pkce", false, "be a provider that has never heard of PKCE")
	flags.BoolVar(&cfg.NoEndSession, "no-end-session", false, "have no end-session endpoint")
	if err := flags.Parse(args); err != nil {
		return "", cfg, err
	}
	client.RedirectURIs, client.PostLogoutRedirectURIs = strings.Split(redirects, ","), strings.Split(logouts, ",")
	cfg.Clients, cfg.Users, cfg.ShowUsers = []idp.Client{client}, users(), true
	return addr, cfg, nil
}

func users() []idp.User {
	return []idp.User{
		{Username: "ada", Password: "ada", Sub: "ada-1815", Claims: map[string]any{
			"name": "Ada Lovelace", "email": "ada@example.com", "email_verified": true,
		}},
		{Username: "zoe", Password: "zoe", Sub: "zoe-1990", Claims: map[string]any{
			"name": "Zoë Ångström 李", "email": "zoe@example.com", "locale": "sv",
		}},
	}
}
