package agent

import (
	"time"

	"oauth-agent/agent/config"
	"oauth-agent/agent/internal/guard"
)

// limits is how often one client may ask for what costs more than an answer. The
// agents that follow each other share them, so that a reload forgives nobody.
type limits struct{ loginStart, token *guard.Limiter }

func newLimits(cfg *config.Config, clock func() time.Time) limits {
	return limits{
		loginStart: guard.NewLimiter(cfg.Limits.LoginStart, cfg.Limits.Addresses, clock),
		token:      guard.NewLimiter(cfg.Limits.TokenCalls, cfg.Limits.Addresses, clock),
	}
}

// by gives the same limits by the numbers of other settings.
func (l limits) by(cfg *config.Config) limits {
	l.loginStart.Change(cfg.Limits.LoginStart, cfg.Limits.Addresses)
	l.token.Change(cfg.Limits.TokenCalls, cfg.Limits.Addresses)
	return l
}
