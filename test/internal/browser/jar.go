package browser

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// maxCookie is what browsers store of one cookie: name and value together.
const maxCookie = 4096

// Jar keeps cookies. Unlike net/http/cookiejar it can be looked into, knows
// SameSite and name prefixes, and says what it refused.
type Jar struct {
	mu      sync.Mutex
	cookies []stored
	refused []error
}

type stored struct {
	http.Cookie
	hostOnly bool
	expires  time.Time // zero: with the browser
}

// Clone gives a second jar with the same cookies: the browser as it was now.
func (j *Jar) Clone() *Jar {
	j.mu.Lock()
	defer j.mu.Unlock()
	return &Jar{cookies: slices.Clone(j.cookies)}
}

// All lists the cookies, with their attributes.
func (j *Jar) All() []http.Cookie {
	j.mu.Lock()
	defer j.mu.Unlock()
	var out []http.Cookie
	for _, c := range j.live() {
		out = append(out, c.Cookie)
	}
	return out
}

// Refused lists why cookies were not stored.
func (j *Jar) Refused() []error {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.Clone(j.refused)
}

// Readable is document.cookie of a page at u.
func (j *Jar) Readable(u *url.URL) string {
	return header(j.match(u, func(c stored) bool { return !c.HttpOnly }))
}

// sent is the Cookie header of a request to u.
func (j *Jar) sent(u *url.URL, sameSite, topLevelGet bool) string {
	return header(j.match(u, func(c stored) bool {
		switch {
		case sameSite || c.SameSite == http.SameSiteNoneMode:
			return true
		case c.SameSite == http.SameSiteStrictMode:
			return false
		default: // Lax, also when nothing is said
			return topLevelGet
		}
	}))
}

func header(cookies []stored) string {
	var pairs []string
	for _, c := range cookies {
		pairs = append(pairs, c.Name+"="+c.Value)
	}
	return strings.Join(pairs, "; ")
}

// match gives the cookies for u, longer paths first (RFC 6265 5.4).
func (j *Jar) match(u *url.URL, also func(stored) bool) []stored {
	j.mu.Lock()
	defer j.mu.Unlock()
	var out []stored
	for _, c := range j.live() {
		if domainMatch(u.Hostname(), c.Domain, c.hostOnly) && pathMatch(u.EscapedPath(), c.Path) &&
			(!c.Secure || trustworthy(u)) && also(c) {
			out = append(out, c)
		}
	}
	slices.SortStableFunc(out, func(a, b stored) int { return len(b.Path) - len(a.Path) })
	return out
}

func (j *Jar) live() []stored {
	return slices.DeleteFunc(slices.Clone(j.cookies), func(c stored) bool {
		return !c.expires.IsZero() && !c.expires.After(time.Now())
	})
}

// store takes the Set-Cookie lines of an answer from u.
func (j *Jar) store(u *url.URL, lines []string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, line := range lines {
		c, err := accept(u, line)
		if err != nil {
			j.refused = append(j.refused, err)
			continue
		}
		j.cookies = slices.DeleteFunc(j.cookies, func(old stored) bool {
			return old.Name == c.Name && old.Domain == c.Domain && old.Path == c.Path
		})
		if c.expires.IsZero() || c.expires.After(time.Now()) {
			j.cookies = append(j.cookies, c)
		}
	}
}

// accept checks one Set-Cookie line as RFC 6265bis 5.7 does.
func accept(u *url.URL, line string) (stored, error) {
	parsed, err := http.ParseSetCookie(line)
	if err != nil {
		return stored{}, err
	}
	c := stored{Cookie: *parsed}
	if err := c.place(u); err != nil {
		return stored{}, fmt.Errorf("cookie %s: %w", c.Name, err)
	}
	switch {
	case len(c.Name)+len(c.Value) > maxCookie:
		err = fmt.Errorf("%d bytes", len(c.Name)+len(c.Value))
	case c.Secure && !trustworthy(u):
		err = errors.New("secure, from a page that is not")
	case c.SameSite == http.SameSiteNoneMode && !c.Secure:
		err = errors.New("SameSite=None without Secure")
	default:
		err = c.prefix()
	}
	if err != nil {
		return stored{}, fmt.Errorf("cookie %s: %w", c.Name, err)
	}
	c.expires = c.Expires
	if c.MaxAge != 0 {
		c.expires = time.Now().Add(time.Duration(c.MaxAge) * time.Second)
	}
	return c, nil
}

// place fills in domain and path.
func (c *stored) place(u *url.URL) error {
	c.Domain = strings.TrimPrefix(strings.ToLower(c.Domain), ".")
	c.hostOnly = c.Domain == ""
	if c.hostOnly {
		c.Domain = u.Hostname()
	}
	if !domainMatch(u.Hostname(), c.Domain, c.hostOnly) {
		return fmt.Errorf("domain %s from %s", c.Domain, u.Hostname())
	}
	if !strings.HasPrefix(c.Path, "/") {
		c.Path = u.EscapedPath()[:max(1, strings.LastIndex(u.EscapedPath(), "/"))]
	}
	return nil
}

// prefix holds the cookie to what its name promises.
func (c *stored) prefix() error {
	name := strings.ToLower(c.Name)
	host := strings.HasPrefix(name, "__host-")
	if (host || strings.HasPrefix(name, "__secure-") || strings.HasPrefix(name, "__http-")) && !c.Secure {
		return errors.New("prefix without Secure")
	}
	if host && (!c.hostOnly || c.Path != "/") {
		return errors.New("prefix __Host- with a domain or a path")
	}
	if (strings.HasPrefix(name, "__host-http-") || strings.HasPrefix(name, "__http-")) && !c.HttpOnly {
		return errors.New("prefix Http- without HttpOnly")
	}
	return nil
}

func domainMatch(host, domain string, hostOnly bool) bool {
	return host == domain || !hostOnly && strings.HasSuffix(host, "."+domain)
}

func pathMatch(path, of string) bool {
	if path == "" {
		path = "/"
	}
	return path == of || strings.HasPrefix(path, of) && (strings.HasSuffix(of, "/") || path[len(of)] == '/')
}
