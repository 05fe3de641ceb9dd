package seal_test

import (
	"encoding/base64"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// The operator learns what the caller does not: why a value does not open.
func TestWhyAValueDoesNotOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told []string
		ours := ring(t, key("a"), key("b"))
		ours.Told = func(purpose, reason string) { told = append(told, purpose+" "+reason) }
		box := ours.For("at", time.Minute)
		seal := func(keys string, purpose string) string {
			sealed, err := ring(t, key(keys)).For(purpose, 0).Seal([]byte("value"))
			if err != nil {
				t.Fatal(err)
			}
			return sealed
		}
		fresh, second := seal("a", "at"), seal("b", "at")
		for _, good := range []string{fresh, second} {
			if _, err := box.Open(good); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(2 * time.Minute)
		for _, bad := range []struct{ name, value, want string }{
			{"another key", seal("c", "at"), "at key"},
			{"another purpose", seal("a", "auth"), "at key"},
			{"changed", fresh[:20] + flipped(fresh[20]) + fresh[21:], "at key"},
			{"too old", fresh, "at expired"},
			{"too old, by the second key", second, "at expired"},
			{"empty", "", "at malformed"},
			{"no base64", "!!!!", "at malformed"},
			{"no base64 in the middle", "!!!!" + fresh, "at malformed"},
			{"text", base64.URLEncoding.EncodeToString([]byte("made up")), "at malformed"},
			{"cut", fresh[:len(fresh)-8], "at malformed"},
			{"a line break", fresh + "\n", "at malformed"},
			{"long", strings.Repeat("AAAA", 5000), "at malformed"},
		} {
			told = nil
			if _, err := box.Open(bad.value); err == nil || !slices.Equal(told, []string{bad.want}) {
				t.Errorf("%s: %v, told %q, want %q", bad.name, err, told, bad.want)
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
