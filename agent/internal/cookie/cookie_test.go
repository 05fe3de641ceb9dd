package cookie_test

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"oauth-agent/agent/internal/cookie"
	"oauth-agent/agent/internal/seal"
	"oauth-agent/agent/internal/secret"
)

func jar(t testing.TB, p cookie.Policy) *cookie.Jar {
	t.Helper()
	ring, err := seal.NewRing([]secret.String{secret.New(strings.Repeat("ab", 32))})
	if err != nil {
		t.Fatal(err)
	}
	return cookie.NewJar(p, ring, 0)
}

func plainPolicy() cookie.Policy {
	return cookie.Policy{NamePrefix: "example", BasePath: "/oauth-agent"}
}

// request is what a browser with these cookies would send.
func request(cookies ...*http.Cookie) *cookie.RequestCookies {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	for _, c := range cookies {
		if c.MaxAge >= 0 {
			r.AddCookie(c)
		}
	}
	return cookie.Read(r)
}

func set(t testing.TB, j *cookie.Jar, got *cookie.RequestCookies, k cookie.Kind, tag string, plain []byte) []*http.Cookie {
	t.Helper()
	w := httptest.NewRecorder()
	if err := j.Set(w, got, k, tag, plain, 0); err != nil {
		t.Fatal(err)
	}
	for _, line := range w.Header().Values("Set-Cookie") {
		if len(line) > cookie.MaxSize {
			t.Fatalf("a cookie of %d bytes", len(line))
		}
	}
	return w.Result().Cookies()
}

