package cookie

import (
	"net/http"
	"strings"
	"time"
)

// Kind is what a cookie is for, and the end of its name. A value of one kind
// never opens as another.
type Kind string

// The kinds.
const (
	Access  Kind = "at"
	CSRF    Kind = "csrf"
	Refresh Kind = "auth"
	ID      Kind = "id"
	Login   Kind = "login"
	Logout  Kind = "logout"
	Browser Kind = "browser" // see [Jar.Bind]
)

// Lifetimes of the kinds that do not live as long as the session.
const (
	LoginLifetime  = 15 * time.Minute
	LogoutLifetime = time.Minute
)

// Kinds returns all kinds.
func Kinds() []Kind { return []Kind{Access, CSRF, Refresh, ID, Login, Logout, Browser} }

// needsRoot reports whether the kind has path "/": API calls need it, or its name
// does ([Browser]).
func (k Kind) needsRoot() bool { return k == Access || k == CSRF || k == Browser }

// lifetime returns the age at which a sealed value is dead.
func (k Kind) lifetime(session time.Duration) time.Duration {
	switch k {
	case Login, Browser:
		return LoginLifetime
	case Logout:
		return LogoutLifetime
	default:
		return session
	}
}

// The name prefixes by which a browser vouches for the attributes of a cookie
// (draft-ietf-httpbis-rfc6265bis, draft-ietf-httpbis-layered-cookies).
const (
	hostHTTPPrefix = "__Host-Http-"
	hostPrefix     = "__Host-"
	httpPrefix     = "__Http-"
	securePrefix   = "__Secure-"
)

// Policy is how all cookies of this program look.
type Policy struct {
	NamePrefix string // "example" in example-at
	Domain     string // empty: host-only
	BasePath   string // path of the kinds that API calls do not need
	Secure     bool   // whenever the SPA's origin is https
	Prefixes   bool   // name prefixes such as __Host-Http-, where Secure
}

// path returns the path under which the browser sends a kind.
func (p Policy) path(k Kind) string {
	if k.needsRoot() || p.BasePath == "" {
		return "/"
	}
	return p.BasePath
}

// guarded reports whether the cookies with path "/" are named __Host-Http-…, so
// that no other host of the site, and no script, can plant one.
func (p Policy) guarded() bool { return p.Secure && p.Prefixes && p.Domain == "" }

// name returns the full name of a kind, behind the strongest prefix that its path
// and domain allow.
func (p Policy) name(k Kind) string {
	name := p.NamePrefix + "-" + string(k)
	switch {
	case !p.Secure || !p.Prefixes:
		return name
	case p.guarded() && p.path(k) == "/":
		return hostHTTPPrefix + name
	default:
		return securePrefix + name
	}
}

// make returns a cookie of a kind. SameSite is always Strict: every request that
// needs one is made by the SPA itself, from its own site.
func (p Policy) make(k Kind, name, value string) *http.Cookie {
	return &http.Cookie{
		Name: name, Value: value,
		Path: p.path(k), Domain: p.Domain,
		Secure: p.Secure, HttpOnly: true, SameSite: http.SameSiteStrictMode,
	}
}

// Owns reports whether a cookie of that name is the program's own, under any
// prefix: such a cookie never reaches an API, and no API may set one.
func (p Policy) Owns(name string) bool {
	for _, prefix := range []string{hostHTTPPrefix, hostPrefix, httpPrefix, securePrefix} {
		if len(name) > len(prefix) && strings.EqualFold(name[:len(prefix)], prefix) {
			name = name[len(prefix):]
			break
		}
	}
	rest, ok := cutPrefixFold(name, p.NamePrefix+"-")
	if !ok {
		return false
	}
	for _, k := range Kinds() {
		if tail, ok := cutPrefixFold(rest, string(k)); ok && (tail == "" || tail[0] == '-') {
			return true
		}
	}
	return false
}

func cutPrefixFold(s, prefix string) (string, bool) {
	if len(s) < len(prefix) || !strings.EqualFold(s[:len(prefix)], prefix) {
		return s, false
	}
	return s[len(prefix):], true
}
