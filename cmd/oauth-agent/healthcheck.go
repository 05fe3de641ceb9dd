package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"oauth-agent/agent/config"
)

const (
	healthTimeout = 3 * time.Second
	mostTold      = 512 // bytes of what the process says of itself
)

// healthcheck asks the process with these settings whether it is ready, or whether
// it lives. It is for a container's health check, where there is no other program.
//
// Of the settings it needs admin_addr alone, so that a mistake elsewhere, with
// which the process itself goes on, makes nobody unhealthy.
func healthcheck(from source, live bool, stdout io.Writer) error {
	address, err := config.AdminAddress(from.file, from.environ)
	switch {
	case err != nil:
		return err
	case address == "":
		return errors.New("admin_addr (ADMIN_ADDR) is off: there is nothing to ask")
	}
	path, good := "/readyz", "ready"
	if live {
		path, good = "/livez", "live"
	}
	ctx, cancel := context.WithTimeout(context.Background(), healthTimeout)
	defer cancel()
	status, told, err := ask(ctx, "http://"+address+path)
	switch {
	case err != nil:
		return fmt.Errorf("not %s: %w", good, err)
	case status != http.StatusOK:
		return fmt.Errorf("not %s: %d %s", good, status, told)
	}
	_, err = fmt.Fprintln(stdout, good)
	return err
}

// ask gives the answer as one line.
func ask(ctx context.Context, url string) (status int, told string, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, "", err
	}
	// No proxy of the environment, and no redirect.
	resp, err := new(http.Transport).RoundTrip(req)
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(resp.Body, mostTold))
	printable := strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, string(text))
	return resp.StatusCode, strings.TrimSpace(printable), err
}
