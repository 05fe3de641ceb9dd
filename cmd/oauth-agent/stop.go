package main

import (
	"context"
	"errors"
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
	p.live.Stop()
	p.log.Load().Info("stopping: running requests may finish", "delay", delay, "timeout", timeouts.Shutdown)
	if err := p.linger(delay, signals); err != nil {
		return err
	}
	return p.drain(timeouts.Shutdown)
}

// linger goes on as before for delay, or until a second signal. In its second half
// clients are asked to connect anew: by then balancers send them elsewhere.
func (p *process) linger(delay time.Duration, signals <-chan os.Signal) error {
	half, end := time.After(delay/2), time.After(delay)
	for {
		select {
		case <-half:
			p.closing.Store(true)
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

// drain stops accepting, waits for the running requests, and cuts off those
// that take longer. The public port goes first: gateways may still be asking
// for the requests that they have.
func (p *process) drain(timeout time.Duration) error {
	p.closing.Store(true)
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	var errs []error
	for _, port := range p.ports {
		err := port.shutdown(ctx)
		if errors.Is(err, context.DeadlineExceeded) {
			_ = port.server.Close()
			err = errors.New("some requests did not finish in time and were cut off")
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}
