package main

import (
	"crypto/sha256"
	"net/http"
	"sync"
)

// maxSeen bounds what a journal remembers.
const maxSeen = 10_000

// cookieJournal remembers what cookies were set with, which a request does not
// tell: their attributes. It keeps hashes, no values.
type cookieJournal struct {
	mu   sync.Mutex
	seen map[[sha256.Size]byte]cookieFacts
}

type cookieFacts struct {
	path       string
	attributes []string
}

func newCookieJournal() *cookieJournal {
	return &cookieJournal{seen: make(map[[sha256.Size]byte]cookieFacts)}
}

// watch notes the cookies that next sets.
func (j *cookieJournal) watch(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, r)
		for _, line := range w.Header().Values("Set-Cookie") {
			if c, err := http.ParseSetCookie(line); err == nil {
				j.note(c)
			}
		}
	})
}

func (j *cookieJournal) note(c *http.Cookie) {
	facts := cookieFacts{path: c.Path, attributes: []string{}}
	if c.HttpOnly {
		facts.attributes = append(facts.attributes, "HttpOnly")
	}
	if c.SameSite == http.SameSiteStrictMode {
		facts.attributes = append(facts.attributes, "SameSite=Strict")
	}
	if c.Secure {
		facts.attributes = append(facts.attributes, "Secure")
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if len(j.seen) >= maxSeen {
		clear(j.seen)
	}
	j.seen[key(c)] = facts
}

func (j *cookieJournal) facts(c *http.Cookie) cookieFacts {
	j.mu.Lock()
	defer j.mu.Unlock()
	if f, ok := j.seen[key(c)]; ok {
		return f
	}
	return cookieFacts{attributes: []string{}}
}

func key(c *http.Cookie) [sha256.Size]byte { return sha256.Sum256([]byte(c.Name + "=" + c.Value)) }

// cookieAnswer is a cookie as the server sees it, but for its value.
type cookieAnswer struct {
	Name       string   `json:"name"`
	Bytes      int      `json:"bytes"` // name, equals sign and value
	Path       string   `json:"path"`
	Attributes []string `json:"attributes"`
}

// list answers GET /oauth-agent/demo/cookies: names, sizes and attributes of the
// request's cookies. It is below the base path because the refresh token's cookie
// goes nowhere else.
func (j *cookieJournal) list(w http.ResponseWriter, r *http.Request) {
	cookies := []cookieAnswer{}
	for _, c := range r.Cookies() {
		facts := j.facts(c)
		cookies = append(cookies, cookieAnswer{
			Name: c.Name, Bytes: len(c.Name) + 1 + len(c.Value), Path: facts.path, Attributes: facts.attributes,
		})
	}
	writeJSON(w, http.StatusOK, map[string]any{"cookies": cookies})
}
