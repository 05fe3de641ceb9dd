// The oauth-agent command keeps tokens out of the browser. See the README.
package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"runtime/debug"
	"strings"

	"oauth-agent/agent"
)

func main() {
	log.SetOutput(io.Discard) // net/http quotes stray bytes from the network in it
	if err := run(os.Args[1:], os.Environ(), os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "oauth-agent: "+err.Error())
		os.Exit(1)
	}
}

const usage = `oauth-agent keeps tokens out of the browser.

usage: oauth-agent [command] [--config agent.yaml]

  serve        serve by the settings (the default)
  check        load the settings, try the authorization server, tell what serve would do;
               with --client, try client id and secret there too
  healthcheck  ask a running process whether it is ready; with --live, whether it lives
  keygen       print a fresh key, for cookie.encryption_keys and the like
  version      print the version
  help         print this

Settings come from the file, which CONFIG_FILE may name instead of --config, and
from the environment, which wins. SIGHUP loads them again while requests go on,
and so does a change of their files; SIGTERM stops when the running requests are
answered.
`

// run is main without the process's end.
func run(args, environ []string, stdout, stderr io.Writer) error {
	c, err := parse(args)
	if err != nil {
		return fmt.Errorf("%w; oauth-agent help tells how it is used", err)
	}
	from := source{cmp.Or(c.file, variable(environ, "CONFIG_FILE")), environ}
	switch c.name {
	case "serve":
		return serve(from, stderr)
	case "check":
		return check(from, c.client, stdout)
	case "healthcheck":
		return healthcheck(from, c.live, stdout)
	case "keygen":
		return keygen(stdout)
	case "version":
		_, err := fmt.Fprintln(stdout, "oauth-agent", version())
		return err
	case "help":
		_, err := fmt.Fprint(stdout, usage)
		return err
	default:
		return fmt.Errorf("unknown command %q; there are serve, check, healthcheck, keygen, version and help", c.name)
	}
}

// command is what the command line asks for.
type command struct {
	name, file string
	live       bool // of healthcheck
	client     bool // of check
}

// parse takes the command line apart. No argument is asked for by position
// beyond the command, so that a word too many is a mistake.
func parse(args []string) (command, error) {
	c := command{name: "serve"}
	if len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		c.name, args = args[0], args[1:]
	}
	flags := flag.NewFlagSet(c.name, flag.ContinueOnError)
	flags.SetOutput(io.Discard) // what went wrong is told once, by main
	flags.StringVar(&c.file, "config", "", "the settings, a YAML file")
	printVersion := flags.Bool("version", false, "print the version")
	if c.name == "healthcheck" {
		flags.BoolVar(&c.live, "live", false, "whether it lives, ready or not")
	}
	if c.name == "check" {
		flags.BoolVar(&c.client, "client", false, "try client id and secret too")
	}
	err := flags.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return command{name: "help"}, nil
	case err != nil:
		return command{}, err
	case *printVersion:
		return command{name: "version"}, nil
	case flags.NArg() > 0:
		return command{}, fmt.Errorf("%q is one argument too many", flags.Arg(0))
	}
	return c, nil
}

// variable is that of the environment. CONFIG_FILE is not among the settings, since
// it tells where those are: so a container's health check finds the same as serve.
func variable(environ []string, name string) (value string) {
	for _, kv := range environ {
		if v, ok := strings.CutPrefix(kv, name+"="); ok {
			value = v
		}
	}
	return value
}

// check tells what serve would do, and fails where users could not log in.
func check(from source, client bool, stdout io.Writer) error {
	cfg, err := from.load()
	if err != nil {
		return err
	}
	ctx := context.Background()
	a, err := agent.New(ctx, cfg, agent.Options{})
	if err != nil {
		return err
	}
	defer func() { _ = a.Close() }()
	if err := a.Check(ctx, stdout); err != nil || !client {
		return err
	}
	return a.CheckClient(ctx, stdout)
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
