package main

import (
	"os"
	"syscall"
	"time"
)

// stop ends the process in order: it tells that it is about to, serves on while
// balancers notice, lets the running requests finish, and then the calls to the
// authorization server that nobody waits for.
func (p *process) stop(signals <-chan os.Signal) error {
	timeouts, delay := p.settings.Load().Timeouts, p.settings.Load().ShutdownDelay
	p.tellManager(stopping())
	p.server.Stop()
	p.log.Load().Info("stopping: running requests may finish", "delay", delay, "timeout", timeouts.Shutdown)
	if err := p.linger(delay, signals); err != nil {
		return err
	}
	return p.servers.Drain(timeouts.Shutdown)
}

// linger goes on as before for delay, or until a second signal. In its second half
// clients are asked to connect anew: by then balancers send them elsewhere.
func (p *process) linger(delay time.Duration, signals <-chan os.Signal) error {
	half, end := time.After(delay/2), time.After(delay)
	for {
		select {
		case <-half:
			p.servers.CloseKeepAlives()
		case <-end:
			return nil
		case err := <-p.failed:
			return err
		case s := <-signals:
			if s != syscall.SIGHUP {
				return nil
			}
		}
	}
}
