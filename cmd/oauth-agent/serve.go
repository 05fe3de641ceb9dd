package main

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"runtime"
	"sync/atomic"
	"syscall"
	"time"

	"oauth-agent/agent"
	"oauth-agent/agent/config"
)

// process is the program while it serves.
type process struct {
	stderr  io.Writer
	metrics *agent.Metrics
	live    *agent.Live

	// What a reload changes.
	settings    atomic.Pointer[config.Config]
	log         atomic.Pointer[slog.Logger]
	certificate certificate

	conns   connBudget
	ports   []*port // public, and that of gateways
	admin   *port   // nil where it is off
	closing atomic.Bool
	warned  atomic.Int64 // when it warned of an address with too many connections
	failed  chan error
}

// ballast is how many bytes of the heap nobody uses. The collector runs when the heap
// has doubled, which a few megabytes have done after some hundred requests: it took a
// fifth of the CPU. Memory that is never written to costs no memory.
const ballast = 16 << 20

// serve runs until it is told to stop, and then as long as running requests take.
func serve(from source, stderr io.Writer) error {
	unused := make([]byte, ballast)
	defer runtime.KeepAlive(unused)
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer signal.Stop(signals)

	p := &process{stderr: stderr, metrics: agent.NewMetrics(), failed: make(chan error, 1)}
	defer p.close()
	seen, _ := from.look()
	cfg, err := from.load()
	if err != nil {
		return err
	}
	if err := p.start(cfg); err != nil {
		return err
	}
	watching, stopWatching := context.WithCancel(context.Background())
	defer stopWatching()
	again := make(chan struct{}, 1)
	go (&reloader{process: p, source: from, tried: seen, last: seen}).run(watching, again)
	running, ended := context.WithCancel(context.Background())
	defer ended()
	go p.keepWatchdog(running)

	for {
		select {
		case err := <-p.failed:
			return err
		case s := <-signals:
			if s != syscall.SIGHUP {
				stopWatching()
				return p.stop(signals)
			}
			select {
			case again <- struct{}{}:
			default: // one is about to be done anyway
			}
		}
	}
}

// start builds the agent, and listens with it at all its ports.
func (p *process) start(cfg *config.Config) error {
	p.settings.Store(cfg)
	p.log.Store(agent.NewLogger(p.stderr, cfg.Log))
	for _, warning := range cfg.Warnings() {
		p.log.Load().Warn(warning)
	}
	pair, err := cfg.TLS.Pair()
	if err != nil {
		return err
	}
	p.conns = newConnBudget(cfg.Limits.Connections, cfg.ForwardAuth.Addr != "")
	opt := agent.Options{
		Log: p.log.Load(), Metrics: p.metrics,
		Requests: p.conns.public, GatewayRequests: p.conns.gateways, Upstreams: p.conns.upstreams,
	}
	if p.live, err = agent.NewLive(context.Background(), cfg, opt); err != nil {
		return err
	}
	if pair != nil {
		p.certificate.show(pair)
		p.metrics.Certificate(pair)
	}
	if err := p.listen(cfg); err != nil {
		return err
	}
	for _, port := range p.ports {
		port.server.HTTP2.WriteByteTimeout = max(frameTimeout, cfg.Timeouts.Write)
		port.serve(p.failed)
	}
	if p.admin != nil {
		p.admin.serve(p.failed)
	}
	p.tellListening(cfg)
	return nil
}

