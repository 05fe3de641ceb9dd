package seal_test

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"oauth-agent/agent/internal/seal"
)

// The operator learns what the caller does not: why a value does not open.
func TestWhyAValueDoesNotOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours := ring(t, key("a"), key("b"))
		box := ours.For("at", time.Minute)
		sealed := func(keys string, purpose string) string {
			value, err := ring(t, key(keys)).For(purpose, 0).Seal([]byte("value"))
			if err != nil {
				t.Fatal(err)
			}
			return value
		}
		fresh, second := sealed("a", "at"), sealed("b", "at")
		for _, good := range []string{fresh, second} {
			if _, err := box.Open(good); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(2 * time.Minute)
		for _, bad := range []struct{ name, value, want string }{
			{"another key", sealed("c", "at"), seal.Key},
			{"another purpose", sealed("a", "auth"), seal.Key},
			{"changed", fresh[:20] + flipped(fresh[20]) + fresh[21:], seal.Key},
			{"too old", fresh, seal.Expired},
			{"too old, by the second key", second, seal.Expired},
			{"empty", "", seal.Malformed},
			{"no base64", "!!!!", seal.Malformed},
			{"no base64 in the middle", "!!!!" + fresh, seal.Malformed},
			{"text", base64.URLEncoding.EncodeToString([]byte("made up")), seal.Malformed},
			{"cut", fresh[:len(fresh)-8], seal.Malformed},
			{"a line break", fresh + "\n", seal.Malformed},
			{"long", strings.Repeat("AAAA", 5000), seal.Malformed},
		} {
			_, err := box.Open(bad.value)
			if !errors.Is(err, seal.ErrSealed) || err.Error() != seal.ErrSealed.Error() || seal.Why(err) != bad.want {
				t.Errorf("%s: %v because of %q, want %q", bad.name, err, seal.Why(err), bad.want)
			}
		}
	})
}

func flipped(c byte) string {
	if c == 'A' {
		return "B"
	}
	return "A"
}
