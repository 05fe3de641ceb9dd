package login

import (
	"net/http"
	"net/http/httptest"
	"os"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"oauth-agent/agent/internal/cookie"
	"oauth-agent/agent/internal/seal"
	"oauth-agent/agent/internal/secret"
)

func sample() transaction {
	seconds := 300
	return transaction{
		State: "state", Nonce: "nonce", Verifier: secret.New("verifier"), Created: time.Unix(1_700_000_000, 0),
		OpenID: true, MaxAge: &seconds, ReturnTo: "/orders?page=2#top",
	}
}

// same compares two logins by value.
func same(a, b transaction) bool {
	if (a.MaxAge == nil) != (b.MaxAge == nil) || a.MaxAge != nil && *a.MaxAge != *b.MaxAge || a.Created.Unix() != b.Created.Unix() {
		return false
	}
	a.MaxAge, b.MaxAge, a.Created, b.Created = nil, nil, time.Time{}, time.Time{}
	return reflect.DeepEqual(a, b)
}

func TestTransactionRecord(t *testing.T) {
	zero := 0
	bound := sample()
	bound.Browser = []byte("a hash")
	for _, want := range []transaction{sample(), bound, {}, {State: "s", MaxAge: &zero, Created: time.Unix(-1, 0)}} {
		got, err := readTransaction(want.record())
		if err != nil || !same(got, want) {
			t.Errorf("%+v, %v; want %+v", got, err, want)
		}
	}
	plain := sample().record()
	other := append([]byte(nil), plain...)
	other[1]++ // the version, behind the length of its field
	for name, bad := range map[string][]byte{"nothing": nil, "cut": plain[:len(plain)-1], "with a tail": append(plain[:len(plain):len(plain)], 0, 0), "bound to nothing": append(plain[:len(plain):len(plain)], 0), "another version": other} {
		if got, err := readTransaction(bad); err == nil {
			t.Errorf("%s was read: %+v", name, got)
		}
	}
}

// A login that an older build began is ended by this one, bound or not. The file is
// named after the commit that sealed it.
func TestLoginOfAnOlderBuildIsEnded(t *testing.T) {
	text, err := os.ReadFile("testdata/f7a085f.txt")
	if err != nil {
		t.Fatal(err)
	}
	ring, err := seal.NewRing([]secret.String{secret.New(strings.Repeat("a1", 32))})
	if err != nil {
		t.Fatal(err)
	}
	begun := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	// The clock of a bubble stands before the time of the cookie, which securecookie
	// would find too old otherwise.
	synctest.Test(t, func(t *testing.T) {
		policy := cookie.Policy{NamePrefix: "example", BasePath: "/oauth-agent", Secure: true, Prefixes: true}
		h := New(Options{Jar: cookie.NewJar(policy, ring, 0), Clock: func() time.Time { return begun.Add(time.Minute) }})
		r := httptest.NewRequest(http.MethodPost, "/", nil)
		r.Header.Set("Cookie", strings.TrimSpace(string(text)))
		got, err := h.open(cookie.Read(r), "state-1")
		if err != nil {
			t.Fatal(err)
		}
		seconds := 300
		want := transaction{
			State: "state-1", Nonce: "nonce-1", Verifier: secret.New("verifier-1"), Created: begun,
			OpenID: true, MaxAge: &seconds, ReturnTo: "/orders",
		}
		for i := range want.Seed {
			want.Seed[i] = byte(i + 1)
		}
		if !same(got, want) {
			t.Errorf("%+v, want %+v", got, want)
		}
	})
}

func TestTagHasNoHintAtTheStateAndFitsACookieName(t *testing.T) {
	a, b := tag("state-1"), tag("state-2")
	if a == b || len(a) != 12 || a != tag("state-1") {
		t.Errorf("%q, %q", a, b)
	}
}

func FuzzTransaction(f *testing.F) {
	f.Add(sample().record())
	f.Add(transaction{}.record())
	f.Add([]byte{})
	f.Add([]byte("\x02\x01\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"))
	f.Fuzz(func(t *testing.T, plain []byte) {
		got, err := readTransaction(plain)
		if err != nil {
			return
		}
		if again, err := readTransaction(got.record()); err != nil || !same(got, again) {
			t.Errorf("%+v became %+v, %v", got, again, err)
		}
	})
}