func TestNamesPathsAndAttributes(t *testing.T) {
	for _, tt := range []struct {
		name   string
		policy cookie.Policy
		kind   cookie.Kind
		want   string
	}{
		{"http", cookie.Policy{NamePrefix: "example", BasePath: "/oauth-agent", Prefixes: true}, cookie.Access,
			"example-at=v; Path=/; HttpOnly; SameSite=Strict"},
		{"http, base path", cookie.Policy{NamePrefix: "example", BasePath: "/oauth-agent", Prefixes: true}, cookie.Refresh,
			"example-auth=v; Path=/oauth-agent; HttpOnly; SameSite=Strict"},
		{"https, root", cookie.Policy{NamePrefix: "example", BasePath: "/oauth-agent", Secure: true, Prefixes: true}, cookie.CSRF,
			"__Host-Http-example-csrf=v; Path=/; HttpOnly; Secure; SameSite=Strict"},
		{"https, base path", cookie.Policy{NamePrefix: "example", BasePath: "/oauth-agent", Secure: true, Prefixes: true}, cookie.ID,
			"__Secure-example-id=v; Path=/oauth-agent; HttpOnly; Secure; SameSite=Strict"},
		{"https, base path /", cookie.Policy{NamePrefix: "example", BasePath: "/", Secure: true, Prefixes: true}, cookie.Refresh,
			"__Host-Http-example-auth=v; Path=/; HttpOnly; Secure; SameSite=Strict"},
		{"https, domain", cookie.Policy{NamePrefix: "example", Domain: "example.com", Secure: true, Prefixes: true}, cookie.Access,
			"__Secure-example-at=v; Path=/; Domain=example.com; HttpOnly; Secure; SameSite=Strict"},
		{"https, prefixes off", cookie.Policy{NamePrefix: "example", Secure: true}, cookie.Access,
			"example-at=v; Path=/; HttpOnly; Secure; SameSite=Strict"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := httptest.NewRecorder()
			if err := jar(t, tt.policy).Set(w, request(), tt.kind, "", []byte("x"), 0); err != nil {
				t.Fatal(err)
			}
			got := w.Header().Get("Set-Cookie")
			name, rest, _ := strings.Cut(got, "=")
			_, attributes, _ := strings.Cut(rest, "; ")
			if got := name + "=v; " + attributes; got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

// Curity's Node and Kotlin agents set the refresh cookie with one path and
// clear it with another, so that it outlives the logout.
func TestClearingUsesTheAttributesOfSetting(t *testing.T) {
	for _, policy := range []cookie.Policy{
		plainPolicy(),
		{NamePrefix: "example", BasePath: "/api", Domain: "example.com", Secure: true, Prefixes: true},
		{NamePrefix: "example", BasePath: "/", Secure: true, Prefixes: true},
	} {
		j := jar(t, policy)
		for _, kind := range cookie.Kinds() {
			had := set(t, j, request(), kind, "", bytes.Repeat([]byte("x"), 5000))
			w := httptest.NewRecorder()
			j.Clear(w, request(had...), kind, "")
			cleared := w.Result().Cookies()
			if len(cleared) != len(had) {
				t.Fatalf("%s: %d set, %d cleared", kind, len(had), len(cleared))
			}
			for i, c := range cleared {
				if c.Name != had[i].Name || c.Path != had[i].Path || c.Domain != had[i].Domain || c.Secure != had[i].Secure {
					t.Errorf("set %v, cleared %v", had[i], c)
				}
				if c.MaxAge >= 0 || c.Value != "" || c.Expires.After(time.Unix(10, 0)) {
					t.Errorf("not cleared: %v", c)
				}
			}
		}
	}
}

func TestLargeValuesAreSplitAndJoined(t *testing.T) {
	j := jar(t, cookie.Policy{NamePrefix: "example", BasePath: "/oauth-agent", Secure: true, Prefixes: true})
	for _, size := range []int{1, 1000, 2100, 2150, 2200, 2250, 4500, 9000, 10500} {
		plain := bytes.Repeat([]byte{byte(size)}, size)
		cookies := set(t, j, request(), cookie.Refresh, "", plain)
		slices.Reverse(cookies) // their order does not matter
		got, err := j.Open(request(cookies...), cookie.Refresh, "")
		if err != nil || !bytes.Equal(got, plain) {
			t.Errorf("%d bytes in %d cookies: %v", size, len(cookies), err)
		}
		for i := range cookies {
			if len(cookies) == 1 {
				break
			}
			if _, err := j.Open(request(slices.Delete(slices.Clone(cookies), i, i+1)...), cookie.Refresh, ""); err == nil {
				t.Errorf("%d bytes: opens without piece %d", size, i)
			}
		}
	}
}

func TestStalePiecesAreCleared(t *testing.T) {
	j := jar(t, plainPolicy())
	long := set(t, j, request(), cookie.Access, "", make([]byte, 9000))
	short := set(t, j, request(long...), cookie.Access, "", []byte("short"))
	if len(long) < 4 || len(short) != len(long) {
		t.Fatalf("%d cookies, then %d: every stale piece must be cleared", len(long), len(short))
	}
	for i, c := range short {
		if (c.MaxAge < 0) != (i > 0) || c.Name != long[i].Name {
			t.Errorf("cookie %d: %v", i, c)
		}
	}
	// A stale piece that the browser kept all the same does no harm.
	if got, err := j.Open(request(append(short[:1:1], long[1:]...)...), cookie.Access, ""); err != nil || string(got) != "short" {
		t.Errorf("beside stale pieces: %q, %v", got, err)
	}
}

func TestTooLargeIsAnErrorThatNamesTheSize(t *testing.T) {
	j := jar(t, plainPolicy())
	w := httptest.NewRecorder()
	err := j.Set(w, request(), cookie.Access, "", make([]byte, 20000), 0)
	var size *cookie.SizeError
	if !errors.As(err, &size) || size.Size < 20000 || size.Limit >= size.Size {
		t.Fatalf("err = %v", err)
	}
	if len(w.Header()) != 0 {
		t.Errorf("something was set: %v", w.Header())
	}
	if j.Fits(cookie.Access, make([]byte, 20000)) == nil || j.Fits(cookie.Access, make([]byte, 2000)) != nil {
		t.Error("Fits disagrees with Set")
	}
}

func TestOpenWithDuplicates(t *testing.T) {
	j := jar(t, plainPolicy())
	good := set(t, j, request(), cookie.Access, "", make([]byte, 5000))
	var bad []*http.Cookie
	for _, c := range good {
		bad = append(bad, &http.Cookie{Name: c.Name, Value: "planted"})
	}
	for name, cookies := range map[string][]*http.Cookie{
		"planted first":     append(slices.Clone(bad), good...),
		"planted last":      append(slices.Clone(good), bad...),
		"the same twice":    append(slices.Clone(good), good...),
		"one piece planted": append(slices.Clone(bad[:1]), good...),
		"many first":        append(slices.Repeat(bad, 40), good...),
		"many last":         append(slices.Clone(good), slices.Repeat(bad, 40)...),
		"many first pieces": append(slices.Repeat(bad[:1], 700), good...),
		"between":           slices.Concat(bad, bad, good, bad[1:]),
		"second pieces":     slices.Concat(bad[1:2], good, bad[1:2], bad[:1]),
	} {
		if _, err := j.Open(request(cookies...), cookie.Access, ""); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := j.Open(request(bad...), cookie.Access, ""); !errors.Is(err, seal.ErrSealed) {
		t.Errorf("only planted ones: %v", err)
	}
	if _, err := j.Open(request(), cookie.Access, ""); !errors.Is(err, cookie.ErrNone) {
		t.Errorf("none: %v", err)
	}
}

// Pieces that join in billions of ways cost no more than a few headers of bytes.
func TestPiecesThatJoinInManyWays(t *testing.T) {
	j := jar(t, plainPolicy())
	for name, piece := range map[string]string{"empty": "", "short": "x", "long": strings.Repeat("A", 4000)} {
		var cookies []*http.Cookie
		for range min(500, 90<<10/(5*(len(piece)+20))) {
			cookies = append(cookies, &http.Cookie{Name: "example-at", Value: "5." + piece})
			for i := 1; i < cookie.MaxPieces; i++ {
				cookies = append(cookies, &http.Cookie{Name: fmt.Sprintf("example-at-%d", i), Value: piece})
			}
		}
		began := time.Now()
		if _, err := j.Open(request(cookies...), cookie.Access, ""); !errors.Is(err, seal.ErrSealed) {
			t.Errorf("%s: %v", name, err)
		}
		if took := time.Since(began); took > 2*time.Second {
			t.Errorf("%s pieces: %d cookies took %v", name, len(cookies), took)
		}
	}
}

func TestKindsAndTagsAreApart(t *testing.T) {
	j := jar(t, plainPolicy())
	login := set(t, j, request(), cookie.Login, "aaaa", []byte("v"))[0]
	if got := j.Tags(request(login, &http.Cookie{Name: "example-login-1", Value: "x"}, &http.Cookie{Name: "other", Value: "x"}), cookie.Login); !slices.Equal(got, []string{"aaaa"}) {
		t.Errorf("Tags = %v", got)
	}
	for _, k := range cookie.Kinds() {
		swapped := &http.Cookie{Name: j.Name(k, ""), Value: login.Value}
		if _, err := j.Open(request(swapped), k, ""); (err == nil) != (k == cookie.Login) {
			t.Errorf("a login value as %s: %v", k, err)
		}
	}
}

func TestOwns(t *testing.T) {
	p := plainPolicy()
	for name, want := range map[string]bool{
		"example-at": true, "example-at-1": true, "__Host-Http-example-at": true, "__Secure-example-auth-2": true,
		"__host-example-csrf": true, "EXAMPLE-AT": true, "example-login-Zm9v": true, "example-logout": true,
		"example": false, "example-": false, "example-atlas": false, "other-at": false, "example-theme": false,
		"__Host-": false, "": false, "xexample-at": false,
	} {
		if got := p.Owns(name); got != want {
			t.Errorf("Owns(%q) = %v", name, got)
		}
	}
}

func FuzzOpen(f *testing.F) {
	j := jar(f, plainPolicy())
	f.Add("example-at=x; example-at-1=y")
	f.Add("example-at=3.x; example-at-1=y; example-at-2=")
	f.Add("example-at=9.; example-at=2.x; example-at-1=")
	f.Fuzz(func(t *testing.T, header string) {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header.Set("Cookie", header)
		got := cookie.Read(r)
		if _, err := j.Open(got, cookie.Access, ""); err == nil {
			t.Fatalf("%q opens", header)
		}
		j.Clear(httptest.NewRecorder(), got, cookie.Access, "")
	})
}

// observed collects what a jar reports.
type observed struct {
	kinds    []cookie.Kind
	sizes    []int
	unopened []string
}

func (o *observed) CookieSet(k cookie.Kind, bytes int) {
	o.kinds, o.sizes = append(o.kinds, k), append(o.sizes, bytes)
}

func (o *observed) UnsealFailed(k cookie.Kind, reason string) {
	o.unopened = append(o.unopened, string(k)+" "+reason)
}

// The size of a value is reported once, over all its pieces as the browser gets them.
func TestSizesAreObserved(t *testing.T) {
	o := &observed{}
	j := jar(t, plainPolicy()).WithObserver(o)
	for i, size := range []int{100, 5000} {
		w := httptest.NewRecorder()
		if err := j.Set(w, request(), cookie.Access, "", bytes.Repeat([]byte("x"), size), 0); err != nil {
			t.Fatal(err)
		}
		want := 0
		for _, line := range w.Header().Values("Set-Cookie") {
			want += len(line)
		}
		if len(o.sizes) != i+1 || o.sizes[i] != want || o.kinds[i] != cookie.Access || i == 1 && want < 2*cookie.MaxSize {
			t.Errorf("%d bytes: reported %v of %v, want %d", size, o.sizes, o.kinds, want)
		}
	}
}

// A client can send any number of cookies that do not open: a request reports one of
// each kind.
func TestAFailureToOpenIsObservedOnceARequestAndKind(t *testing.T) {
	o := &observed{}
	j := jar(t, plainPolicy()).WithObserver(o)
	got := request(&http.Cookie{Name: "example-at", Value: "x"}, &http.Cookie{Name: "example-at", Value: "y"}, &http.Cookie{Name: "example-id", Value: "z"})
	for range 2 {
		for _, k := range []cookie.Kind{cookie.Access, cookie.ID, cookie.CSRF} {
			_, _ = j.Open(got, k, "")
		}
	}
	if want := []string{"at malformed", "id malformed"}; !slices.Equal(o.unopened, want) {
		t.Errorf("reported %v, want %v", o.unopened, want)
	}
}

// What is sealed together with the hash is of use where the cookie is, and the
// cookie has a name that keeps neighbours from planting it.
func TestBind(t *testing.T) {
	secure := cookie.Policy{NamePrefix: "example", BasePath: "/oauth-agent", Secure: true, Prefixes: true}
	j := jar(t, secure)
	w := httptest.NewRecorder()
	sum := j.Bind(w, "tag", time.Minute)
	got := w.Result().Cookies()
	if len(got) != 1 || got[0].Name != "__Host-Http-example-browser-tag" || got[0].Path != "/" || got[0].Domain != "" ||
		!got[0].Secure || !got[0].HttpOnly || got[0].SameSite != http.SameSiteStrictMode || got[0].MaxAge != 60 {
		t.Fatalf("%v", got)
	}
	if len(sum) != 32 || len(got[0].String()) > 160 {
		t.Errorf("a hash of %d bytes, a cookie of %d", len(sum), len(got[0].String()))
	}
	planted := &http.Cookie{Name: got[0].Name, Value: "planted"}
	other := &http.Cookie{Name: j.Name(cookie.Browser, "other"), Value: got[0].Value}
	for name, tt := range map[string]struct {
		cookies []*http.Cookie
		want    bool
	}{
		"the cookie": {got, true}, "none": {nil, false}, "another": {[]*http.Cookie{planted}, false},
		"of another tag": {[]*http.Cookie{other}, false}, "among others": {[]*http.Cookie{planted, got[0], planted}, true},
	} {
		if j.Bound(request(tt.cookies...), "tag", sum) != tt.want {
			t.Errorf("%s: %v", name, !tt.want)
		}
	}
	if j.Bound(request(got...), "tag", nil) || j.Bound(request(got...), "tag", sum[:31]) {
		t.Error("bound to no hash")
	}
	if again := j.Bind(httptest.NewRecorder(), "tag", time.Minute); bytes.Equal(again, sum) {
		t.Error("the same value twice")
	}
	for name, change := range map[string]func(*cookie.Policy){
		"http":     func(p *cookie.Policy) { p.Secure = false },
		"domain":   func(p *cookie.Policy) { p.Domain = "example.com" },
		"prefixes": func(p *cookie.Policy) { p.Prefixes = false },
	} {
		p := secure
		change(&p)
		w := httptest.NewRecorder()
		if sum := jar(t, p).Bind(w, "tag", time.Minute); sum != nil || len(w.Header()) != 0 {
			t.Errorf("%s: bound by a cookie that can be planted", name)
		}
	}
}
