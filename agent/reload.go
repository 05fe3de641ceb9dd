package agent

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"

	"oauth-agent/agent/config"
	"oauth-agent/agent/internal/authserver"
	"oauth-agent/agent/internal/observe"
	"oauth-agent/agent/internal/tokens"
)

var (
	// ErrUnreachable is why [Server.Reload] refuses settings with another authorization
	// server, one that does not answer: a mistyped one would end all logins at once.
	ErrUnreachable = errors.New("the authorization server of the new settings cannot be reached")

	// errStopping is why nothing changes any more.
	errStopping = errors.New("the process is stopping")
)

// cutOffTime is how long requests that were cut off may take to end.
const cutOffTime = 100 * time.Millisecond

// Reload serves by these settings, and logs to log, from the next request on. A
// request is served to its end, however long that takes, by the settings that it
// began with. On an error, that of [New] or [ErrUnreachable], nothing has changed.
//
// Nothing is handed from the old settings to the new: what must not be lost, such as
// a refresh under way, belongs to the Server.
func (s *Server) Reload(ctx context.Context, cfg *config.Config, log *slog.Logger) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopping.Load() {
		return errStopping
	}
	g, err := s.newGeneration(ctx, cfg)
	if err != nil {
		return err
	}
	if err := g.reachNewServers(authserver.TrialContext(s.trials)); err != nil {
		g.close()
		s.retain()
		return err
	}
	if log != nil {
		s.output.Use(log)
	}
	before := s.current.Load()
	s.leaving.Lock()
	s.left[before] = struct{}{}
	s.leaving.Unlock()
	s.begin(g, s.clock())
	before.stop()
	s.leave(before)
	return nil
}

// begin makes g the generation that serves. Its cookie keys are known since now.
func (s *Server) begin(g *generation, now time.Time) {
	s.http.SetTimeout(g.cfg.Timeouts.AuthorizationServer)
	s.limits.change(g.cfg)
	s.store.Limit(tokens.Refreshed, g.cfg.Refresh.MemoryBytes)
	g.app.observeKeys(now)
	s.current.Store(g)
	s.retain()
	g.awaitServers()
}

// retain forgets the authorization servers that no settings name any more.
func (s *Server) retain() {
	if g := s.current.Load(); g != nil {
		s.servers.Retain(g.clients()...)
	}
}

// leave ends a generation when its last request is over. What runs in the
// background, such as the export of its last spans, ends there.
func (s *Server) leave(g *generation) {
	if g.holders.Add(-1) > 0 {
		return
	}
	go func() {
		g.close()
		close(g.over)
		s.leaving.Lock()
		delete(s.left, g)
		s.leaving.Unlock()
	}()
}

// Close ends what runs in the background, and waits for it. Tokens that are on
// their way are waited for as well, for as long as a shutdown may take; the error
// is that it took longer. No request may come any more. Those that were cut off have
// a moment to end, since their log lines are what is looked for; what does not end
// then is left to the end of the process.
func (s *Server) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stopping.Store(true)
	s.giveUp()
	s.leaving.Lock()
	left := slices.Collect(maps.Keys(s.left))
	s.leaving.Unlock()
	g := s.current.Load()
	g.stop()
	ctx, cancel := context.WithTimeout(context.Background(), g.cfg.Timeouts.Shutdown)
	defer cancel()
	err := s.tokens.Wait(ctx)
	s.transports.CloseIdle()
	settle(g, left)
	g.close() // with the spans of what was waited for
	s.http.CloseIdle()
	observe.Finish(s.log)
	for _, old := range left {
		if old.holders.Load() == 0 {
			<-old.over
		}
	}
	if err != nil {
		return fmt.Errorf("waiting for tokens: %w", err)
	}
	return nil
}

// settle waits for the requests that there still are, for a moment.
func settle(current *generation, left []*generation) {
	for end := time.Now().Add(cutOffTime); time.Now().Before(end); time.Sleep(time.Millisecond) {
		running := current.holders.Load() - 1
		for _, g := range left {
			running += g.holders.Load()
		}
		if running == 0 {
			return
		}
	}
}
