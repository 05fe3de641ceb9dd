package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"oauth-agent/agent"
	"oauth-agent/agent/config"
)

// reloader loads the settings again: when it is asked to, and when the files have
// changed.
type reloader struct {
	process *process
	source  source
	tried   contents // that were loaded, or refused
	last    contents // of the last look
	refused string   // what was told last
}

// run goes on until ctx ends.
func (r *reloader) run(ctx context.Context, again <-chan struct{}) {
	for {
		var due <-chan time.Time
		if every := r.process.settings.Load().ReloadEvery; every > 0 {
			due = time.After(every)
		}
		select {
		case <-ctx.Done():
			return
		case <-again:
			r.tried, _ = r.source.look()
			r.reload(ctx, true)
		case <-due:
			r.look(ctx)
		}
	}
}

// look loads what two looks have found alike: what is half written is still
// changing. Contents that were refused are not tried again.
func (r *reloader) look(ctx context.Context) {
	seen, err := r.source.look()
	if err == nil && r.due(seen) { // or another time
		r.reload(ctx, false)
	}
}

func (r *reloader) due(seen contents) bool {
	settled := seen == r.last
	r.last = seen
	if !settled || seen == r.tried {
		return false
	}
	r.tried = seen
	return true
}

// reload tells what came of it: to the log, the metrics and the service manager.
// What is found by looking is told once, what was asked for every time.
func (r *reloader) reload(ctx context.Context, asked bool) {
	p := r.process
	p.tellManager(reloading())
	err := p.apply(r.source)
	if ctx.Err() != nil {
		return // the process is stopping, and says so
	}
	p.metrics.Reloaded(err == nil)
	if errors.Is(err, agent.ErrUnreachable) || tooManyFiles(err) {
		r.tried = contents{} // it may come; so they are tried at every look, and told once
	}
	if err != nil && err.Error() == r.refused && !asked {
		p.tellManager(ready("serving by older settings: new ones were refused, see the log"))
		return
	}
	r.refused = ""
	if err == nil {
		p.log.Load().Info("the settings were reloaded")
		p.tellManager(ready("serving by settings loaded at " + time.Now().Format(time.DateTime)))
		return
	}
	r.refused = err.Error()
	p.tellRefused(err)
	p.tellManager(ready("serving by older settings: new ones were refused, see the log"))
}

// tellRefused writes a line for each mistake.
func (p *process) tellRefused(err error) {
	var mistakes config.Mistakes
	if !errors.As(err, &mistakes) {
		p.log.Load().Error("new settings were refused: the old ones go on", "error", err)
		return
	}
	for i, m := range mistakes {
		p.log.Load().Error("new settings were refused: the old ones go on",
			"mistake", m.String(), "number", fmt.Sprintf("%d of %d", i+1, len(mistakes)))
	}
}

// apply serves by the settings as they are now. Its error has changed nothing.
func (p *process) apply(from source) error {
	cfg, err := from.reload()
	if err != nil {
		return err
	}
	before := p.settings.Load()
	if err := before.Successor(cfg); err != nil {
		return err
	}
	pair, err := cfg.TLS.Pair()
	if err != nil {
		return err
	}
	log := agent.NewLogger(p.stderr, cfg.Log)
	if err := p.server.Reload(context.Background(), cfg, log); err != nil {
		return err
	}
	if pair != nil {
		p.certificate.Use(pair)
		p.metrics.Certificate(pair)
	}
	p.settings.Store(cfg)
	p.log.Store(log)
	for _, warning := range cfg.Warnings() {
		if !slices.Contains(before.Warnings(), warning) {
			log.Warn(warning)
		}
	}
	return nil
}
