// Demo shows the OAuth Agent at work: agent, identity provider and single-page
// app in one process, without settings and without anything to install.
//
//	go run ./cmd/demo
//
// Keys and secrets are made afresh at each start and nothing is stored. It binds
// to loopback only.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

// options are the flags.
type options struct {
	port                int
	anyPort             bool // take another one when port is taken
	accessTokenLifetime time.Duration
	sessionLifetime     time.Duration
	outage              time.Duration
	testReport          string
	testPage            string
}

// run is the program. It returns when ctx is done or a server fails.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	if handled, err := apart(ctx, args, stderr); handled {
		return err
	}
	opts, err := parse(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return nil
	}
	if err != nil {
		return err
	}
	lns, err := listen(ctx, opts.port, opts.anyPort)
	if err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	d, err := newDemo(ctx, lns.origin(), opts, log)
	if err != nil {
		lns.close()
		return err
	}
	defer d.close()
	welcome(stdout, lns.origin(), opts.port, lns.port)
	return serve(ctx, lns, d.handler)
}

func parse(args []string, stderr io.Writer) (options, error) {
	var o options
	fs := flag.NewFlagSet("demo", flag.ContinueOnError)
	fs.SetOutput(stderr)
	fs.IntVar(&o.port, "port", 8080, "`port` on localhost; 0 takes a free one")
	fs.DurationVar(&o.accessTokenLifetime, "access-token-lifetime", time.Minute,
		"how long an access token is good, short so that one can watch it expire")
	fs.DurationVar(&o.sessionLifetime, "session-lifetime", 30*time.Minute, "how long a session lasts at most")
	fs.DurationVar(&o.outage, "outage", 15*time.Second, "how long the identity provider fails when the page asks for it")
	fs.StringVar(&o.testReport, "test-report", "",
		"for tests: write what the identity provider issued, tokens in clear, to `file`")
	fs.StringVar(&o.testPage, "test-page", "", "for tests: serve the page in `directory` in place of the demo's")
	if err := fs.Parse(args); err != nil {
		return o, err
	}
	if fs.NArg() > 0 {
		return o, fmt.Errorf("unexpected argument %q", fs.Arg(0))
	}
	if min(o.accessTokenLifetime, o.outage) < time.Second {
		return o, errors.New("-access-token-lifetime and -outage must be a second at least")
	}
	o.anyPort = true
	fs.Visit(func(f *flag.Flag) { o.anyPort = o.anyPort && f.Name != "port" })
	return o, nil
}

func welcome(w io.Writer, origin string, wanted, got int) {
	if wanted != 0 && wanted != got {
		fmt.Fprintf(w, "Port %d is taken, so the demo is on port %d. Choose one with -port.\n", wanted, got)
	}
	fmt.Fprintf(w, "\n  Open    %s\n", origin)
	for _, u := range users() {
		fmt.Fprintf(w, "  Log in  as %s, password %s\n", u.Username, u.Password)
	}
	fmt.Fprintf(w, "\nCtrl-C ends it.\n")
}