// listen opens all ports before anything is answered at one of them.
func (p *process) listen(cfg *config.Config) error {
	passed, err := inherited()
	defer passed.close() // those that are not taken
	if err != nil {
		return err
	}
	public, err := passed.listen(publicSocket, publicAddress(cfg), "port (PORT) and bind_address (BIND_ADDRESS)")
	if err != nil {
		return err
	}
	h := p.live.ForwardAuth()
	limiter := p.publicLimiter()
	public = limiter.limit(public)
	if cfg.TLS.CertFile != "" {
		for i := range public {
			public[i] = p.certificate.listener(public[i])
		}
	}
	p.ports = append(p.ports, newPort(p.lastAnswers(limiter, p.live.Handler()), public, limiter, p.debugging()))
	if h != nil {
		gateways, err := passed.listen(gatewaysSocket, cfg.ForwardAuth.Addr, "forward_auth.addr (FORWARD_AUTH_ADDR)")
		if err != nil {
			return err
		}
		limiter := newConnLimiter(p.conns.gateways)
		p.ports = append(p.ports, newPort(p.lastAnswers(limiter, h), limiter.limit(gateways), limiter, p.debugging()))
	}
	if err := p.listenForOperators(cfg, passed); err != nil {
		return err
	}
	return passed.unused()
}

// publicLimiter bounds the connections of the public port, of each address too. The port
// for gateways has no such limit: there, one address brings everybody.
func (p *process) publicLimiter() *connLimiter {
	limiter := newConnLimiter(p.conns.public)
	limiter.clientOf = p.live.Peer
	limiter.perAddress = func() int { return p.settings.Load().Limits.OfAddress(p.conns.public) }
	limiter.refused = p.warnOfAddress
	return limiter
}

// warnOfAddress warns, once a minute at most, that connections are closed because their
// address has too many.
func (p *process) warnOfAddress() {
	now := time.Now().UnixNano()
	if last := p.warned.Load(); now-last > int64(time.Minute) && p.warned.CompareAndSwap(last, now) {
		p.log.Load().Warn("connections are closed: their address has as many as limits.per_address (LIMIT_PER_ADDRESS) allows; if it is a gateway's, name it in trusted_proxies")
	}
}

// listenForOperators opens the operator's port. If the settings do not say where,
// a second instance on the machine finds the default one taken, and does without.
func (p *process) listenForOperators(cfg *config.Config, passed sockets) error {
	if !cfg.HasAdmin() {
		return nil
	}
	address, set := cfg.AdminListener()
	listeners, err := passed.listen(adminSocket, address, "admin_addr (ADMIN_ADDR)")
	switch {
	case err != nil && set:
		return err
	case err != nil:
		p.log.Load().Warn("there are no endpoints for operators, since the default address is taken: set admin_addr (ADMIN_ADDR) to another address, or to off", "address", address, "error", err)
		return nil
	}
	p.admin = newPort(p.live.Admin(), listeners, nil, p.debugging())
	p.admin.server.ReadTimeout, p.admin.server.WriteTimeout = adminTimeout, adminTimeout
	return nil
}

func (p *process) debugging() io.Writer { return debugging{p.log.Load} }

func (p *process) tellListening(cfg *config.Config) {
	log := p.log.Load()
	if p.admin != nil {
		log.Info("listening for operators", "address", p.admin.address())
	}
	if len(p.ports) > 1 {
		log.Info("listening for gateways", "address", p.ports[1].address())
	}
	log.Info("listening", "address", p.ports[0].address(), "tls", cfg.TLS.CertFile != "", "base_path", cfg.BasePath)
	p.tellManager(ready("serving at " + p.ports[0].address()))
}

// lastAnswers asks clients to connect anew when the end is near, and so elsewhere,
// or when others wait for their places: a connection that is closed by both sides
// in turn loses no request.
//
// It is for HTTP/1 alone. In HTTP/2 it would end the other requests of a connection
// that are just being sent (RFC 9113 6.8): those end with the last of them.
func (p *process) lastAnswers(limiter *connLimiter, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor == 1 && r.Header["Upgrade"] == nil && (p.closing.Load() || limiter.crowded()) {
			w.Header().Set("Connection", "close")
		}
		next.ServeHTTP(w, r)
	})
}

// close ends what start has begun, the operator's port last.
func (p *process) close() {
	for _, port := range p.ports {
		port.close()
	}
	if p.live != nil {
		_ = p.live.Close()
	}
	if p.admin != nil {
		p.admin.close()
	}
}
