package browser

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

const (
	maxHops = 20
	maxBody = 10 << 20
)

// Browser is one profile: its tabs share the cookies.
type Browser struct {
	Jar       *Jar
	transport http.RoundTripper

	mu  sync.Mutex
	log []Exchange
}

// Exchange is one request and its answer.
type Exchange struct {
	Method  string
	URL     *url.URL
	Request http.Header
	Status  int
	Header  http.Header
	Body    []byte
}

// New gives a browser without cookies; a nil transport is one of its own.
func New(transport http.RoundTripper) *Browser {
	if transport == nil {
		transport = &http.Transport{}
	}
	return &Browser{Jar: &Jar{}, transport: transport}
}

// Clone gives a browser that has the same cookies now, and goes its own way.
func (b *Browser) Clone() *Browser {
	return &Browser{Jar: b.Jar.Clone(), transport: b.transport}
}

// Log lists everything that went over the wire, in order.
func (b *Browser) Log() []Exchange {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]Exchange(nil), b.log...)
}

// Tab is a page that is shown.
type Tab struct {
	browser *Browser
	URL     *url.URL
	Status  int
	Body    string
}

// Open shows the address in a new tab, as if typed in.
func (b *Browser) Open(address string) (*Tab, error) {
	tab := &Tab{browser: b}
	return tab, tab.navigate(http.MethodGet, address, nil, nil)
}

// Go leaves the page for another, as a link or location.assign would.
func (t *Tab) Go(address string) error {
	return t.navigate(http.MethodGet, address, nil, t.URL)
}

// navigate requests a page and follows redirects until one is shown. A chain
// that once was cross-site stays so for SameSite (RFC 6265bis 5.2).
func (t *Tab) navigate(method, address string, form url.Values, from *url.URL) error {
	target, err := resolve(t.URL, address)
	if err != nil {
		return err
	}
	where := relation(from, target)
	for range maxHops {
		answer, err := t.browser.send(t.navigation(method, target, form, from, where), where != "cross-site", method == http.MethodGet)
		if err != nil {
			return err
		}
		location := answer.Header.Get("Location")
		if answer.Status < 300 || answer.Status > 399 || location == "" {
			t.URL, t.Status, t.Body = target, answer.Status, string(answer.Body)
			return nil
		}
		next, err := target.Parse(location)
		if err != nil {
			return err
		}
		if r := relation(target, next); r == "cross-site" || where == "same-origin" {
			where = r
		}
		target, from = next, target
		if answer.Status != http.StatusTemporaryRedirect && answer.Status != http.StatusPermanentRedirect {
			method, form = http.MethodGet, nil
		}
	}
	return fmt.Errorf("more than %d redirects, at last to %s", maxHops, target.Redacted())
}

func resolve(base *url.URL, address string) (*url.URL, error) {
	if base == nil {
		return url.Parse(address)
	}
	return base.Parse(address)
}

func (t *Tab) navigation(method string, target *url.URL, form url.Values, from *url.URL, where string) *http.Request {
	r := request(method, target, strings.NewReader(form.Encode()))
	r.Header.Set("Accept", "text/html,application/xhtml+xml,*/*;q=0.8")
	r.Header.Set("Sec-Fetch-Mode", "navigate")
	r.Header.Set("Sec-Fetch-Dest", "document")
	r.Header.Set("Sec-Fetch-Site", where)
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if method == http.MethodPost && from != nil {
		r.Header.Set("Origin", origin(from))
	}
	return r
}

func request(method string, target *url.URL, body io.Reader) *http.Request {
	bare := *target
	bare.Fragment, bare.RawFragment = "", ""
	ctx := context.Background()
	r, err := http.NewRequestWithContext(ctx, method, bare.String(), body)
	if err != nil { // a method of ours and a URL that was parsed
		panic(err)
	}
	r.Header.Set("User-Agent", "test-browser")
	return r
}

// send sends a request with the cookies that belong to it, and takes the answer's.
func (b *Browser) send(r *http.Request, sameSite, topLevelGet bool) (*Exchange, error) {
	if cookies := b.Jar.sent(r.URL, sameSite, topLevelGet); cookies != "" {
		r.Header.Set("Cookie", cookies)
	}
	return b.roundTrip(r, true)
}

func (b *Browser) roundTrip(r *http.Request, takeCookies bool) (*Exchange, error) {
	ctx, cancel := context.WithTimeout(r.Context(), time.Minute)
	defer cancel()
	response, err := b.transport.RoundTrip(r.WithContext(ctx))
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxBody))
	if err != nil {
		return nil, err
	}
	if takeCookies {
		b.Jar.store(r.URL, response.Header.Values("Set-Cookie"))
	}
	e := Exchange{
		Method: r.Method, URL: r.URL, Request: r.Header,
		Status: response.StatusCode, Header: response.Header, Body: bytes.Clone(body),
	}
	b.mu.Lock()
	b.log = append(b.log, e)
	b.mu.Unlock()
	return &e, nil
}

// ErrCORS is what a script gets instead of an answer that it may not see.
var ErrCORS = errors.New("refused by CORS")
