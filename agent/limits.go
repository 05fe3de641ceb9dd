package agent

import (
	"net/http"

	"oauth-agent/agent/config"
	"oauth-agent/agent/internal/httperr"
	"oauth-agent/agent/internal/middleware"
)

// limits is how often one client may ask for what costs more than an answer, and how
// many requests a port serves at a time. The agents that follow each other share them,
// so that a reload forgives nobody.
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

// change has them by the numbers of other settings, for all who share them.
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

// limitToken limits the calls that go to the authorization server with the PKCE
// proxy's secret. Calls from foreign pages are counted apart, or a page could use up
// what its visitors may ask for themselves.
func (a *Agent) limitToken(next httperr.Handler) httperr.Handler {
	ours, foreign := a.door.Limit(a.limits.token, next), a.door.Limit(a.limits.foreign, next)
	return func(w http.ResponseWriter, r *http.Request) error {
		if a.pkce.Foreign(r) {
			return foreign(w, r)
		}
		return ours(w, r)
	}
}
