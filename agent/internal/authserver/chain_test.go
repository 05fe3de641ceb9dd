package authserver

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"oauth-agent/agent/internal/secret"
)

func tokens(access, refresh string) Tokens {
	return Tokens{Access: secret.New(access), Refresh: secret.New(refresh), ID: secret.New("c4nary-id")}
}

func follow(t *testing.T, m *memory, refresh string) newest {
	t.Helper()
	n, err := m.newest(secret.New(refresh))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func remember(t *testing.T, m *memory, spent, access, refresh string, orphan bool) {
	t.Helper()
	if alive, err := m.remember(secret.New(spent), tokens(access, refresh), orphan); !alive || err != nil {
		t.Fatalf("remember %s: alive %v, %v", spent, alive, err)
	}
}

func TestMemoryFollowsTheChain(t *testing.T) {
	clock := newClock()
	mem := newMemory(time.Minute, 1<<20, newProcessSealer(), clock.Now)
	remember(t, mem, "1", "b", "2", false)
	clock.Add(40 * time.Second)
	remember(t, mem, "2", "c", "3", false)
	for _, from := range []string{"1", "2"} {
		if n := follow(t, mem, from); n.refresh.Reveal() != "3" || n.tokens.Access.Reveal() != "c" || !n.usable {
			t.Errorf("from %s: %q %q", from, n.refresh.Reveal(), n.tokens.Access.Reveal())
		}
	}
	if n := follow(t, mem, "3"); n.refresh.Reveal() != "3" || n.serial != 0 || n.usable {
		t.Errorf("from 3: %q, serial %d", n.refresh.Reveal(), n.serial)
	}
	clock.Add(20 * time.Second) // the first is a minute old
	if n := follow(t, mem, "1"); n.serial != 0 {
		t.Error("an entry outlived its time")
	}
	if n := follow(t, mem, "2"); n.refresh.Reveal() != "3" {
		t.Error("an entry went before its time")
	}
	clock.Add(time.Minute)
	follow(t, mem, "x")
	if len(mem.entries) != 0 || mem.size != 0 || mem.order.Len() != 0 {
		t.Errorf("%d entries of %d bytes are left", len(mem.entries), mem.size)
	}
}

func TestMemoryEvictsTheOldest(t *testing.T) {
	clock := newClock()
	mem := newMemory(time.Minute, 10*(entryOverhead+200), newProcessSealer(), clock.Now)
	for i := range 100 {
		remember(t, mem, fmt.Sprint("old", i), "a", fmt.Sprint("new", i), i%7 == 0)
		if mem.size > mem.limit {
			t.Fatalf("%d bytes, limit %d", mem.size, mem.limit)
		}
	}
	if n := mem.order.Len(); n < 8 || n > 14 {
		t.Errorf("%d entries are left", n)
	}
	if n := follow(t, mem, "old99"); n.refresh.Reveal() != "new99" {
		t.Error("the newest was evicted")
	}
	if n := follow(t, mem, "old0"); n.serial != 0 {
		t.Error("the oldest is still there")
	}
	small := newMemory(time.Minute, -1, newProcessSealer(), clock.Now)
	remember(t, small, "a", "b", "c", false) // larger than all there is
	if small.size != 0 {
		t.Errorf("%d bytes", small.size)
	}
}

func TestMemoryKeepsOrphansLonger(t *testing.T) {
	clock := newClock()
	mem := newMemory(time.Minute, 1<<20, newProcessSealer(), clock.Now)
	remember(t, mem, "1", "", "2", true)
	remember(t, mem, "x", "a", "y", false)
	clock.Add(2 * time.Minute)
	if n := follow(t, mem, "1"); n.refresh.Reveal() != "2" || n.usable {
		t.Errorf("the orphan: %q, usable %v", n.refresh.Reveal(), n.usable)
	}
	if len(mem.entries) != 1 {
		t.Error("what is behind an orphan was not swept")
	}
	clock.Add(orphanLife)
	if n := follow(t, mem, "1"); n.serial != 0 {
		t.Error("the orphan outlived its time")
	}
}

// TestMemoryHoldsNothingInTheClear looks at all that the memory keeps.
func TestMemoryHoldsNothingInTheClear(t *testing.T) {
	for name, sealer := range map[string]Sealer{"own": newProcessSealer()} {
		mem := newMemory(time.Minute, 1<<20, sealer, newClock().Now)
		remember(t, mem, "c4nary-old", "c4nary-access", "c4nary-new", false)
		for _, el := range mem.entries {
			if dump := fmt.Sprintf("%+v", el.Value); strings.Contains(dump, "c4nary") {
				t.Errorf("%s: %s", name, dump)
			}
		}
	}
}

type brokenSealer struct{ seal, open error }

func (b brokenSealer) Seal(p []byte) (string, error) { return string(p), b.seal }
func (b brokenSealer) Open(s string) ([]byte, error) { return []byte(s), b.open }

// TestBrokenSealer: a result that cannot be remembered still reaches those who
// wait; one that does not open is not replaced by spending a token twice.
func TestBrokenSealer(t *testing.T) {
	as := newAS(t)
	session := as.enter(as.client())
	var out bytes.Buffer
	client := func(s Sealer) *Client {
		return New(as.config(), Options{Clock: as.clock.Now, Sealer: s, Log: slog.New(slog.NewTextHandler(&out, nil))})
	}
	second := mustRefresh(t, client(brokenSealer{seal: errors.New("full")}), grantOf(session))
	if !strings.Contains(out.String(), "could not be remembered") {
		t.Errorf("not logged: %s", &out)
	}
	c := client(brokenSealer{open: errors.New("no key")})
	mustRefresh(t, c, grantOf(second))
	if _, err := c.Refresh(t.Context(), grantOf(second)); !errors.Is(err, ErrUnavailable) || as.reused() != 0 {
		t.Errorf("error is %v, %d reuses", err, as.reused())
	}
}
