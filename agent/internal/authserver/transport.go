package authserver

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"oauth-agent/agent/internal/secret"
)

// MaxBody is the most that is read of any answer, in bytes after
// decompression. A larger answer is a fault of the authorization server.
const MaxBody = 1 << 20

// ErrUnavailable marks every failure that is the authorization server's and not
// the user's: it cannot be reached, is too slow, answers 5xx, redirects, or
// says what makes no sense. It never ends a session.
var ErrUnavailable = errors.New("authorization server unavailable")

// errRedirect is what became of a request that was redirected.
var errRedirect = errors.New("a redirect, not followed")

// unavailable makes an [ErrUnavailable]. The arguments must be fit for a log:
// no token, no text of the server's.
func unavailable(format string, args ...any) error {
	return fmt.Errorf("%w: %w", ErrUnavailable, fmt.Errorf(format, args...))
}

// AuthMethod is how the client authenticates at the token endpoint (RFC 6749
// 2.3.1; the names are those of OpenID Connect Core 9).
type AuthMethod string

// The client authentication methods.
const (
	AuthAuto  AuthMethod = "auto"  // as announced, otherwise Basic
	AuthBasic AuthMethod = "basic" // client_secret_basic
	AuthPost  AuthMethod = "post"  // client_secret_post
)

// Credentials are a confidential client's.
type Credentials struct {
	ID     string
	Secret secret.String
}

// Answer is what an endpoint said, read whole and bounded.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// HTTP speaks to an authorization server: bounded in time and size, and never
// following a redirect, since a redirected token request would hand the code
// and the client secret to another host.
type HTTP struct {
	client   *http.Client
	timeout  *atomic.Int64 // from the request to the last byte of the answer, in nanoseconds
	times    time.Duration // how often that time an answer may take
	endpoint string        // asked, for watch
	watch    Watch         // may be nil
}

// Watch is called with each request before it is sent, and may add to its headers.
// The function that it returns is called when the answer has been read: status 0 means
// that there is none. ctx is the caller's, who may have gone.
type Watch func(ctx context.Context, endpoint, method, host string, h http.Header) (done func(status int, outcome string))

// The endpoints that are asked, for [Watch].
const (
	EndpointDiscovery  = "discovery"
	EndpointKeys       = "jwks"
	EndpointToken      = "token"
	EndpointUserinfo   = "userinfo"
	EndpointRevocation = "revocation"
	EndpointProbe      = "probe"
)

// What may come of it, for [Watch].
const (
	OutcomeOK          = "ok"
	OutcomeRefused     = "refused"     // 4xx
	OutcomeUnavailable = "unavailable" // no answer, or none that counts
)

// At is the same for calls of one endpoint.
func (h *HTTP) At(endpoint string) *HTTP {
	other := *h
	other.endpoint = endpoint
	return &other
}

// patient gives answers twice the time. It is for a request whose answer must
// not be lost, and whose callers have been told long before that it is late.
func (h *HTTP) patient() *HTTP {
	other := *h
	other.times = 2
	return &other
}

// Watched returns the same with all its requests watched.
func (h *HTTP) Watched(watch Watch) *HTTP {
	other := *h
	other.watch = watch
	return &other
}

// Timeout is how long a server has for an answer.
func (h *HTTP) Timeout() time.Duration { return time.Duration(h.timeout.Load()) * h.times }

// SetTimeout gives servers another time for their answers, from the next request on,
// here and wherever the same connections are used.
func (h *HTTP) SetTimeout(timeout time.Duration) { h.timeout.Store(int64(timeout)) }

// CloseIdle lets go of idle connections.
func (h *HTTP) CloseIdle() { h.client.CloseIdleConnections() }

// NewHTTP makes one over transport (nil: http.DefaultTransport's settings).
// timeout bounds a whole exchange, to the last byte of the body.
func NewHTTP(transport http.RoundTripper, timeout time.Duration) *HTTP {
	if transport == nil {
		t := http.DefaultTransport.(*http.Transport).Clone()
		t.MaxResponseHeaderBytes = 64 << 10
		t.MaxIdleConnsPerHost = 64
		transport = t
	}
	h := &HTTP{
		times:   1,
		timeout: new(atomic.Int64),
		client: &http.Client{
			Transport: transport,
			CheckRedirect: func(*http.Request, []*http.Request) error {
				return http.ErrUseLastResponse
			},
		},
	}
	h.SetTimeout(timeout)
	return h
}

// PostForm sends form to endpoint as the client cred. method is [AuthBasic] or
// [AuthPost].
func (h *HTTP) PostForm(ctx context.Context, endpoint string, form url.Values, cred Credentials, method AuthMethod) (*Answer, error) {
	if method == AuthPost {
		form = cloneValues(form)
		form.Set("client_id", cred.ID)
		form.Set("client_secret", cred.Secret.Reveal())
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, unavailable("request: %w", err)
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if method != AuthPost {
		// Both halves are form-encoded first, RFC 6749 2.3.1.
		req.SetBasicAuth(url.QueryEscape(cred.ID), url.QueryEscape(cred.Secret.Reveal()))
	}
	return h.do(req)
}

// Get fetches endpoint; bearer may be empty.
func (h *HTTP) Get(ctx context.Context, endpoint string, bearer secret.String) (*Answer, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, endpoint, nil)
	if err != nil {
		return nil, unavailable("request: %w", err)
	}
	// Key sets have a media type of their own, which strict servers insist on.
	req.Header.Set("Accept", "application/json, */*;q=0.1")
	if !bearer.Empty() {
		req.Header.Set("Authorization", "Bearer "+bearer.Reveal())
	}
	return h.do(req)
}

