// The proxy command measures what the OAuth Proxy costs: beside a bare
// httputil.ReverseProxy and a plain nginx, alternating in one run, with 1 KB of
// JSON in the answer and an access token of 1 KB. It also measures forward auth
// behind nginx, and memory.
//
//	go run ./test/bench/proxy
//	go run ./test/bench/proxy -rounds 3 -time 500ms
//	go run ./test/bench/proxy -before /tmp/oauth-agent   # beside another build
//
// CPU time is that of the measured processes alone, as the kernel counts it, and
// hardly depends on what else the machine does. Requests a second and latencies
// do: they are for comparison within the run.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"time"
)

func main() {
	role := flag.String("role", "", "what to be, for the processes that this one starts")
	target := flag.String("target", "", "the URL behind, for the role bare")
	rounds := flag.Int("rounds", 7, "how often each is measured")
	before := flag.String("before", "", "another build of the program, to compare with")
	duration := flag.Duration("time", time.Second, "how long each time")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, *role, *target, *before, *rounds, *duration)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, role, target, before string, rounds int, duration time.Duration) error {
	switch role {
	case "upstream":
		return serve(ctx, upstream(), false)
	case "bare", "limited":
		return serve(ctx, bare(target, role == "limited"), role == "limited")
	case "yes", "collector":
		return serve(ctx, yes(), false)
	case "":
	default:
		return fmt.Errorf("unknown role %q", role)
	}
	w, err := newWorld(ctx, before)
	if err != nil {
		return err
	}
	defer w.close()
	for _, kind := range w.comparisons() {
		fmt.Printf("\n%s\n", kind.title)
		for _, connections := range []int{1, 16, 64} {
			kind.measure(ctx, connections, rounds, duration)
		}
	}
	return w.memory(ctx)
}

// comparison is several things to measure, beside the first of them.
type comparison struct {
	title   string
	targets []*target
}

func (c comparison) measure(ctx context.Context, connections, rounds int, duration time.Duration) {
	results := make([][]result, len(c.targets))
	for round := range rounds {
		for i := range c.targets {
			i = (i + round) % len(c.targets) // none is always the first
			results[i] = append(results[i], c.targets[i].run(ctx, connections, duration))
		}
	}
	fmt.Printf("\n%d connections, %d rounds of %v; ratios to %s, min / median / max\n", connections, rounds, duration, c.targets[0].name)
	fmt.Printf("  %-24s %9s %9s %9s %12s   %-22s\n", "", "req/s", "p50", "p99", "CPU s/10,000", "CPU ratio")
	for i, t := range c.targets {
		var rate, p50, p99, cpu, ratio []float64
		for round, r := range results[i] {
			rate, p50, p99, cpu = append(rate, r.rate), append(p50, r.p50), append(p99, r.p99), append(cpu, r.cpu)
			ratio = append(ratio, r.cpu/results[0][round].cpu)
		}
		fmt.Printf("  %-24s %9.0f %7.2fms %7.2fms %12.3f   %s\n", t.name, median(rate), median(p50), median(p99), median(cpu), spread(ratio))
	}
	for i, t := range c.targets {
		if n := failures(results[i]); n > 0 {
			fmt.Printf("  %s: %d requests FAILED\n", t.name, n)
		}
	}
}

func failures(results []result) (n int) {
	for _, r := range results {
		n += r.failed
	}
	return n
}

func spread(values []float64) string {
	lo, hi := bounds(values)
	return strings.TrimSpace(fmt.Sprintf("%.2f / %.2f / %.2f", lo, median(values), hi))
}
