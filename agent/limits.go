package agent

import (
	"oauth-agent/agent/config"
	"oauth-agent/agent/internal/middleware"
)

// limits is how often one client may ask for what costs more than an answer, and how
// many requests a port serves at a time. They are the process's, so that a reload
// forgives nobody.
type limits struct {
	loginStart, token, foreign *middleware.RateLimiter
	public, gateways           *middleware.InFlightLimit
}

func newLimits(cfg *config.Config, opt Options) limits {
	clock := opt.Clock
	return limits{
		public:     middleware.NewInFlightLimit(opt.Requests, cfg.Limits.OfAddress(opt.Requests)),
		gateways:   middleware.NewInFlightLimit(opt.GatewayRequests, 0),
		loginStart: middleware.NewRateLimiter(cfg.Limits.LoginStart, cfg.Limits.Addresses, clock),
		token:      middleware.NewRateLimiter(cfg.Limits.TokenCalls, cfg.Limits.Addresses, clock),
		foreign:    middleware.NewRateLimiter(foreignCalls(cfg), cfg.Limits.Addresses, clock),
	}
}

// change sets them by the numbers of other settings.
func (l limits) change(cfg *config.Config) {
	l.public.Change(cfg.Limits.OfAddress(l.public.Places()))
	l.loginStart.Change(cfg.Limits.LoginStart, cfg.Limits.Addresses)
	l.token.Change(cfg.Limits.TokenCalls, cfg.Limits.Addresses)
	l.foreign.Change(foreignCalls(cfg), cfg.Limits.Addresses)
}

// foreignCalls is the limit for pages that are none of the PKCE proxy's: a tenth of
// the limit for its own clients, and none where those have none.
func foreignCalls(cfg *config.Config) int {
	if cfg.Limits.TokenCalls == 0 {
		return 0
	}
	return max(1, cfg.Limits.TokenCalls/10)
}
