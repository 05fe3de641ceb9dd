package apiproxy

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"oauth-agent/agent/internal/httperr"
	"oauth-agent/agent/internal/upstream"
)

// Route sends the paths under one prefix to one upstream. The zero value of
// each option is the strict one.
type Route struct {
	Path        string   // prefix, in whole segments: "/api" and "/api/" are the same
	Upstream    *url.URL // scheme, host, port and base path
	StripPrefix bool     // take Path off before the base path is put in front
	Methods     []string // the methods that are allowed; none means any
	// Timeout runs until the upstream begins its response, and while a request
	// body makes no progress; zero means 30 seconds. A response that has begun
	// may take any time.
	Timeout time.Duration
	MaxBody int64 // of a request, in bytes; zero means no limit
	// AllowBearer lets a request pass that brings its own bearer token (RFC
	// 6750 2.1), as mobile apps do.
	AllowBearer bool
	// Public lets requests without a session pass; with one, its token is sent.
	Public bool
	// SkipCSRF asks for no CSRF token for unsafe methods.
	SkipCSRF bool
	// H2C speaks HTTP/2 in clear text to the upstream (RFC 9113 3.3).
	H2C bool
}

// route is a [Route] with what is derived from it.
type route struct {
	Route
	prefix      string // without a slash at its end: "" for "/"
	base        string // of the upstream, likewise
	allow       string // for the Allow header
	destination *upstream.Upstream
}

func newRoute(r Route, f *upstream.Forwarder) (*route, error) {
	u := r.Upstream
	if u == nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("route %s: the upstream is not an absolute http(s) URL", r.Path)
	}
	if !strings.HasPrefix(r.Path, "/") || strings.ContainsAny(r.Path, "%;?#") {
		return nil, fmt.Errorf("route %s: not a plain absolute path", r.Path)
	}
	if err := errors.Join(checkPath(r.Path), checkPath(u.EscapedPath())); err != nil {
		return nil, fmt.Errorf("route %s: %w", r.Path, err)
	}
	methods := r.Methods
	if len(methods) == 0 {
		methods = []string{"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"}
	}
	return &route{
		Route:  r,
		prefix: strings.TrimRight(r.Path, "/"),
		base:   strings.TrimRight(u.EscapedPath(), "/"),
		allow:  strings.Join(methods, ", "),
		destination: f.Upstream(upstream.Target{
			Name: r.Path, URL: u, Timeout: r.Timeout, MaxBody: r.MaxBody, H2C: r.H2C,
			// It would turn a method of the list into another.
			MethodOverride: len(r.Methods) == 0,
		}),
	}, nil
}

func (rt *route) policy() routePolicy {
	return routePolicy{allowBearer: rt.AllowBearer, public: rt.Public, skipCSRF: rt.SkipCSRF}
}

// covers reports whether a path is the prefix itself or goes on after a slash.
func (rt *route) covers(path string) bool {
	rest, ok := strings.CutPrefix(path, rt.prefix)
	return ok && (rest == "" || rest[0] == '/')
}

// upstreamPath returns the path to ask the upstream for.
func (rt *route) upstreamPath(path string) string {
	if rt.StripPrefix {
		path = path[len(rt.prefix):]
	}
	if path == "" {
		return cmp.Or(rt.Upstream.EscapedPath(), "/")
	}
	return rt.base + path
}

// isTunnel reports whether a method is refused everywhere: TRACE, and TRACK as some
// servers call it, would echo the token to the client (RFC 9110 9.3.8), CONNECT
// would open a tunnel.
func isTunnel(method string) bool {
	return strings.EqualFold(method, http.MethodTrace) || strings.EqualFold(method, "TRACK") || strings.EqualFold(method, http.MethodConnect)
}

// checkMethod refuses what the route does not allow.
func (rt *route) checkMethod(w http.ResponseWriter, method string) error {
	if rt.allows(method) {
		return nil
	}
	w.Header().Set("Allow", rt.allow)
	return httperr.New(http.StatusMethodNotAllowed, httperr.MethodNotAllowed, "the method is not allowed here", nil)
}

// allows reports whether a method is among the route's; HEAD comes with GET.
func (rt *route) allows(method string) bool {
	return !isTunnel(method) && (len(rt.Methods) == 0 || slices.Contains(rt.Methods, method) ||
		method == http.MethodHead && slices.Contains(rt.Methods, http.MethodGet))
}

// table holds the routes, longest prefix first.
type table []*route

func newTable(routes []Route, f *upstream.Forwarder) (table, error) {
	var t table
	for _, r := range routes {
		rt, err := newRoute(r, f)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(t, func(other *route) bool { return strings.EqualFold(other.prefix, rt.prefix) }) {
			return nil, fmt.Errorf("route %s: the path is there twice", r.Path)
		}
		t = append(t, rt)
	}
	slices.SortFunc(t, func(a, b *route) int { return cmp.Compare(len(b.prefix), len(a.prefix)) })
	return t, nil
}

// find returns the route of a path, or nil.
func (t table) find(path string) *route {
	if !strings.HasPrefix(path, "/") {
		return nil
	}
	for _, rt := range t {
		if rt.covers(path) {
			return rt
		}
	}
	return nil
}

// errNoRoute is the response where no route is.
var errNoRoute = httperr.New(http.StatusNotFound, httperr.NotFound, "there is nothing at this path", nil)

// locate returns the route of a URL and the escaped path to ask its upstream for.
func (t table) locate(u *url.URL) (*route, string, error) {
	path := sentPath(u)
	rt := t.find(path)
	if rt == nil {
		return nil, "", errNoRoute
	}
	if err := checkPath(path); err != nil {
		return nil, "", httperr.BadRequest("the path of the request is refused: "+err.Error(), nil).Because(httperr.ReasonPath)
	}
	if !t.unambiguous(path, rt) {
		return nil, "", httperr.BadRequest("the path of the request can be read in two ways", nil).Because(httperr.ReasonPath)
	}
	target := rt.upstreamPath(path)
	if strings.HasPrefix(target, "//") {
		// Some servers take such a path for a host (RFC 3986 4.2).
		return nil, "", httperr.BadRequest("the path of the request begins with an empty segment", nil).Because(httperr.ReasonPath)
	}
	if !plainQuery(u.RawQuery) {
		return nil, "", httperr.BadRequest("the query of the request has a character that no URL has", nil).Because(httperr.ReasonPath)
	}
	return rt, escapeRest(target), nil
}

// unambiguous reports whether every reader of a path would put it under the same
// route. An upstream that merges slashes, removes parameters, decodes once more
// or ignores case could otherwise serve what is under another, stricter prefix.
func (t table) unambiguous(path string, rt *route) bool {
	switch {
	case len(t) == 1:
		return true
	case isPlain(path) && !strings.Contains(path, ";") && !strings.Contains(path, "//"):
		return t.findFold(path) == rt
	}
	all, ok := readings(path)
	return ok && !slices.ContainsFunc(all, func(reading string) bool { return t.findFold(foldCase(reading)) != rt })
}

// findFold is [table.find] without regard to case.
func (t table) findFold(path string) *route {
	for _, rt := range t {
		n := len(rt.prefix)
		if len(path) >= n && strings.EqualFold(path[:n], rt.prefix) && (len(path) == n || path[n] == '/') {
			return rt
		}
	}
	return nil
}
