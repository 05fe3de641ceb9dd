package main

import (
	"crypto/sha256"
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"time"
)

// maxSeen bounds what a journal remembers.
const maxSeen = 10_000

// cookieJournal remembers what cookies were set with, which a request does not
// tell: their attributes and age. It keeps hashes, no values.
type cookieJournal struct {
	now  func() time.Time
	mu   sync.Mutex
	seen map[[sha256.Size]byte]cookieFacts
}

type cookieFacts struct {
	path       string
	attributes []string
	set        time.Time
}

func newCookieJournal(now func() time.Time) *cookieJournal {
	return &cookieJournal{now: now, seen: make(map[[sha256.Size]byte]cookieFacts)}
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
	facts := cookieFacts{path: c.Path, set: j.now(), attributes: []string{}}
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
	return cookieFacts{set: j.now(), attributes: []string{}}
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
// request's cookies, and how old the access token is. It is below the base path
// because the refresh token's cookie goes nowhere else.
func (j *cookieJournal) list(lifetime time.Duration) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if site := r.Header.Get("Sec-Fetch-Site"); site != "" && site != "same-origin" {
			http.Error(w, "for the demo's own page", http.StatusForbidden)
			return
		}
		answer := struct {
			AccessTokenAge      float64        `json:"accessTokenAge"`      // seconds
			AccessTokenLifetime float64        `json:"accessTokenLifetime"` // seconds
			Cookies             []cookieAnswer `json:"cookies"`
		}{AccessTokenLifetime: lifetime.Seconds(), Cookies: []cookieAnswer{}}
		for _, c := range r.Cookies() {
			facts := j.facts(c)
			if strings.HasSuffix(c.Name, "-at") {
				answer.AccessTokenAge = j.now().Sub(facts.set).Seconds()
			}
			answer.Cookies = append(answer.Cookies, cookieAnswer{
				Name: c.Name, Bytes: len(c.Name) + 1 + len(c.Value), Path: facts.path, Attributes: facts.attributes,
			})
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		_ = json.NewEncoder(w).Encode(answer)
	}
}
