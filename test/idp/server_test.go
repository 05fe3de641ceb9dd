package idp_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"oauth-agent/test/idp"
)

func TestStartRefusesOtherThanLoopback(t *testing.T) {
	for _, addr := range []string{
		":0", "0.0.0.0:0", "[::]:0", "192.0.2.1:0", "example.com:0", "localhost.example.com:0",
		"127.0.0.1", "", "169.254.169.254:0", "[::ffff:0.0.0.0]:0", "127.1:0",
	} {
		srv, err := idp.Start(t.Context(), addr, idp.Config{})
		if err == nil {
			_ = srv.Close()
			t.Errorf("%q was accepted", addr)
		}
	}
	for _, addr := range []string{"127.0.0.1:0", "localhost:0", "127.0.0.9:0"} {
		srv, err := idp.Start(t.Context(), addr, idp.Config{})
		if err != nil {
			t.Errorf("%q: %v", addr, err)
			continue
		}
		_ = srv.Close()
	}
}

func TestServerEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	srv, err := idp.Start(ctx, "127.0.0.1:0", idp.Config{})
	if err != nil {
		t.Fatal(err)
	}
	url := srv.Issuer + "/jwks"
	arrived := make(chan struct{})
	srv.SetFault(idp.JWKS, idp.Fault{Hang: true, Before: func(*http.Request) { close(arrived) }})
	failed := make(chan error, 1)
	go func() {
		resp, err := http.Get(url)
		if err == nil {
			_ = resp.Body.Close()
		}
		failed <- err
	}()
	<-arrived
	cancel()
	if err := <-failed; err == nil {
		t.Error("a hanging request outlived the server")
	}
}

func TestNewNamesEveryMistake(t *testing.T) {
	_, err := idp.New(idp.Config{
		Issuer:      "ftp://example.com/",
		SigningAlg:  "none",
		AuthMethods: []string{"private_key_jwt"},
		Clients:     []idp.Client{{ID: "a", RedirectURIs: []string{"/relative"}}, {ID: "a"}},
		Users:       []idp.User{{Username: "u", Sub: "s"}, {Username: "u", Sub: "s"}},
	})
	if err == nil {
		t.Fatal("accepted")
	}
	for _, part := range []string{"ftp://", "none", "private_key_jwt", "client \"a\"", "/relative", "user \"u\"", "sub \"s\""} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q is not named in:\n%v", part, err)
		}
	}
}

func TestNewRefusesBadIssuers(t *testing.T) {
	for _, issuer := range []string{"", "http://", "http://h/", "http://h?x", "http://h#x", "h", "http://h:x"} {
		if _, err := idp.New(idp.Config{Issuer: issuer}); err == nil {
			t.Errorf("issuer %q was accepted", issuer)
		}
	}
}

func TestMethodsAndPaths(t *testing.T) {
	p := start(t)
	for _, tc := range []struct {
		method, path string
		status       int
	}{
		{"GET", "/token", 405}, {"PUT", "/authorize", 405}, {"DELETE", "/jwks", 405}, {"GET", "/revoke", 405},
		{"GET", "/", 404}, {"GET", "/nowhere", 404}, {"GET", "/style.css", 200},
	} {
		if a := p.send(p.request(t.Context(), tc.method, p.Issuer+tc.path, nil)); a.StatusCode != tc.status {
			t.Errorf("%s %s: %d, want %d", tc.method, tc.path, a.StatusCode, tc.status)
		}
	}
}
