package main

import (
	"context"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"runtime"
	"strconv"
	"sync/atomic"
	"syscall"

	"oauth-agent/agent"
	"oauth-agent/agent/config"
	"oauth-agent/agent/httpserver"
)

// process is the program while it serves.
type process struct {
	stderr  io.Writer
	metrics *agent.Metrics
	server  *agent.Server

	// What a reload changes.
	settings    atomic.Pointer[config.Config]
	log         atomic.Pointer[slog.Logger]
	certificate httpserver.Certificate

	conns   httpserver.ConnBudget
	servers *httpserver.Servers
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
	p.conns = httpserver.NewConnBudget(cfg.Limits.Connections, cfg.ForwardAuth.Addr != "")
	opt := agent.Options{
		Log: p.log.Load(), Metrics: p.metrics,
		Requests: p.conns.Public, GatewayRequests: p.conns.Gateways, Upstreams: p.conns.Upstreams,
	}
	if p.server, err = agent.New(context.Background(), cfg, opt); err != nil {
		return err
	}
	if pair != nil {
		p.certificate.Use(pair)
		p.metrics.Certificate(pair)
	}
	if err := p.listen(cfg); err != nil {
		return err
	}
	p.servers.Serve(p.failed)
	p.logListening(cfg)
	return nil
}

// listen opens all ports.
func (p *process) listen(cfg *config.Config) (err error) {
	opt := httpserver.Options{
		Public: p.server.Handler(), PublicAddr: publicAddress(cfg),
		Gateways: p.server.ForwardAuth(), GatewaysAddr: cfg.ForwardAuth.Addr,
		Conns: p.conns, ClientOf: p.server.Peer,
		PerAddress:   func() int { return p.settings.Load().Limits.OfAddress(p.conns.Public) },
		WriteTimeout: cfg.Timeouts.Write, Log: p.log.Load,
	}
	if cfg.TLS.CertFile != "" {
		opt.Certificate = &p.certificate
	}
	if cfg.HasAdmin() {
		address, set := cfg.AdminListener()
		opt.Admin, opt.AdminAddr, opt.AdminOptional = p.server.Admin(), address, !set
	}
	p.servers, err = httpserver.Listen(opt)
	return err
}

func publicAddress(cfg *config.Config) string {
	return net.JoinHostPort(cfg.BindAddress, strconv.Itoa(cfg.Port))
}

func (p *process) logListening(cfg *config.Config) {
	log := p.log.Load()
	if addr := p.servers.AdminAddr(); addr != nil {
		log.Info("listening for operators", "address", addr.String())
	}
	if addr := p.servers.GatewaysAddr(); addr != "" {
		log.Info("listening for gateways", "address", addr)
	}
	log.Info("listening", "address", p.servers.PublicAddr(), "tls", cfg.TLS.CertFile != "", "base_path", cfg.BasePath)
	p.tellManager(ready("serving at " + p.servers.PublicAddr()))
}

// close ends what start has begun, the operator's port last.
func (p *process) close() {
	if p.servers != nil {
		p.servers.Close()
	}
	if p.server != nil {
		_ = p.server.Close()
	}
	if p.servers != nil {
		p.servers.CloseAdmin()
	}
}
