package authserver

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"oauth-agent/agent/internal/authserver/authservertest"
	"oauth-agent/agent/internal/secret"
)

// hang answers nothing until the client goes away.
func hang(_ http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body) // or the server would not see it go
	<-r.Context().Done()
}

// drip begins an answer that never ends.
func drip(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	for r.Context().Err() == nil {
		_, _ = w.Write([]byte(" "))
		_ = http.NewResponseController(w).Flush()
		select {
		case <-r.Context().Done():
		case <-time.After(5 * time.Millisecond):
		}
	}
}

func flood(w http.ResponseWriter, _ *http.Request) {
	chunk := bytes.Repeat([]byte(" "), 1<<20)
	for range 50 {
		if _, err := w.Write(chunk); err != nil {
			return
		}
	}
}

func bomb(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Encoding", "gzip")
	zw := gzip.NewWriter(w)
	_, _ = zw.Write(bytes.Repeat([]byte(" "), 50<<20))
	_ = zw.Close()
}

func reset(w http.ResponseWriter, _ *http.Request) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err == nil {
		_ = conn.(*net.TCPConn).SetLinger(0)
		_ = conn.Close()
	}
}

// gibberish is no HTTP, and has a token in it.
func gibberish(w http.ResponseWriter, _ *http.Request) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err == nil {
		_, _ = io.WriteString(conn, "HTTP/1.1 c4nary c4nary\r\nc4nary\r\n\r\n")
		_ = conn.Close()
	}
}

// faults are the ways in which a server fails below HTTP and JSON.
func faults() map[string]http.HandlerFunc {
	return map[string]http.HandlerFunc{
		"hang": hang, "drip": drip, "50 MB": flood, "gzip bomb": bomb, "reset": reset, "gibberish": gibberish,
		"500": func(w http.ResponseWriter, _ *http.Request) { authservertest.Reply(w, 500, m{"error": "c4nary"}) },
		"503": func(w http.ResponseWriter, _ *http.Request) { authservertest.Reply(w, 503, "") },
		"302": func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/c4nary", http.StatusFound) },
		"307": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/c4nary", http.StatusTemporaryRedirect)
		},
		"304":    func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotModified) },
		"HTML":   func(w http.ResponseWriter, _ *http.Request) { authservertest.Reply(w, 200, "<html>c4nary</html>") },
		"empty":  func(w http.ResponseWriter, _ *http.Request) { authservertest.Reply(w, 200, "") },
		"array":  func(w http.ResponseWriter, _ *http.Request) { authservertest.Reply(w, 200, []string{"c4nary"}) },
		"null":   func(w http.ResponseWriter, _ *http.Request) { authservertest.Reply(w, 200, "null") },
		"deep":   func(w http.ResponseWriter, _ *http.Request) { authservertest.Reply(w, 200, strings.Repeat("[", 1<<19)) },
		"latin1": func(w http.ResponseWriter, _ *http.Request) { authservertest.Reply(w, 200, "{\"sub\":\"\xe4\"}") },
		"two":    func(w http.ResponseWriter, _ *http.Request) { authservertest.Reply(w, 200, `{"a":1}{"a":1}`) },
		"twice": func(w http.ResponseWriter, _ *http.Request) {
			authservertest.Reply(w, 200, `{"sub":"alice","sub":"alice"}`)
		},
		"429": func(w http.ResponseWriter, _ *http.Request) {
			authservertest.Reply(w, 429, m{"error": "invalid_grant"})
		},
		"408": func(w http.ResponseWriter, _ *http.Request) {
			authservertest.Reply(w, 408, m{"error": "invalid_grant"})
		},
		"no body": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) },
	}
}

// TestFaultsAreTheServers runs every fault at every endpoint: each is
// ErrUnavailable, none is followed, none is quoted.
func TestFaultsAreTheServers(t *testing.T) {
	calls := map[string]func(*Client, Tokens) error{
		"/.well-known/openid-configuration": func(c *Client, _ Tokens) error { return c.Ready(t.Context()) },
		"/token": func(c *Client, s Tokens) error {
			_, err := c.ExchangeRefreshToken(t.Context(), s.Refresh, s.ID)
			_, err2 := c.RedeemCode(t.Context(), goodGrant())
			if !errors.Is(err2, ErrUnavailable) && !errors.Is(err2, ErrCodeRefused) { // 408 and 429
				t.Errorf("Exchange: %v", err2)
			}
			return err
		},
		"/userinfo": func(c *Client, s Tokens) error {
			_, err := c.Userinfo(t.Context(), s.Access, "alice")
			return err
		},
		"/keys": func(c *Client, _ Tokens) error {
			_, err := c.RedeemCode(t.Context(), goodGrant())
			return err
		},
	}
	for path, call := range calls {
		for name, fault := range faults() {
			t.Run(path+"/"+name, func(t *testing.T) {
				t.Parallel()
				as := newAS(t)
				session := as.enter(as.client())
				as.Handle(path, fault)
				cfg := as.config()
				c := New(cfg, Options{HTTP: NewHTTP(nil, time.Second), Clock: as.Clock.Now})
				if name != "hang" && name != "drip" { // the others are slow at most under load
					c = as.client()
				}
				err := call(c, session)
				if !errors.Is(err, ErrUnavailable) {
					t.Fatalf("error is %v, want ErrUnavailable", err)
				}
				if strings.Contains(err.Error(), "c4nary") {
					t.Errorf("error quotes the server: %v", err)
				}
				if n := as.Count("/c4nary"); n != 0 {
					t.Errorf("a redirect was followed %d times", n)
				}
				as.Handle(path, nil)
				as.Clock.Add(2 * time.Second)
				as.enter(c) // once the server is back
			})
		}
	}
}

