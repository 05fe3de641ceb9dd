package seal_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"oauth-agent/agent/internal/seal"
	"oauth-agent/agent/internal/secret"
)

func key(c string) secret.String { return secret.New(strings.Repeat(c, 64)) }

func ring(t testing.TB, keys ...secret.String) *seal.Ring {
	t.Helper()
	r, err := seal.NewRing(keys)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestNewRingRefusesBadKeys(t *testing.T) {
	for name, keys := range map[string][]secret.String{
		"none":      nil,
		"empty":     {secret.New("")},
		"short":     {secret.New(strings.Repeat("a", 62))},
		"long":      {secret.New(strings.Repeat("a", 66))},
		"not hex":   {secret.New(strings.Repeat("z", 64))},
		"32 bytes":  {secret.New(strings.Repeat("a", 32))},
		"bad later": {key("a"), secret.New("b")},
	} {
		_, err := seal.NewRing(keys)
		if err == nil {
			t.Errorf("%s: accepted", name)
		} else if strings.Contains(err.Error(), "zz") {
			t.Errorf("%s: the error quotes the key: %v", name, err)
		}
	}
}

func TestSealedValueOpensUnchanged(t *testing.T) {
	box := ring(t, key("a")).For("at", 0)
	for _, plain := range [][]byte{[]byte("x"), {0, 1, 2, 255}, bytes.Repeat([]byte("long"), 5000)} {
		before := bytes.Clone(plain)
		sealed, err := box.Seal(plain)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(plain, before) {
			t.Fatal("Seal changed its argument")
		}
		got, err := box.Open(sealed)
		if err != nil || !bytes.Equal(got, plain) {
			t.Fatalf("Open = %d bytes, %v; want %d bytes", len(got), err, len(plain))
		}
	}
}

func TestNothingToSealIsAnError(t *testing.T) {
	if _, err := ring(t, key("a")).For("at", 0).Seal(nil); err == nil {
		t.Fatal("an empty value was sealed; it would never open")
	}
}

func TestEverySealIsDifferent(t *testing.T) {
	box := ring(t, key("a")).For("at", 0)
	a, _ := box.Seal([]byte("same"))
	b, _ := box.Seal([]byte("same"))
	if a == b {
		t.Fatal("the same value sealed twice gives the same text: no fresh nonce")
	}
}

func TestKeysAreReplacedWithoutLoggingOut(t *testing.T) {
	old, both, late := ring(t, key("a")), ring(t, key("b"), key("a")), ring(t, key("b"))
	sealed, _ := old.For("at", 0).Seal([]byte("v"))
	if _, err := both.For("at", 0).Open(sealed); err != nil {
		t.Errorf("the second key does not open: %v", err)
	}
	if _, err := late.For("at", 0).Open(sealed); !errors.Is(err, seal.ErrSealed) {
		t.Errorf("a key that is gone still opens: %v", err)
	}
	fresh, _ := both.For("at", 0).Seal([]byte("v"))
	if _, err := late.For("at", 0).Open(fresh); err != nil {
		t.Errorf("the first key does not seal: %v", err)
	}
}

func TestPurposesAreApart(t *testing.T) {
	r := ring(t, key("a"))
	purposes := []string{"x-at", "x-auth", "x-id", "x-csrf", "x-login", "y-at"}
	for _, p := range purposes {
		sealed, _ := r.For(p, 0).Seal([]byte("v"))
		for _, q := range purposes {
			if _, err := r.For(q, 0).Open(sealed); (err == nil) != (p == q) {
				t.Errorf("sealed for %s, opened for %s: %v", p, q, err)
			}
		}
	}
}

func TestEveryChangedCharacterIsSeen(t *testing.T) {
	box := ring(t, key("a")).For("at", 0)
	sealed, _ := box.Seal([]byte("an access token"))
	for i := range sealed {
		for bit := range 8 {
			b := []byte(sealed)
			b[i] ^= 1 << bit
			if _, err := box.Open(string(b)); err == nil {
				t.Fatalf("byte %d, bit %d flipped: still opens", i, bit)
			}
		}
	}
	for i := range sealed {
		if _, err := box.Open(sealed[:i]); err == nil {
			t.Fatalf("cut to %d: still opens", i)
		}
	}
	for _, s := range []string{sealed + "=", sealed + "A", sealed + sealed, " " + sealed, sealed + "\n", sealed[:9] + "\r\n" + sealed[9:]} {
		if _, err := box.Open(s); err == nil {
			t.Errorf("%q: still opens", s)
		}
	}
}

func TestAge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		box := ring(t, key("a")).For("login", 15*time.Minute)
		sealed, _ := box.Seal([]byte("v"))
		time.Sleep(15 * time.Minute)
		if _, err := box.Open(sealed); err != nil {
			t.Errorf("at its limit: %v", err)
		}
		time.Sleep(2 * time.Second)
		if _, err := box.Open(sealed); err == nil {
			t.Error("past its limit: still opens")
		}
	})
}

func TestFields(t *testing.T) {
	in := [][]byte{{1}, nil, []byte("token"), bytes.Repeat([]byte{7}, 300)}
	out, err := seal.Unpack(seal.Pack(in...), len(in))
	if err != nil {
		t.Fatal(err)
	}
	for i := range in {
		if !bytes.Equal(in[i], out[i]) {
			t.Errorf("field %d: %v", i, out[i])
		}
	}
	record := seal.Pack(in...)
	for n := range 8 {
		if _, err := seal.Unpack(record, n); (err == nil) != (n == len(in)) {
			t.Errorf("read as %d fields: %v", n, err)
		}
	}
	for i := range record {
		if _, err := seal.Unpack(record[:i], len(in)); err == nil {
			t.Errorf("cut to %d: accepted", i)
		}
	}
}

func FuzzOpen(f *testing.F) {
	box := ring(f, key("a"), key("b")).For("at", 0)
	good, _ := box.Seal([]byte("v"))
	f.Add(good)
	f.Add("")
	f.Add("====")
	f.Fuzz(func(t *testing.T, s string) {
		// Each process of the fuzzer has sealed its own good one.
		if plain, err := box.Open(s); err == nil && string(plain) != "v" {
			t.Fatalf("%q was never sealed, yet opens", s)
		}
	})
}

func FuzzUnpack(f *testing.F) {
	f.Add(seal.Pack([]byte("a"), nil), 2)
	f.Fuzz(func(t *testing.T, record []byte, n int) {
		if n < 0 || n > 64 {
			return
		}
		fields, err := seal.Unpack(record, n)
		if err == nil && len(fields) != n {
			t.Fatalf("%d fields, want %d", len(fields), n)
		}
	})
}

func BenchmarkSeal(b *testing.B) {
	box := ring(b, key("a")).For("at", 0)
	plain := make([]byte, 1024)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := box.Seal(plain); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkOpen(b *testing.B) {
	box := ring(b, key("a")).For("at", 0)
	sealed, _ := box.Seal(make([]byte, 1024))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := box.Open(sealed); err != nil {
			b.Fatal(err)
		}
	}
}
