package authserver

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"oauth-agent/agent/internal/secret"
	"oauth-agent/agent/internal/sharedcall"
)

const (
	metadataLife = time.Hour
	// retryMissing is short, so that we are ready as soon as the server is, and
	// long enough for a crowd of callers not to become a crowd of requests.
	retryMissing = time.Second
	// retryStale is for when there is something to go on with.
	retryStale = time.Minute
)

// discovery gives the metadata: asked for on first use and, once old, again
// while the old is used. There is no goroutine that outlives a request for long.
type discovery struct {
	cfg   Config
	http  *HTTP
	now   func() time.Time
	log   *slog.Logger
	calls sharedcall.Group

	mu      sync.Mutex
	current *metadata // nil: none yet
	err     error     // of the last attempt
	next    time.Time // no attempt before
	told    string    // the last failure in the log; empty: that it works
	warned  string    // the last warnings in the log
}

func newDiscovery(cfg Config, http *HTTP, clock func() time.Time, log *slog.Logger) *discovery {
	d := &discovery{cfg: cfg, http: http, now: clock, log: log}
	if !cfg.discovers() {
		d.current = configured(cfg)
	}
	return d
}

// discovers tells whether the server is asked for its metadata: also where all
// endpoints are given, since it says more than where they are.
func (c Config) discovers() bool { return c.Issuer != "" }

// sufficient tells whether a login can be made by the explicit endpoints alone.
func (c Config) sufficient() bool {
	return c.Authorize != "" && c.Token != "" && (c.JWKS != "" || !c.wantsOpenID())
}

// Ready tells whether logins can be made: metadata is there or not needed.
// Otherwise the error, an [ErrUnavailable], says why not.
func (c *Client) Ready(ctx context.Context) error {
	_, err := c.discovery.get(ctx)
	return err
}

// Discovered tells whether the server's own metadata is there, and the error of
// the last attempt to get it. Without either, nobody has asked: no login has
// begun yet, or there is no issuer.
func (c *Client) Discovered() (bool, error) {
	d := c.discovery
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.current != nil && d.current.announced, d.err
}

// get gives the metadata, waiting for it only when there is none at all.
func (d *discovery) get(ctx context.Context) (*metadata, error) {
	d.mu.Lock()
	current, err, due := d.current, d.err, d.cfg.discovers() && !d.now().Before(d.next)
	d.mu.Unlock()

	switch {
	case current == nil && due:
		return Once(ctx, &d.calls, "", d.limit(), d.renew)
	case current == nil:
		return nil, err
	case due:
		sharedcall.Start(ctx, &d.calls, "", d.limit(), d.renew)
	}
	return current, nil
}

// limit is for two requests, of which each is bounded by itself.
func (d *discovery) limit() time.Duration { return 2*d.http.Timeout() + time.Second }

// renew asks the server and keeps what it says, or what was there before.
func (d *discovery) renew(ctx context.Context) (*metadata, error) {
	d.mu.Lock()
	if d.now().Before(d.next) { // another flight landed in between
		defer d.mu.Unlock()
		if d.current != nil { // though the attempt may have failed
			return d.current, nil
		}
		return nil, d.err
	}
	d.mu.Unlock()

	found, err := d.fetch(ctx)

	d.mu.Lock()
	defer d.mu.Unlock()
	d.err = err
	if err == nil {
		d.current, d.next = found, d.now().Add(metadataLife)
	}
	d.tell(ctx)
	if err == nil {
		return found, nil
	}
	if d.current == nil && d.cfg.sufficient() {
		d.current = configured(d.cfg)
	}
	if d.current == nil {
		d.next = d.now().Add(retryMissing)
		return nil, err
	}
	d.next = d.now().Add(retryStale)
	return d.current, nil
}

// Warnings says what of the server's metadata makes no sense, and is not needed.
func (c *Client) Warnings() []string {
	d := c.discovery
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.current == nil {
		return nil
	}
	return d.current.warnings
}

// tell logs a failure and its end, once each, and warnings when they change. The lock
// is held.
func (d *discovery) tell(ctx context.Context) {
	d.tellWarnings(ctx)
	now := ""
	if d.err != nil {
		now = d.err.Error()
	}
	if IsTrial(ctx) || now == d.told {
		return
	}
	if d.told = now; now == "" {
		d.log.LogAttrs(ctx, slog.LevelInfo, "discovery works again", slog.String("issuer", d.cfg.Issuer))
		return
	}
	d.log.LogAttrs(ctx, slog.LevelWarn, "discovery failed", slog.String("issuer", d.cfg.Issuer),
		slog.Bool("endpoints_known", d.current != nil || d.cfg.sufficient()), slog.String("error", now))
}