// do sends req, see [HTTP.ask].
func (h *HTTP) do(req *http.Request) (*Answer, error) {
	status, done := 0, h.observe(req)
	answer, err := h.ask(req, &status)
	switch {
	case err != nil:
		done(status, OutcomeUnavailable)
	case status >= http.StatusBadRequest:
		done(status, OutcomeRefused)
	default:
		done(status, OutcomeOK)
	}
	return answer, err
}

func (h *HTTP) observe(req *http.Request) func(status int, outcome string) {
	if h.watch == nil {
		return func(int, string) {}
	}
	return h.watch(req.Context(), h.endpoint, req.Method, req.URL.Host, req.Header)
}

// ask gives the answer to req, and its status. A redirect and a 5xx are errors
// here, which come with the answer; 2xx and 4xx are answers.
func (h *HTTP) ask(req *http.Request, status *int) (*Answer, error) {
	ctx, cancel := context.WithTimeout(req.Context(), h.Timeout())
	defer cancel()
	req.Header.Set("User-Agent", "oauth-agent")

	where := req.Method + " " + location(req.URL)
	resp, err := h.client.Do(req.WithContext(ctx))
	if err != nil {
		return nil, unavailable("%s: %w", where, tellable(err))
	}
	*status = resp.StatusCode
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, MaxBody+1))
	answer := &Answer{Status: resp.StatusCode, Header: resp.Header, Body: bytes.TrimPrefix(body, []byte(byteOrderMark))}
	switch {
	case err != nil:
		return nil, unavailable("%s: reading the answer: %w", where, tellable(err))
	case len(body) > MaxBody:
		return nil, unavailable("%s: the answer is larger than %d bytes", where, MaxBody)
	case resp.StatusCode >= 500:
		return answer, unavailable("%s: status %d", where, resp.StatusCode)
	case resp.StatusCode >= 300 && resp.StatusCode < 400:
		return answer, unavailable("%s: status %d: %w", where, resp.StatusCode, errRedirect)
	}
	return answer, nil
}

// byteOrderMark is what some servers begin JSON with, though RFC 8259 8.1 forbids it,
// and what readers may ignore.
const byteOrderMark = "\xef\xbb\xbf"

// location is a URL without its query and credentials, for errors.
func location(u *url.URL) string { return u.Scheme + "://" + u.Host + u.EscapedPath() }

// errNoHTTP stands for what net/http says of a broken answer, since it quotes it.
var errNoHTTP = errors.New("the answer is not HTTP")

// tellable is the part of a transport error that is fit for a log: what befell
// the connection, not what came over it, and without the URL. It is the same each
// time, since what does not change is told once.
func tellable(err error) error {
	for _, known := range []error{
		context.Canceled, context.DeadlineExceeded, io.EOF, io.ErrUnexpectedEOF, http.ErrSchemeMismatch,
	} {
		if errors.Is(err, known) {
			return known
		}
	}
	if e, ok := errors.AsType[*net.OpError](err); ok {
		return withoutOwnPort(e)
	}
	if e, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return withoutTimeOfDay(e)
	}
	if e, ok := errors.AsType[net.Error](err); ok && e.Timeout() {
		return context.DeadlineExceeded
	}
	return errNoHTTP
}

// withoutOwnPort is err without the address that a connection had on our side.
func withoutOwnPort(err error) error {
	switch e := err.(type) {
	case *net.OpError:
		told := *e
		told.Source, told.Err = nil, withoutOwnPort(e.Err)
		return &told
	case *net.DNSError: // it has the words of another error, not the error
		told := *e
		if before, after, found := strings.Cut(e.Err, "->"); found {
			told.Err = before[:strings.LastIndexByte(before, ' ')+1] + after
		}
		return &told
	}
	return err
}

// withoutTimeOfDay is e without the time at which a certificate was not valid.
func withoutTimeOfDay(e *tls.CertificateVerificationError) error {
	invalid, ok := errors.AsType[x509.CertificateInvalidError](e.Err)
	if !ok || invalid.Reason != x509.Expired || invalid.Cert == nil {
		return e
	}
	invalid.Detail = "it is for " + invalid.Cert.NotBefore.UTC().Format(time.RFC3339) + " to " + invalid.Cert.NotAfter.UTC().Format(time.RFC3339)
	told := *e
	told.Err = invalid
	return &told
}

func cloneValues(v url.Values) url.Values {
	c := make(url.Values, len(v)+2)
	for k, vs := range v {
		c[k] = vs
	}
	return c
}
