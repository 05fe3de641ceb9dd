package browser

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// Fetch is a script's fetch with credentials: "include".
type Fetch struct {
	Method string // GET if empty
	URL    string // may be relative to the page
	Body   string // sent as ContentType
	// ContentType is application/json if empty and there is a body.
	ContentType string
	Header      map[string]string
}

// Answer is what the script gets to see.
type Answer struct {
	Status int
	Header http.Header // without Set-Cookie, which no script sees
	Body   string
}

// JSON reads the body.
func (a *Answer) JSON(into any) error {
	if err := json.Unmarshal([]byte(a.Body), into); err != nil {
		return fmt.Errorf("status %d, body %.200q: %w", a.Status, a.Body, err)
	}
	return nil
}

// Fetch calls an API as a script of the page does: with a preflight where one
// is due, and [ErrCORS] for an answer that the page may not see.
func (t *Tab) Fetch(f Fetch) (*Answer, error) {
	target, err := t.URL.Parse(f.URL)
	if err != nil {
		return nil, err
	}
	r := f.request(target)
	where := relation(t.URL, target)
	r.Header.Set("Sec-Fetch-Mode", "cors")
	r.Header.Set("Sec-Fetch-Dest", "empty")
	r.Header.Set("Sec-Fetch-Site", where)
	crossOrigin := where != "same-origin"
	if crossOrigin || r.Method != http.MethodGet && r.Method != http.MethodHead {
		r.Header.Set("Origin", origin(t.URL))
	}
	if crossOrigin {
		if err := t.preflight(r, f.unsafeHeaders()); err != nil {
			return nil, err
		}
	}
	e, err := t.browser.send(r, where != "cross-site", false)
	if err != nil {
		return nil, err
	}
	if crossOrigin {
		if err := allowed(e.Header, origin(t.URL)); err != nil {
			return nil, fmt.Errorf("%s %s: %w", r.Method, target.Path, err)
		}
	}
	seen := e.Header.Clone()
	seen.Del("Set-Cookie")
	return &Answer{Status: e.Status, Header: seen, Body: string(e.Body)}, nil
}

// Cookies is document.cookie.
func (t *Tab) Cookies() string { return t.browser.Jar.Readable(t.URL) }

func (f Fetch) request(target *url.URL) *http.Request {
	method := f.Method
	if method == "" {
		method = http.MethodGet
	}
	r := request(method, target, strings.NewReader(f.Body))
	if f.Body != "" {
		r.Header.Set("Content-Type", f.contentType())
	}
	for name, value := range f.Header {
		r.Header.Set(name, value)
	}
	return r
}

func (f Fetch) contentType() string {
	if f.ContentType == "" {
		return "application/json"
	}
	return f.ContentType
}

// unsafeHeaders lists the request headers that are not CORS-safelisted.
func (f Fetch) unsafeHeaders() []string {
	var out []string
	if f.Body != "" && !slices.Contains([]string{
		"application/x-www-form-urlencoded", "multipart/form-data", "text/plain",
	}, f.contentType()) {
		out = append(out, "content-type")
	}
	for name := range f.Header {
		if name = strings.ToLower(name); name != "accept" && name != "accept-language" {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

func (t *Tab) preflight(of *http.Request, headers []string) error {
	simple := slices.Contains([]string{http.MethodGet, http.MethodHead, http.MethodPost}, of.Method)
	if simple && len(headers) == 0 {
		return nil
	}
	r := request(http.MethodOptions, of.URL, http.NoBody)
	r.Header.Set("Origin", origin(t.URL))
	r.Header.Set("Access-Control-Request-Method", of.Method)
	if len(headers) > 0 {
		r.Header.Set("Access-Control-Request-Headers", strings.Join(headers, ","))
	}
	e, err := t.browser.roundTrip(r, false)
	if err != nil {
		return err
	}
	if err := allowed(e.Header, origin(t.URL)); err != nil || e.Status < 200 || e.Status > 299 {
		return fmt.Errorf("preflight of %s %s, status %d: %w", of.Method, of.URL.Path, e.Status, ErrCORS)
	}
	if !simple && !lists(e.Header, "Access-Control-Allow-Methods", of.Method) {
		return fmt.Errorf("preflight of %s %s: the method: %w", of.Method, of.URL.Path, ErrCORS)
	}
	for _, name := range headers {
		if !lists(e.Header, "Access-Control-Allow-Headers", name) {
			return fmt.Errorf("preflight of %s %s: header %s: %w", of.Method, of.URL.Path, name, ErrCORS)
		}
	}
	return nil
}

func allowed(h http.Header, origin string) error {
	if h.Get("Access-Control-Allow-Origin") != origin || h.Get("Access-Control-Allow-Credentials") != "true" {
		return ErrCORS
	}
	return nil
}

// lists tells whether a header's list has the item. With credentials, * is none.
func lists(h http.Header, name, item string) bool {
	for _, value := range strings.Split(strings.Join(h.Values(name), ","), ",") {
		if strings.EqualFold(strings.TrimSpace(value), item) {
			return true
		}
	}
	return false
}