func TestBodyIsBounded(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, _ := strconv.Atoi(r.URL.Query().Get("n"))
		_, _ = w.Write(bytes.Repeat([]byte("x"), n))
	}))
	defer srv.Close()
	for n, ok := range map[int]bool{MaxBody: true, MaxBody + 1: false} {
		answer, err := NewHTTP(nil, 5*time.Second).Get(t.Context(), fmt.Sprint(srv.URL, "?n=", n), secret.String{})
		if (err == nil) != ok || (ok && len(answer.Body) != n) {
			t.Errorf("%d bytes: %v", n, err)
		}
	}
}

func TestUnreachable(t *testing.T) {
	as := newAS(t)
	c := as.client()
	session := as.enter(c)
	as.Close()
	if _, err := c.ExchangeRefreshToken(t.Context(), session.Refresh, session.ID); !errors.Is(err, ErrUnavailable) {
		t.Errorf("Refresh: %v", err)
	}
	if _, err := c.Userinfo(t.Context(), session.Access, ""); !errors.Is(err, ErrUnavailable) {
		t.Errorf("Userinfo: %v", err)
	}
}

func TestTellableKeepsOperatorsInformed(t *testing.T) {
	h := NewHTTP(nil, time.Second)
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	encrypted := httptest.NewTLSServer(http.NotFoundHandler())
	defer encrypted.Close()
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()

	for _, tt := range []struct {
		name, url, want string
		ctx             context.Context
	}{
		{"refused", closed.URL, "refused", t.Context()},
		{"TLS to plain", "https" + strings.TrimPrefix(plain.URL, "http"), "HTTP response to HTTPS client", t.Context()},
		{"unknown CA", encrypted.URL, "certificate", t.Context()},
		{"cancelled", plain.URL, "canceled", cancelled},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := h.Get(tt.ctx, tt.url+"/x?code=c4nary", secret.String{})
			if !errors.Is(err, ErrUnavailable) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error is %v, want %q in it", err, tt.want)
			}
			if strings.Contains(err.Error(), "c4nary") {
				t.Errorf("the query is told: %v", err)
			}
		})
	}
}

// What fails in the same way is told in the same words, by which it is told once:
// without the port that was ours this time, and without the time of day.
func TestTellableIsTheSameEachTime(t *testing.T) {
	resets, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resets.Close() }()
	go func() {
		for {
			conn, err := resets.Accept()
			if err != nil {
				return
			}
			_, _ = conn.Read(make([]byte, 1))
			_ = conn.(*net.TCPConn).SetLinger(0)
			_ = conn.Close()
		}
	}()
	where := resets.Addr().String()
	for range 5 {
		_, err := NewHTTP(nil, 5*time.Second).Get(t.Context(), "http://"+where, secret.String{})
		if text := fmt.Sprint(err); !strings.Contains(text, "reset") || strings.Count(text, "127.0.0.1:") != strings.Count(text, where) {
			t.Errorf("a server that resets: %v", err)
		}
	}

	from, until := time.Unix(1_600_000_000, 0).UTC(), time.Unix(1_700_000_000, 0).UTC()
	expired := func(now time.Time) error {
		cert := &x509.Certificate{Raw: []byte{0}, NotBefore: from, NotAfter: until}
		_, err := cert.Verify(x509.VerifyOptions{CurrentTime: now})
		return &url.Error{Op: "Get", URL: "https://as.example.com", Err: &tls.CertificateVerificationError{Err: err}}
	}
	lookup := func(port int) error {
		return &net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{
			Err:  fmt.Sprintf("read udp 10.0.0.1:%d->10.0.0.53:53: i/o timeout", port),
			Name: "as.example.com", Server: "10.0.0.53:53", IsTimeout: true,
		}}
	}
	for _, tt := range []struct {
		name, want string
		errs       []error
	}{
		{"a name server that does not answer", "dial tcp: lookup as.example.com on 10.0.0.53:53: read udp 10.0.0.53:53: i/o timeout", []error{lookup(40001), lookup(40002)}},
		{"a certificate that has run out", "tls: failed to verify certificate: x509: certificate has expired or is not yet valid: it is for 2020-09-13T12:26:40Z to 2023-11-14T22:13:20Z", []error{expired(until.Add(time.Hour)), expired(until.Add(2 * time.Hour)), expired(from.Add(-time.Hour))}},
	} {
		for _, err := range tt.errs {
			if got := tellable(err).Error(); got != tt.want {
				t.Errorf("%s: %s", tt.name, got)
			}
		}
	}
}

func TestPostFormAuthenticates(t *testing.T) {
	var form url.Values
	var user, password string
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		form = r.PostForm
		user, password, _ = r.BasicAuth()
	}))
	defer srv.Close()
	cred := Credentials{"a b:c", secret.New("p%s&s+")}
	in := url.Values{"x": {"1&2+3"}}

	for _, tt := range []struct {
		method                         AuthMethod
		user, password, formID, formPW string
	}{
		{AuthBasic, "a+b%3Ac", "p%25s%26s%2B", "", ""},
		{AuthPost, "", "", "a b:c", "p%s&s+"},
	} {
		if _, err := NewHTTP(nil, time.Second).PostForm(t.Context(), srv.URL, in, cred, tt.method); err != nil {
			t.Fatal(err)
		}
		if user != tt.user || password != tt.password {
			t.Errorf("%s: Basic %q %q", tt.method, user, password)
		}
		if form.Get("client_id") != tt.formID || form.Get("client_secret") != tt.formPW || form.Get("x") != "1&2+3" {
			t.Errorf("%s: form %v", tt.method, form)
		}
		if len(in) != 1 {
			t.Errorf("%s: the caller's form was changed", tt.method)
		}
	}
}
