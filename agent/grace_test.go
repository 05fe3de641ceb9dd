package agent

import (
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"oauth-agent/agent/config"
	"oauth-agent/agent/internal/seal"
	"oauth-agent/agent/internal/secret"
	"oauth-agent/test/double"
)

// keyed is the settings with these cookie keys, each written as two characters.
func keyed(t *testing.T, keys string, environ ...string) *config.Config {
	t.Helper()
	var long []string
	for _, key := range strings.Fields(keys) {
		long = append(long, strings.Repeat(key, 32))
	}
	cfg, err := config.Load("", append([]string{
		"ISSUER=http://127.0.0.1:1", "CLIENT_ID=spa", "CLIENT_SECRET=c4nary-secret",
		"REDIRECT_URI=" + testOrigin + "/", "TRUSTED_WEB_ORIGIN=" + testOrigin,
		"COOKIE_ENCRYPTION_KEY=" + strings.Join(long, ","),
	}, environ...))
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

// A key that a reload brings seals when other replicas have it too, whatever else
// is reloaded meanwhile; one that is dropped seals nothing more.
func TestANewKeyOnlyOpensAtFirst(t *testing.T) {
	type step struct {
		after time.Duration // since the step before
		keys  string        // empty: no reload
		seals string        // afterwards
	}
	for name, steps := range map[string][]step{
		"at the start":                    {{0, "a1", "a1"}},
		"new and first":                   {{0, "a1", "a1"}, {0, "b2 a1", "a1"}, {4 * time.Minute, "", "a1"}, {2 * time.Minute, "", "b2"}},
		"reloaded in the meantime":        {{0, "a1", "a1"}, {0, "b2 a1", "a1"}, {4 * time.Minute, "b2 a1", "a1"}, {2 * time.Minute, "b2 a1", "b2"}},
		"another one in the meantime":     {{0, "a1", "a1"}, {0, "b2 a1", "a1"}, {4 * time.Minute, "c3 b2 a1", "a1"}, {2 * time.Minute, "", "a1"}, {4 * time.Minute, "", "c3"}},
		"known before":                    {{0, "a1 b2", "a1"}, {0, "b2 a1", "b2"}},
		"second place, then first":        {{0, "a1", "a1"}, {0, "a1 b2", "a1"}, {0, "b2 a1", "b2"}},
		"two that are new":                {{0, "a1", "a1"}, {0, "c3 b2 a1", "a1"}, {6 * time.Minute, "", "c3"}},
		"the old one is dropped":          {{0, "a1", "a1"}, {0, "b2", "b2"}},
		"dropped in the meantime":         {{0, "a1", "a1"}, {0, "b2 a1", "a1"}, {0, "b2", "b2"}},
		"taken back":                      {{0, "a1", "a1"}, {0, "b2 a1", "a1"}, {0, "a1", "a1"}},
		"later than the time is over":     {{0, "a1", "a1"}, {0, "b2 a1", "a1"}, {6 * time.Minute, "b2 a1", "b2"}, {0, "c3 b2", "b2"}},
		"second, though new, and no more": {{0, "a1", "a1"}, {0, "a1 b2", "a1"}, {6 * time.Minute, "", "a1"}},
	} {
		t.Run(name, func(t *testing.T) {
			var now atomic.Int64
			clock := func() time.Time { return time.Unix(1_700_000_000, now.Load()) }
			l, err := New(t.Context(), keyed(t, steps[0].keys), Options{Transport: noNetwork{}, Clock: clock})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = l.Close() })
			for i, s := range steps {
				now.Add(int64(s.after))
				if i > 0 && s.keys != "" {
					if err := l.Reload(t.Context(), keyed(t, s.keys), l.opt.Log); err != nil {
						t.Fatal(err)
					}
				}
				a := l.current.Load().app
				if got := a.cfg.Cookie.EncryptionKeys[a.ring.Sealing()].Reveal(); got[:2] != s.seals {
					t.Fatalf("step %d: %s seals, want %s", i, got[:2], s.seals)
				}
				sealed, err := a.ring.For("test", 0).Seal([]byte("x"))
				if err != nil {
					t.Fatal(err)
				}
				alone, err := seal.NewRing([]secret.String{secret.New(strings.Repeat(s.seals, 32))})
				if err != nil {
					t.Fatal(err)
				}
				if _, err := alone.For("test", 0).Open(sealed); err != nil {
					t.Fatalf("step %d: %s does not open what was sealed", i, s.seals)
				}
			}
		})
	}
}

// Settings with another authorization server are refused as long as that does not
// answer, and those with the same one are not: it may be down, and they may help.
func TestReloadTriesAnotherServer(t *testing.T) {
	l, err := New(t.Context(), keyed(t, "a1"), Options{Transport: noNetwork{}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	before := l.current.Load()
	err = l.Reload(t.Context(), keyed(t, "a1", "ISSUER=http://127.0.0.1:2"), l.opt.Log)
	if !errors.Is(err, ErrUnreachable) || l.current.Load() != before {
		t.Errorf("another server: %v", err)
	}
	if err := l.Reload(t.Context(), keyed(t, "a1", "CLIENT_ID=other"), l.opt.Log); err != nil || l.current.Load() == before {
		t.Errorf("the same server: %v", err)
	}
	err = l.Reload(t.Context(), keyed(t, "a1", append(pkceEnv(), "CLIENT_ID=other")...), l.opt.Log)
	if !errors.Is(err, ErrUnreachable) {
		t.Errorf("a PKCE proxy more: %v", err)
	}
}

// Settings that are refused say and count nothing as if they served, however often
// they are tried: neither that logins fail, nor that their key opens, nor how old
// that is. All that is told when they are taken.
func TestRefusedSettingsSayNothing(t *testing.T) {
	const there, other = "ISSUER=http://127.0.0.1:1", "ISSUER=http://127.0.0.1:2"
	s := server(true)
	l, err := New(t.Context(), keyed(t, "a1", there, "COOKIE_KEY_CREATED=2026-02-01"), Options{Transport: s})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	ready(t, l, http.StatusOK)
	metrics := func() (out string) {
		for line := range strings.Lines(answerOf(l.Admin(), "GET", "/metrics").Body.String()) {
			if strings.HasPrefix(line, "oauth_agent_cookie_key_created") || strings.HasPrefix(line, "oauth_agent_authorization_server_request_duration_seconds_count") {
				out += line
			}
		}
		return out
	}
	before := metrics()

	s.up.Store(false)
	var log double.Log
	next := func() error {
		return l.Reload(t.Context(), keyed(t, "b2 a1", other, "COOKIE_KEY_CREATED=2026-03-01"), NewLogger(&log, config.Log{}))
	}
	for range 3 {
		if err := next(); !errors.Is(err, ErrUnreachable) {
			t.Fatal(err)
		}
		time.Sleep(20 * time.Millisecond) // for what would go on
	}
	if log.String() != "" || metrics() != before {
		t.Errorf("it says:\n%s%s, before:\n%s", log.String(), metrics(), before)
	}

	s.up.Store(true)
	if err := next(); err != nil {
		t.Fatal(err)
	}
	if text := log.String(); strings.Count(text, "the new cookie key opens") != 1 || strings.Count(text, "\n") != 1 {
		t.Errorf("taken, it says:\n%s", text)
	}
	if created := "oauth_agent_cookie_key_created_timestamp_seconds 1.7723232e+09"; !strings.Contains(metrics(), created) {
		t.Errorf("%s", metrics())
	}
}
