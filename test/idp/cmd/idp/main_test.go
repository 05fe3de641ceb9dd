package main

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
)

func TestRun(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	out, stdout := io.Pipe()
	done := make(chan error, 1)
	args := []string{"-addr", "127.0.0.1:0", "-path", "/o", "-alg", "ES256"}
	go func() { done <- run(ctx, args, stdout, io.Discard) }()
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	issuer := strings.TrimPrefix(strings.TrimSpace(line), "issuer ")
	resp, err := http.Get(issuer + "/.well-known/openid-configuration")
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusOK || !strings.HasSuffix(issuer, "/o") {
		t.Errorf("%s: %d", issuer, resp.StatusCode)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestRunRefuses(t *testing.T) {
	for _, args := range [][]string{{"-addr", "0.0.0.0:0"}, {"-unknown"}, {"-alg", "HS256"}, {"-redirect-uri", "/x"}} {
		if err := run(t.Context(), append([]string{"-addr", "127.0.0.1:0"}, args...), io.Discard, io.Discard); err == nil {
			t.Errorf("%q was accepted", args)
		}
	}
}
