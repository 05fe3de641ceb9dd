//go:build interop

package replicas

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"oauth-agent/test/idp"
)

// transport is the network of one user: an address of its own.
func (w *world) transport(n int) *http.Transport {
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 1, byte(n))}}
	t := &http.Transport{
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			return dialer.DialContext(ctx, "tcp4", addr)
		},
		TLSClientConfig:     w.authority.trust("localhost"),
		MaxIdleConnsPerHost: 16,
	}
	w.t.Cleanup(t.CloseIdleConnections)
	return t
}

// session is a browser that is logged in.
type session struct {
	w         *world
	http      *http.Client
	csrf      string
	refreshed atomic.Int64 // or begun, in Unix nanoseconds
}

var errStatus = errors.New("another answer")

// call sends a request as the page does. Whatever is not the wanted status is
// counted as a failure.
func (s *session) call(kind, method, path, body string, want int) ([]byte, error) {
	text, err := s.send(method, path, body, want)
	s.w.tally.note(kind, err)
	return text, err
}

func (s *session) send(method, path, body string, want int) ([]byte, error) {
	req, err := http.NewRequest(method, s.w.origin+path, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Origin", s.w.origin)
	if method != http.MethodGet {
		req.Header.Set("X-Example-Csrf", s.csrf)
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := s.http.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != want {
		err = fmt.Errorf("%w: %s %s: %d %.200s", errStatus, method, path, resp.StatusCode, text)
	}
	return text, err
}

// login walks a whole login by an address' own transport.
func (w *world) login(t *http.Transport) (*session, error) {
	jar, _ := cookiejar.New(nil) // without options it never fails
	began := time.Now()
	s := &session{w: w, http: &http.Client{Transport: t, Jar: jar, Timeout: patience}}
	text, err := s.call("login start", http.MethodPost, "/oauth-agent/login/start", "", http.StatusOK)
	if err != nil {
		return nil, err
	}
	var start struct{ AuthorizationRequestURL string }
	if err := json.Unmarshal(text, &start); err != nil {
		return nil, err
	}
	page, err := idp.Login(w.t.Context(), nil, start.AuthorizationRequestURL, "demo", "demo")
	if err != nil {
		return nil, err
	}
	text, err = s.call("login end", http.MethodPost, "/oauth-agent/login/end", `{"pageUrl":"`+page+`"}`, http.StatusOK)
	if err != nil {
		return nil, err
	}
	var end struct {
		CSRF       string
		IsLoggedIn bool
	}
	if err := json.Unmarshal(text, &end); err != nil || !end.IsLoggedIn {
		return nil, fmt.Errorf("login: %s %w", text, err)
	}
	s.csrf = end.CSRF
	s.refreshed.Store(began.UnixNano())
	w.tally.note("logins", nil)
	return s, nil
}

func (s *session) refresh() error {
	began := time.Now()
	_, err := s.call("refresh", http.MethodPost, "/oauth-agent/refresh", "", http.StatusNoContent)
	if err == nil {
		s.refreshed.Store(began.UnixNano())
	}
	return err
}

// refreshedAt tells since when all its cookies are as the keys were.
func (s *session) refreshedAt() time.Time { return time.Unix(0, s.refreshed.Load()) }

// work is what a page does between refreshes.
func (s *session) work() error {
	_, err := s.call("API, read", http.MethodGet, "/api/orders", "", http.StatusOK)
	if err != nil {
		return err
	}
	text, err := s.call("API, write", http.MethodPost, "/api/orders", `{"of":"a user"}`, http.StatusOK)
	if err == nil && string(text) != `{"of":"a user"}` {
		err = fmt.Errorf("%w: %s", errStatus, text)
		s.w.tally.note("API, write", err)
	}
	return err
}

// isLoggedIn asks as a page does that has just been loaded.
func (s *session) isLoggedIn() bool {
	text, err := s.call("session", http.MethodGet, "/oauth-agent/session", "", http.StatusOK)
	return err == nil && strings.Contains(string(text), `"isLoggedIn":true`)
}

// clone is another tab without locks: it has the same cookies now.
func (s *session) clone() *session {
	c := &session{w: s.w, csrf: s.csrf}
	client := *s.http
	client.Jar, _ = cookiejar.New(nil)
	at := &url.URL{Scheme: "https", Host: strings.TrimPrefix(s.w.origin, "https://"), Path: "/oauth-agent/refresh"}
	client.Jar.SetCookies(at, s.http.Jar.Cookies(at))
	c.http = &client
	return c
}
