package authserver

import (
	"context"
	"errors"
	"net/http"
	"net/url"
)

// Probe is what a look at the parts of a server has found that every login needs.
type Probe struct {
	Token Part
	Keys  Part // the zero value without OpenID Connect
	// SkippedKeys says which keys cannot be used, and why.
	SkippedKeys []string
}

// Part is one of them.
type Part struct {
	URL string // without its query
	Err error  // why it cannot be used: an [ErrUnavailable]
}

// Err joins the errors of the parts.
func (p Probe) Err() error { return errors.Join(p.Token.Err, p.Keys.Err) }

// Probe asks at the token endpoint, and fetches the keys of ID tokens. Nothing is
// kept, and no secret is sent.
func (c *Client) Probe(ctx context.Context) Probe {
	meta, err := c.discovery.get(ctx)
	if err != nil {
		return Probe{Token: Part{c.cfg.Issuer, err}}
	}
	probe := Probe{Token: Part{withoutQuery(meta.token), c.http.Reachable(ctx, meta.token)}}
	if c.cfg.wantsOpenID() {
		keys, skipped, err := c.fetchKeys(ctx, meta.jwks)
		if err == nil && len(keys) == 0 {
			err = unavailable("key set: it has no key that could verify an ID token")
		}
		probe.Keys, probe.SkippedKeys = Part{withoutQuery(meta.jwks), err}, skipped
	}
	return probe
}

// Reachable tells whether a server answers at endpoint. What it says does not
// matter, since it is asked without what the endpoint is for; but a gateway that
// answers for an absent server is not it.
func (h *HTTP) Reachable(ctx context.Context, endpoint string) error {
	ctx, cancel := context.WithTimeout(ctx, h.Timeout())
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, endpoint, nil)
	if err != nil {
		return unavailable("request: %w", err)
	}
	req.Header.Set("User-Agent", "oauth-agent")
	done := h.At(EndpointProbe).observe(req)
	resp, err := h.client.Do(req)
	if err != nil {
		done(0, OutcomeUnavailable)
		return unavailable("GET %s: %w", location(req.URL), tellable(err))
	}
	_ = resp.Body.Close()
	switch resp.StatusCode {
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		done(resp.StatusCode, OutcomeUnavailable)
		return unavailable("GET %s: status %d", location(req.URL), resp.StatusCode)
	}
	done(resp.StatusCode, OutcomeOK)
	return nil
}

func withoutQuery(endpoint string) string {
	u, err := url.Parse(endpoint)
	if err != nil {
		return ""
	}
	return location(u)
}
