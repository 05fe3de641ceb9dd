// Crossorigin is the other way to deploy, for the browser test: the page on
// https://www.app.local, the agent on https://api.app.local, and on any other
// name below app.local a page that nobody trusts. The names exist in the test's
// browser alone, which maps them to this machine.
package main

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"time"

	"oauth-agent/agent"
	"oauth-agent/agent/config"
	"oauth-agent/test/idp"
	"oauth-agent/web"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "crossorigin:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, stdout io.Writer) error {
	fs := flag.NewFlagSet("crossorigin", flag.ContinueOnError)
	port := fs.Int("port", 0, "`port` of all names")
	report := fs.String("test-report", "", "`file` for what the identity provider issued")
	if err := fs.Parse(args); err != nil {
		return err
	}
	ln, err := new(net.ListenConfig).Listen(ctx, "tcp", fmt.Sprintf("127.0.0.1:%d", *port))
	if err != nil {
		return err
	}
	_, bound, _ := net.SplitHostPort(ln.Addr().String())
	page, api := "https://www.app.local:"+bound, "https://api.app.local:"+bound
	h, err := names(ctx, page, api, *report)
	if err != nil {
		return errors.Join(err, ln.Close())
	}
	cert, key, err := certificate("www.app.local", "api.app.local", "other.app.local")
	if err != nil {
		return errors.Join(err, ln.Close())
	}
	srv := &http.Server{
		Handler: h, ReadHeaderTimeout: 10 * time.Second,
		TLSConfig: &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS13},
		ErrorLog:  log.New(io.Discard, "", 0), // of browsers that leave
	}
	context.AfterFunc(ctx, func() { _ = srv.Close() })
	fmt.Fprintf(stdout, "Key %s\nOpen %s\n", key, page)
	if err := srv.ServeTLS(ln, "", ""); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// names is the handler of all host names.
func names(ctx context.Context, page, api, report string) (http.Handler, error) {
	clientSecret, cookieKey := random(), random()
	provider, err := idp.Start(ctx, "127.0.0.1:0", idp.Config{
		Clients: []idp.Client{{
			ID: "page", Secret: clientSecret,
			RedirectURIs: []string{page + "/"}, PostLogoutRedirectURIs: []string{page + "/"},
		}},
		Users: []idp.User{{Username: "ada", Password: "ada", Sub: "1", Claims: map[string]any{"name": "Ada Lovelace"}}},
	})
	if err != nil {
		return nil, err
	}
	cfg, err := config.Load("", []string{
		"ISSUER=" + provider.Issuer, "CLIENT_ID=page", "CLIENT_SECRET=" + clientSecret,
		"REDIRECT_URI=" + page + "/", "POST_LOGOUT_REDIRECT_URI=" + page + "/",
		"TRUSTED_WEB_ORIGIN=" + page, "COOKIE_ENCRYPTION_KEY=" + cookieKey,
	})
	if err != nil {
		return nil, err
	}
	a, err := agent.New(ctx, cfg, agent.Options{})
	if err != nil {
		return nil, err
	}
	spa, err := web.Demo(api + "/oauth-agent")
	if err != nil {
		return nil, err
	}
	var mu sync.Mutex
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch name, _, _ := strings.Cut(r.Host, ":"); name {
		case "www.app.local":
			spa.ServeHTTP(w, r)
		case "api.app.local":
			a.Handler().ServeHTTP(w, r)
			mu.Lock()
			defer mu.Unlock()
			writeReport(report, provider)
		default:
			w.Header().Set("Content-Type", "text/html")
			_, _ = io.WriteString(w, "<!doctype html><title>stranger</title>")
		}
	}), nil
}

func writeReport(file string, provider *idp.Server) {
	b, err := json.Marshal(map[string]any{"issued": append([]string{}, provider.Issued()...), "counts": provider.Counts()})
	if err == nil {
		err = os.WriteFile(file+".part", b, 0o600)
	}
	if err == nil {
		err = os.Rename(file+".part", file) // a reader never sees half of it
	}
	if err != nil {
		panic(err)
	}
}

func random() string {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // never fails
	return hex.EncodeToString(b)
}
