package main

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"
)

// target is something that answers a request, and the processes whose CPU time
// counts.
type target struct {
	name    string
	addr    string
	request []byte
	pids    func() []int
}

// result is one round.
type result struct {
	rate     float64 // requests a second
	p50, p99 float64 // milliseconds
	cpu      float64 // seconds for 10,000 requests
	failed   int
}

// run loads the target for a while over keep-alive connections.
func (t *target) run(ctx context.Context, connections int, duration time.Duration) result {
	ctx, cancel := context.WithTimeout(ctx, duration)
	defer cancel()
	conns := make([]*client, connections)
	for i := range conns {
		conns[i] = t.dial()
	}
	before, begin := cpuTime(t.pids()), time.Now()
	var wg sync.WaitGroup
	for _, c := range conns {
		wg.Go(func() {
			for ctx.Err() == nil {
				c.ask(t.request)
			}
		})
	}
	wg.Wait()
	elapsed := time.Since(begin)
	used := cpuTime(t.pids()) - before
	var all []float64
	r := result{}
	for _, c := range conns {
		all = append(all, c.latencies...)
		r.failed += c.failed
		c.close()
	}
	slices.Sort(all)
	n := len(all)
	if n == 0 {
		return r
	}
	r.rate = float64(n) / elapsed.Seconds()
	r.p50, r.p99 = all[n/2], all[n*99/100]
	r.cpu = used.Seconds() / float64(n) * 10_000
	return r
}

// client is one connection. It does as little as it can, since it shares the
// machine with what it measures.
type client struct {
	addr      string
	conn      net.Conn
	in        *bufio.Reader
	latencies []float64
	failed    int
}

func (t *target) dial() *client {
	c := &client{addr: t.addr}
	c.connect()
	return c
}

func (c *client) connect() {
	conn, err := net.Dial("tcp", c.addr)
	if err != nil {
		return
	}
	c.conn, c.in = conn, bufio.NewReader(conn)
}

func (c *client) close() {
	if c.conn != nil {
		_ = c.conn.Close()
	}
}

func (c *client) ask(request []byte) {
	begin := time.Now()
	if err := c.exchange(request); err != nil {
		c.failed++
		c.close()
		c.connect()
		return
	}
	c.latencies = append(c.latencies, float64(time.Since(begin).Microseconds())/1000)
}

func (c *client) exchange(request []byte) error {
	if c.conn == nil {
		return net.ErrClosed
	}
	if _, err := c.conn.Write(request); err != nil {
		return err
	}
	resp, err := http.ReadResponse(c.in, nil)
	if err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return http.ErrNotSupported
	}
	return nil
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}

func bounds(values []float64) (lo, hi float64) { return slices.Min(values), slices.Max(values) }
