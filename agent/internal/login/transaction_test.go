package login

import (
	"testing"
	"time"

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
	return a == b
}

func TestTransactionRecord(t *testing.T) {
	zero := 0
	for _, want := range []transaction{sample(), {}, {State: "s", MaxAge: &zero, Created: time.Unix(-1, 0)}} {
		got, err := readTransaction(want.record())
		if err != nil || !same(got, want) {
			t.Errorf("%+v, %v; want %+v", got, err, want)
		}
	}
	plain := sample().record()
	other := append([]byte(nil), plain...)
	other[1]++ // the version, behind the length of its field
	for name, bad := range map[string][]byte{"nothing": nil, "cut": plain[:len(plain)-1], "with a tail": append(plain, 0), "another version": other} {
		if got, err := readTransaction(bad); err == nil {
			t.Errorf("%s was read: %+v", name, got)
		}
	}
}

func TestTagTellsNothingAndFitsACookieName(t *testing.T) {
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
