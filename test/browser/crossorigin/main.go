// Crossorigin is the other way to deploy, for the browser test: the page on
// https://www.app.local, the agent on https://api.app.local, and on any other
// name below app.local a page that nobody trusts. The names exist in the test's
// browser alone, which maps them to this machine. With -plain-http page and agent
// are together at http://portal.app.local, as in an intranet without TLS.
//
// A line on standard input restarts the agent: "add key" puts a new key before
// the old ones, "new key" has it alone.
package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
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
	plain := fs.Bool("plain-http", false, "page and agent on one name, without TLS")
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
	if *plain {
		page, api = "http://portal.app.local:"+bound, "http://portal.app.local:"+bound
	}
	st, err := newStack(ctx, page, api, *report)
	if err != nil {
		return errors.Join(err, ln.Close())
	}
	go obey(os.Stdin, stdout, st)
	srv := &http.Server{
		Handler: st, ReadHeaderTimeout: 10 * time.Second,
		ErrorLog: log.New(io.Discard, "", 0), // of browsers that leave
	}
	context.AfterFunc(ctx, func() { _ = srv.Close() })
	if *plain {
		fmt.Fprintf(stdout, "Open %s\n", page)
		if err := srv.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	}
	cert, key, err := certificate("www.app.local", "api.app.local", "other.app.local")
	if err != nil {
		return errors.Join(err, ln.Close())
	}
	srv.TLSConfig = &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS13}
	fmt.Fprintf(stdout, "Key %s\nOpen %s\n", key, page)
	if err := srv.ServeTLS(ln, "", ""); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// obey restarts the agent as the lines of r say.
func obey(r io.Reader, stdout io.Writer, st *stack) {
	for lines := bufio.NewScanner(r); lines.Scan(); {
		keys := []string{random()}
		if lines.Text() == "add key" {
			keys = append(keys, st.keys...)
		}
		if err := st.restart(keys); err != nil {
			fmt.Fprintln(stdout, "failed:", err)
			continue
		}
		fmt.Fprintf(stdout, "restarted with %d keys\n", len(keys))
	}
}