func (d *discovery) tellWarnings(ctx context.Context) {
	if IsTrial(ctx) || d.current == nil {
		return
	}
	now := strings.Join(d.current.warnings, "; ")
	if now != "" && now != d.warned {
		d.log.LogAttrs(ctx, slog.LevelWarn, "the authorization server's metadata makes no sense in part",
			slog.String("issuer", d.cfg.Issuer), slog.String("warnings", now))
	}
	d.warned = now
}

// LogState writes to the log how it has gone so far with the server's metadata, as far
// as that is not there already. It is for a server that was only tried before, see
// [TrialContext].
func (c *Client) LogState(ctx context.Context) {
	c.discovery.mu.Lock()
	defer c.discovery.mu.Unlock()
	c.discovery.tell(ctx)
}

// errNotThere is what becomes of metadata at a place where there is nothing.
var errNotThere = errors.New("status 404")

// fetch asks at the place of OpenID Connect Discovery 4 and, where there is nothing, at
// that of RFC 8414 3; or only where the settings say. Its error is of the last place,
// and tells of those before, since the first one is often the one that was meant.
func (d *discovery) fetch(ctx context.Context) (*metadata, error) {
	places, err := d.cfg.places()
	if err != nil {
		return nil, err
	}
	var faults []error
	for _, place := range places {
		m, err := d.fetchAt(ctx, place)
		if errors.Is(err, errRedirect) && d.cfg.MetadataURL == "" {
			// Servers on Django have the document one slash further, and send
			// clients there. It is asked for at its place, not at theirs.
			faults = append(faults, err)
			m, err = d.fetchAt(ctx, place+"/")
		}
		if err == nil {
			return m, nil
		}
		if faults = append(faults, err); !errors.Is(err, errNotThere) {
			break
		}
	}
	return nil, withEarlier(faults)
}

// withEarlier returns the last of the faults, with the text of those before it.
func withEarlier(faults []error) error {
	last := len(faults) - 1
	if last == 0 {
		return faults[0]
	}
	var earlier []string
	for _, err := range faults[:last] {
		earlier = append(earlier, strings.TrimPrefix(err.Error(), ErrUnavailable.Error()+": "))
	}
	return fmt.Errorf("%w (tried before: %s)", faults[last], strings.Join(earlier, "; "))
}

// fetchAt asks at one place.
func (d *discovery) fetchAt(ctx context.Context, place string) (*metadata, error) {
	answer, err := d.http.At(EndpointDiscovery).Get(ctx, place, secret.String{})
	where := withoutQuery(place)
	switch {
	case err != nil:
		return nil, err
	case answer.Status == http.StatusNotFound:
		return nil, unavailable("discovery at %s: %w", where, errNotThere)
	case answer.Status != http.StatusOK:
		return nil, unavailable("discovery at %s: status %d", where, answer.Status)
	}
	m, err := parseMetadata(answer.Body, d.cfg)
	if err != nil {
		return nil, unavailable("discovery document at %s: %w", where, err)
	}
	return m, nil
}

// places lists where the metadata may be. Where the issuer has a place for the tenant,
// Entra ID has one document for all tenants, at "common".
func (c Config) places() ([]string, error) {
	if c.MetadataURL != "" {
		return []string{c.MetadataURL}, nil
	}
	return wellKnown(c.issuerOf("common"))
}

// wellKnown lists where an issuer's metadata may be. Discovery appends to the
// issuer, RFC 8414 inserts before its path.
func wellKnown(issuer string) ([]string, error) {
	u, err := url.Parse(issuer)
	if err != nil || u.Host == "" || u.RawQuery != "" || u.Fragment != "" {
		return nil, unavailable("the issuer is no absolute URL without query and fragment")
	}
	return []string{
		strings.TrimSuffix(issuer, "/") + "/.well-known/openid-configuration",
		u.Scheme + "://" + u.Host + "/.well-known/oauth-authorization-server" + strings.TrimSuffix(u.EscapedPath(), "/"),
	}, nil
}
