package trace

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	otel "go.opentelemetry.io/otel/trace"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// What export is held to: a collector that is slow or down costs memory for one
// queue, and spans beyond it are dropped. No request ever waits.
const (
	queueSize     = 2048 // spans
	batchSize     = 512
	exportEvery   = 5 * time.Second
	exportTimeout = 10 * time.Second
	maxAnswer     = 64 << 10 // bytes
)

// New makes a tracer. Nothing is sent before the first span ends.
func New(cfg Config, opt Options) *Tracer {
	if cfg.Endpoint == "" {
		return &Tracer{}
	}
	c := newClient(cfg.Endpoint, opt)
	provider := sdk.NewTracerProvider(
		sdk.WithResource(resource.NewSchemaless(
			attribute.String("service.name", cfg.Service), attribute.String("service.version", cfg.Version))),
		sdk.WithSampler(newSampler(cfg.SampleRatio)),
		sdk.WithBatcher(otlptrace.NewUnstarted(c), sdk.WithMaxQueueSize(queueSize), sdk.WithMaxExportBatchSize(batchSize),
			sdk.WithBatchTimeout(exportEvery), sdk.WithExportTimeout(exportTimeout)),
	)
	return &Tracer{tracer: provider.Tracer("oauth-agent"), provider: provider, client: c}
}

// Close sends the spans that wait, for as long as ctx lives, and ends the export.
func (t *Tracer) Close(ctx context.Context) error {
	if t.provider == nil {
		return nil
	}
	defer t.client.http.CloseIdleConnections()
	defer t.client.cancel()
	return t.provider.Shutdown(ctx)
}

// sampler decides which traces are exported: a trusted caller, and otherwise the
// ratio. What a browser says has no say in it, not even by the trace's identifier,
// which it may have chosen.
type sampler struct {
	follow sdk.Sampler
	ratio  float64
}

// trustedKey marks a context whose remote parent decides.
type trustedKey struct{}

func newSampler(ratio float64) sampler {
	return sampler{follow: sdk.ParentBased(sdk.TraceIDRatioBased(ratio)), ratio: ratio}
}

// ShouldSample implements [sdk.Sampler].
func (s sampler) ShouldSample(p sdk.SamplingParameters) sdk.SamplingResult {
	if otel.SpanContextFromContext(p.ParentContext).IsRemote() && p.ParentContext.Value(trustedKey{}) == nil {
		if rand.Float64() < s.ratio {
			return sdk.AlwaysSample().ShouldSample(p)
		}
		return sdk.NeverSample().ShouldSample(p)
	}
	return s.follow.ShouldSample(p)
}

// Description implements [sdk.Sampler].
func (s sampler) Description() string { return fmt.Sprintf("trusted parent, or %v of all", s.ratio) }

// client sends spans to a collector: the [otlptrace.Client] of OTLP over HTTP,
// binary encoding.
type client struct {
	endpoint string
	http     *http.Client
	log      *slog.Logger
	failing  atomic.Bool // told in the log

	ctx    context.Context // until the tracer is closed
	cancel context.CancelFunc
}

func newClient(endpoint string, opt Options) *client {
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	if opt.Transport == nil {
		opt.Transport = http.DefaultTransport.(*http.Transport).Clone()
	}
	c := &client{endpoint: endpoint, log: opt.Log, http: &http.Client{
		Transport:     opt.Transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	return c
}

// Start implements [otlptrace.Client].
func (c *client) Start(context.Context) error { return nil }

// Stop implements [otlptrace.Client].
func (c *client) Stop(context.Context) error { return nil }

// UploadTraces implements [otlptrace.Client]. It never fails: what cannot be sent
// is dropped, and told in the log when that begins and ends. An error would go to
// a handler that is global.
func (c *client) UploadTraces(ctx context.Context, spans []*tracepb.ResourceSpans) error {
	err := c.send(ctx, spans)
	switch {
	case err != nil && !c.failing.Swap(true):
		c.log.WarnContext(ctx, "spans are not exported", "error", err)
	case err == nil && c.failing.Swap(false):
		c.log.InfoContext(ctx, "spans are exported again")
	}
	return nil
}

// send posts spans as one message. A TracesData is, byte for byte, the request
// that the collector expects (ExportTraceServiceRequest), whose package would
// bring gRPC along.
func (c *client) send(ctx context.Context, spans []*tracepb.ResourceSpans) error {
	body, err := proto.Marshal(&tracepb.TracesData{ResourceSpans: spans})
	if err != nil {
		return errors.New("the spans cannot be encoded")
	}
	ctx, cancel := context.WithTimeout(ctx, exportTimeout)
	defer cancel()
	defer context.AfterFunc(c.ctx, cancel)()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.endpoint, bytes.NewReader(body))
	if err != nil {
		return errors.New("tracing.endpoint is not a URL")
	}
	req.Header.Set("Content-Type", "application/x-protobuf")
	req.Header.Set("User-Agent", "oauth-agent")
	resp, err := c.http.Do(req)
	if err != nil {
		return errors.New("the collector cannot be reached, or is too slow")
	}
	_, _ = io.CopyN(io.Discard, resp.Body, maxAnswer)
	_ = resp.Body.Close()
	if resp.StatusCode/100 != 2 {
		return fmt.Errorf("the collector answered with status %d", resp.StatusCode)
	}
	return nil
}
