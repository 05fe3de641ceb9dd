package main

import (
	"bufio"
	"crypto/tls"
	"io"
	"net/http"
	"net/url"
	"os"
	"sync"
	"sync/atomic"
	"testing"
)

// Certificates are swapped while requests run: none fails, what is open goes on,
// and whoever connects anew sees the new one, also to resume a session.
func TestCertificatesAreSwapped(t *testing.T) {
	certFile, keyFile, roots := makeCertificate(t)
	p := install(t, nobody, map[string]string{"tls": "{cert_file: " + certFile + ", key_file: " + keyFile + "}"})
	renew := func() {
		t.Helper()
		newCert, newKey, _ := makeCertificate(t)
		text, err := os.ReadFile(newCert)
		if err != nil || os.Rename(newCert, certFile) != nil || os.Rename(newKey, keyFile) != nil {
			t.Fatal(err)
		}
		roots.AppendCertsFromPEM(text)
		p.mustReload()
	}
	u, _ := url.Parse(p.url)
	sessions := tls.NewLRUClientSessionCache(8)
	connect := func() *tls.Conn {
		conn, err := tls.Dial("tcp", u.Host, &tls.Config{RootCAs: roots, ClientSessionCache: sessions})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		return conn
	}
	open := connect()
	get(t, open)
	first := open.ConnectionState().PeerCertificates[0]
	if resumed := connect(); !resumed.ConnectionState().DidResume {
		t.Error("sessions are not resumed, so that this tests nothing")
	}

	renew()
	get(t, open)
	after := connect()
	if state := after.ConnectionState(); state.DidResume || state.PeerCertificates[0].Equal(first) {
		t.Errorf("a new connection sees the old certificate, resumed: %v", state.DidResume)
	}
	get(t, after)

	p.mustReload() // with the same certificate
	if again := connect(); !again.ConnectionState().DidResume {
		t.Error("a reload without another certificate ends sessions")
	}
	if got, want := p.metric("oauth_agent_tls_certificate_not_after_timestamp_seconds"), after.ConnectionState().PeerCertificates[0].NotAfter.Unix(); got != float64(want) {
		t.Errorf("metric %v, want %v", got, want)
	}

	var done atomic.Bool
	var clients sync.WaitGroup
	for i := range 8 {
		client := &http.Client{Transport: &http.Transport{
			TLSClientConfig:   &tls.Config{InsecureSkipVerify: true}, // roots change
			DisableKeepAlives: i%2 == 0, ForceAttemptHTTP2: i%4 == 1,
		}}
		clients.Go(func() {
			defer client.CloseIdleConnections()
			for !done.Load() {
				resp, err := client.Get(p.url + "/client.js")
				if err != nil {
					t.Error(err)
					return
				}
				_, _ = io.Copy(io.Discard, resp.Body)
				_ = resp.Body.Close()
			}
		})
	}
	for range 10 {
		renew()
	}
	done.Store(true)
	clients.Wait()
	get(t, open)
}

// get asks for something over a connection that stays open.
func get(t *testing.T, conn io.ReadWriter) {
	t.Helper()
	_, _ = io.WriteString(conn, "GET /oauth-agent/client.js HTTP/1.1\r\nHost: x\r\n\r\n")
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	if resp.StatusCode != http.StatusOK || resp.Close {
		t.Errorf("status %d, closed: %v", resp.StatusCode, resp.Close)
	}
}
