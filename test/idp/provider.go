package idp

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"sync"
	"time"
)

// maxRequestBody bounds what is read of a request, in bytes.
const maxRequestBody = 1 << 20

// Provider is the OpenID provider, an [http.Handler]. It is safe for concurrent
// use, its switches too.
type Provider struct {
	cfg       Config
	issuerURL *url.URL
	pages     *template.Template
	mux       *http.ServeMux
	keys      *keyRing
	store     *store
	faults    *faultTable
	calls     *callLog
	issued    *issuedLog

	mu     sync.Mutex
	mutate mutations
}

// New makes a provider for cfg.Issuer, which must be set. Its paths begin with
// the issuer's path.
func New(cfg Config) (*Provider, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	issuer, err := url.Parse(cfg.Issuer)
	if err != nil {
		return nil, fmt.Errorf("idp: issuer: %w", err)
	}
	keys, err := newKeyRing(cfg.SigningAlg, cfg.SigningKey)
	if err != nil {
		return nil, err
	}
	pages, err := parsePages(issuer.EscapedPath())
	if err != nil {
		return nil, err
	}
	p := &Provider{
		cfg: cfg, issuerURL: issuer, pages: pages, keys: keys,
		store: newStore(cfg.Entries), faults: newFaultTable(), calls: newCallLog(), issued: newIssuedLog(),
	}
	p.mux = p.routes()
	return p, nil
}

// routes is the whole HTTP surface.
func (p *Provider) routes() *http.ServeMux {
	base := p.issuerURL.Path
	mux := http.NewServeMux()
	handle := func(pattern string, e Endpoint, h http.HandlerFunc) {
		mux.Handle(pattern, p.endpoint(e, h))
	}
	handle("GET "+base+"/.well-known/openid-configuration", Discovery, p.discovery)
	// RFC 8414 3.1: the issuer's path comes after the well-known part.
	handle("GET /.well-known/oauth-authorization-server"+base, Discovery, p.discovery)
	handle("GET "+base+pathJWKS, JWKS, p.jwks)
	handle("GET "+base+pathAuthorize, Authorize, p.authorize)
	handle("POST "+base+pathAuthorize, Authorize, p.authorizePost)
	handle("POST "+base+pathToken, Token, p.token)
	if !p.cfg.NoUserinfo {
		handle("GET "+base+pathUserinfo, Userinfo, p.userinfo)
		handle("POST "+base+pathUserinfo, Userinfo, p.userinfo)
	}
	if !p.cfg.NoRevocation {
		handle("POST "+base+pathRevoke, Revocation, p.revoke)
	}
	if !p.cfg.NoEndSession {
		handle("GET "+base+pathEndSession, EndSession, p.endSession)
		handle("POST "+base+pathEndSession, EndSession, p.endSessionPost)
	}
	mux.HandleFunc("GET "+base+pathStyle, serveStyle)
	return mux
}

// ServeHTTP implements [http.Handler].
func (p *Provider) ServeHTTP(w http.ResponseWriter, r *http.Request) { p.mux.ServeHTTP(w, r) }

// endpoint counts the request, then lets the faults of e have their way with it.
func (p *Provider) endpoint(e Endpoint, h http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxRequestBody)
		if err := r.ParseForm(); err != nil {
			writeError(w, invalidRequest("the form cannot be read"))
			return
		}
		p.calls.record(e, r)
		p.cfg.Log.InfoContext(r.Context(), "request", "endpoint", e, "method", r.Method,
			"grant_type", r.PostForm.Get("grant_type"))
		p.faults.take(e, r.PostForm.Get("grant_type")).serve(w, r, h)
	})
}

// url is the absolute URL of one of our paths.
func (p *Provider) url(path string) string { return p.cfg.Issuer + path }

func (p *Provider) now() time.Time { return p.cfg.Clock() }

// randomToken gives 256 random bits behind prefix, and pad bytes more. The prefix
// makes tokens easy to find in a log.
func randomToken(prefix string, pad int) string {
	b := make([]byte, 32+(pad*3+3)/4)
	_, _ = rand.Read(b) // never fails
	return prefix + base64.RawURLEncoding.EncodeToString(b)
}

// sameSecret compares in constant time, whatever the lengths.
func sameSecret(a, b string) bool {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}
