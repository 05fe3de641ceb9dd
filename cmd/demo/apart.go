package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"oauth-agent/test/idp"
)

// This file runs parts of the demo each in a process of its own, for containers
// (deployments/compose). They are named by the first argument:
//
//	demo secrets   make the secrets that are not there yet, as files
//	demo provider  the identity provider
//	demo api       the sample API
//	demo health    ask a URL, as a container's health check

// apart runs the part that args name; handled is false when they name none.
func apart(ctx context.Context, args []string, stderr io.Writer) (handled bool, err error) {
	if len(args) == 0 {
		return false, nil
	}
	part, ok := map[string]func(context.Context, []string, io.Writer) error{
		"secrets": makeSecrets, "provider": serveProvider, "api": serveOrders, "health": health,
	}[args[0]]
	if !ok {
		return false, nil
	}
	if err = part(ctx, args[1:], stderr); errors.Is(err, flag.ErrHelp) {
		err = nil
	}
	return true, err
}

// partFlags reads flags, and wants so many arguments after them.
func partFlags(name string, args []string, stderr io.Writer, arguments int, define func(*flag.FlagSet)) ([]string, error) {
	fs := flag.NewFlagSet("demo "+name, flag.ContinueOnError)
	fs.SetOutput(stderr)
	define(fs)
	if err := fs.Parse(args); err != nil {
		return nil, err
	}
	if fs.NArg() != arguments {
		return nil, fmt.Errorf("%s takes %d arguments after its flags", name, arguments)
	}
	return fs.Args(), nil
}

// makeSecrets writes a client secret and a cookie key, each into a file of its
// own. One that is there stays, or everybody would be logged out by a restart.
func makeSecrets(_ context.Context, args []string, stderr io.Writer) error {
	owner := -1
	dir, err := partFlags("secrets", args, stderr, 1, func(fs *flag.FlagSet) {
		fs.IntVar(&owner, "owner", -1, "user and group `id` that alone may read them; -1 stays")
	})
	if err != nil {
		return err
	}
	for _, name := range []string{"client-secret", "cookie-keys"} {
		if err := makeSecret(filepath.Join(dir[0], name), owner); err != nil {
			return err
		}
	}
	return nil
}

func makeSecret(path string, owner int) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o400)
	if errors.Is(err, os.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(f, randomHex())
	if owner >= 0 {
		err = errors.Join(err, f.Chown(owner, owner))
	}
	return errors.Join(err, f.Close())
}

// serveProvider is the identity provider beyond loopback: in a container, whose
// port is published to loopback alone.
func serveProvider(ctx context.Context, args []string, stderr io.Writer) error {
	var listen, issuer, origin, secretFile string
	if _, err := partFlags("provider", args, stderr, 0, func(fs *flag.FlagSet) {
		fs.StringVar(&listen, "listen", "127.0.0.1:9000", "`address`")
		fs.StringVar(&issuer, "issuer", "http://localhost:9000", "`URL` by which page and agent both know it")
		fs.StringVar(&origin, "origin", "http://localhost:8080", "the page's")
		fs.StringVar(&secretFile, "client-secret-file", "", "`file` with the client's secret")
	}); err != nil {
		return err
	}
	secret, err := os.ReadFile(secretFile)
	if err != nil {
		return err
	}
	cfg := providerConfig(origin, strings.TrimSpace(string(secret)), options{accessTokenLifetime: time.Minute})
	cfg.Issuer = issuer
	cfg.Log = slog.New(slog.NewTextHandler(stderr, nil))
	provider, err := idp.New(cfg)
	if err != nil {
		return err
	}
	return serveAt(ctx, listen, provider)
}

// serveOrders is the sample API. It asks the provider whose token it was given
// (OpenID Connect Core 5.3), as an API may that cannot read the token itself.
func serveOrders(ctx context.Context, args []string, stderr io.Writer) error {
	var listen, userinfo string
	if _, err := partFlags("api", args, stderr, 0, func(fs *flag.FlagSet) {
		fs.StringVar(&listen, "listen", "127.0.0.1:9001", "`address`")
		fs.StringVar(&userinfo, "userinfo", "http://localhost:9000/userinfo", "`URL` of the provider's user info")
	}); err != nil {
		return err
	}
	client := &http.Client{Timeout: 5 * time.Second}
	return serveAt(ctx, listen, newOrders(func(token string) (string, bool) { return subjectOf(client, userinfo, token) }))
}

// health is for a container without any other program.
func health(ctx context.Context, args []string, stderr io.Writer) error {
	address, err := partFlags("health", args, stderr, 1, func(*flag.FlagSet) {})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address[0], nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	_ = resp.Body.Close()
	if resp.StatusCode >= http.StatusInternalServerError {
		return fmt.Errorf("%s: %s", address[0], resp.Status)
	}
	return nil
}

func serveAt(ctx context.Context, address string, h http.Handler) error {
	ln, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return err
	}
	return serve(ctx, &listeners{each: []net.Listener{ln}}, h)
}
