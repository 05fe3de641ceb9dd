// The oauth-agent command keeps tokens out of the browser. See the README.
package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"

	"oauth-agent/agent"
	"oauth-agent/agent/config"
)

func main() {
	log.SetOutput(io.Discard) // net/http quotes stray bytes from the network in it
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Environ(), os.Stdout, os.Stderr)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "oauth-agent: "+err.Error())
		os.Exit(1)
	}
}

const usage = `oauth-agent keeps tokens out of the browser.

usage: oauth-agent [command] [--config agent.yaml]

  serve     serve by the settings (the default)
  check     load the settings, try the authorization server, tell what serve would do
  keygen    print a fresh key, for cookie.encryption_keys and the like
  version   print the version
  help      print this

Settings come from the file and from the environment, which wins.
`

// run is main without the process: it returns when ctx ends and the last
// request is answered.
func run(ctx context.Context, args, environ []string, stdout, stderr io.Writer) error {
	command, file, err := parse(args)
	if err != nil {
		return fmt.Errorf("%w; oauth-agent help tells how it is used", err)
	}
	switch command {
	case "serve", "check":
		cfg, err := config.Load(file, environ)
		if err != nil {
			return err
		}
		if command == "check" {
			return check(ctx, cfg, stdout)
		}
		return serve(ctx, cfg, stderr)
	case "keygen":
		return keygen(stdout)
	case "version":
		_, err := fmt.Fprintln(stdout, "oauth-agent", version())
		return err
	case "help":
		_, err := fmt.Fprint(stdout, usage)
		return err
	default:
		return fmt.Errorf("unknown command %q; there are serve, check, keygen, version and help", command)
	}
}

// parse takes the command line apart. No argument is asked for by position
// beyond the command, so that a word too many is a mistake.
func parse(args []string) (command, file string, err error) {
	command = "serve"
	if len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		command, args = args[0], args[1:]
	}
	flags := flag.NewFlagSet(command, flag.ContinueOnError)
	flags.SetOutput(io.Discard) // what went wrong is told once, by main
	flags.StringVar(&file, "config", "", "the settings, a YAML file")
	err = flags.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return "help", "", nil
	case err != nil:
		return "", "", err
	case flags.NArg() > 0:
		return "", "", fmt.Errorf("%q is one argument too many", flags.Arg(0))
	}
	return command, file, nil
}

// check tells what serve would do, and fails where users could not log in.
func check(ctx context.Context, cfg *config.Config, stdout io.Writer) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	a, err := agent.New(ctx, cfg, agent.Options{})
	if err != nil {
		return err
	}
	defer func() { _ = a.Close() }()
	return a.Check(ctx, stdout)
}

// keygen prints 256 random bits in hexadecimal.
func keygen(stdout io.Writer) error {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails, see its documentation
	_, err := fmt.Fprintln(stdout, hex.EncodeToString(key))
	return err
}

func version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}
