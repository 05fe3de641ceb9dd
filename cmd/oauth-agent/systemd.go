package main

import (
	"context"
	"net"
	"net/http"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
)

// This file tells a service manager what goes on, where there is one that asks for
// it (sd_notify(3), Type=notify-reload).

func ready(status string) string { return daemon.SdNotifyReady + "\nSTATUS=" + status }

func reloading() string {
	return daemon.SdNotifyReloading + "\n" + daemon.SdNotifyMonotonicUsec() + "STATUS=loading the settings"
}

func stopping() string {
	return daemon.SdNotifyStopping + "\nSTATUS=stopping: running requests may finish"
}

func (p *process) tellManager(state string) {
	if _, err := daemon.SdNotify(false, state); err != nil {
		p.log.Load().Warn("the service manager could not be told", "error", err)
	}
}

// keepWatchdog tells the service manager that the process lives, twice in the time
// that it may be silent, as long as it answers.
func (p *process) keepWatchdog(ctx context.Context) {
	silence, err := daemon.SdWatchdogEnabled(false)
	if err != nil {
		p.log.Load().Warn("there is no watchdog", "error", err)
	}
	if silence <= 0 {
		return
	}
	client := &http.Client{Transport: p.ownWire(), Timeout: silence / 2}
	for {
		if resp, err := client.Get("http://admin/livez"); err != nil {
			p.log.Load().Warn("the process does not answer itself", "error", err)
		} else if _ = resp.Body.Close(); resp.StatusCode == http.StatusOK {
			p.tellManager(daemon.SdNotifyWatchdog)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(silence / 2):
		}
	}
}

// ownWire leads to the operator's port, or where that is off to what it would
// serve.
func (p *process) ownWire() http.RoundTripper {
	to := p.servers.AdminAddr()
	if to == nil {
		return inProcess{p.server.Admin()}
	}
	return &http.Transport{
		DisableKeepAlives: true, // whether it accepts is part of the question
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, to.Network(), to.String())
		},
	}
}

// inProcess is an [http.RoundTripper] without a network. Bodies are not handed on.
type inProcess struct{ handler http.Handler }

func (h inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	answered := make(chan *answer, 1)
	go func() {
		a := &answer{header: http.Header{}, status: http.StatusOK}
		h.handler.ServeHTTP(a, r)
		answered <- a
	}()
	select {
	case a := <-answered:
		return &http.Response{StatusCode: a.status, Header: a.header, Body: http.NoBody, Request: r}, nil
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
}

type answer struct {
	header http.Header
	status int
}

func (a *answer) Header() http.Header                { return a.header }
func (a *answer) Write(text []byte) (n int, _ error) { return len(text), nil }
func (a *answer) WriteHeader(status int)             { a.status = status }
