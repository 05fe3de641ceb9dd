package agent

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"oauth-agent/agent/config"
)

// limitedEnv allows five of each a minute.
func limitedEnv() []string {
	return append(pkceEnv(), "LIMIT_LOGIN_START=5", "LIMIT_TOKEN=5", "TRUSTED_PROXIES=127.0.0.0/8")
}

// spend sends n requests of one client and gives the statuses, and the last answer.
func spend(t *testing.T, srv *httptest.Server, n int, method, path, client string, header ...string) (statuses []int, last *http.Response, body string) {
	t.Helper()
	for range n {
		req, err := http.NewRequest(method, srv.URL+path, strings.NewReader("grant_type=x"))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("X-Forwarded-For", client)
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		for i := 0; i < len(header); i += 2 {
			req.Header.Set(header[i], header[i+1])
		}
		resp, err := srv.Client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		statuses, last, body = append(statuses, resp.StatusCode), resp, string(text)
	}
	return statuses, last, body
}

// count tells how often a status came.
func count(statuses []int, status int) (n int) {
	for _, s := range statuses {
		if s == status {
			n++
		}
	}
	return n
}

func TestLimits(t *testing.T) {
	srv := httptest.NewServer(build(t, limitedEnv()...).Handler())
	defer srv.Close()
	const start, token = "/oauth-agent/login/start", "/oauth/token"
	preflight := []string{"Origin", testOrigin, "Access-Control-Request-Method", "POST"}
	for _, tt := range []struct {
		name, method, path, client string
		header                     []string
		refused                    int // of ten
	}{
		{"a preflight is not counted", "OPTIONS", start, "192.0.2.1", preflight, 0},
		{"nor is a foreign page's", "POST", start, "192.0.2.1", []string{"Origin", "https://evil.example"}, 0},
		{"nor another method", "DELETE", start, "192.0.2.1", []string{"Origin", testOrigin}, 0},
		{"the sixth is too many", "POST", start, "192.0.2.1", []string{"Origin", testOrigin}, 5},
		{"and all after", "POST", start, "192.0.2.1", []string{"Origin", testOrigin}, 10},
		{"a preflight passes though", "OPTIONS", start, "192.0.2.1", preflight, 0},
		{"another client", "POST", start, "192.0.2.2", []string{"Origin", testOrigin}, 5},
		{"who forges", "POST", start, "198.51.100.1, 192.0.2.2", []string{"Origin", testOrigin}, 10},
		{"the session", "GET", "/oauth-agent/session", "192.0.2.1", []string{"Origin", testOrigin}, 0},
		{"the other part counts for itself", "POST", token, "192.0.2.1", nil, 5},
		{"its preflight", "OPTIONS", token, "192.0.2.1", preflight, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			statuses, last, body := spend(t, srv, 10, tt.method, tt.path, tt.client, tt.header...)
			if got := count(statuses, 429); got != tt.refused {
				t.Fatalf("%v", statuses)
			}
			if tt.refused == 0 {
				return
			}
			// 5 a minute: one each 12 seconds.
			if wait := last.Header.Get("Retry-After"); wait != "12" && wait != "11" {
				t.Errorf("Retry-After %q", wait)
			}
			var answer struct{ Code, Error string }
			if err := json.Unmarshal([]byte(body), &answer); err != nil {
				t.Fatal(err)
			}
			if want := tt.path == start; (answer.Code == "too_many_requests") != want || (answer.Error == "temporarily_unavailable") == want {
				t.Errorf("%s", body)
			}
			if last.Header.Get("Cache-Control") != "no-store" {
				t.Errorf("%v", last.Header)
			}
		})
	}
}

// A page of somebody else's can send forms for its visitors, and uses up nothing of
// what they may ask for themselves.
func TestForeignPagesAreCountedApart(t *testing.T) {
	srv := httptest.NewServer(build(t, limitedEnv()...).Handler())
	defer srv.Close()
	const token, client = "/oauth/token", "203.0.113.7"
	for _, origin := range []string{"https://evil.example", "null"} {
		spend(t, srv, 5, "POST", token, client, "Origin", origin)
	}
	if statuses, _, _ := spend(t, srv, 1, "POST", token, client, "Origin", "https://evil.example"); statuses[0] != 429 {
		t.Errorf("the foreign page: %v", statuses)
	}
	if statuses, _, _ := spend(t, srv, 3, "POST", token, client, "Origin", "http://127.0.0.1:4711"); count(statuses, 429) > 0 {
		t.Errorf("the app's page: %v", statuses)
	}
	if statuses, _, _ := spend(t, srv, 3, "POST", token, client); count(statuses, 429) != 1 {
		t.Errorf("an app without pages, from the same address: %v", statuses)
	}
}

// What a foreign page's visitors can ask for is a tenth, and so does not double what
// one address may ask for by naming such a page.
func TestForeignPagesHaveFewCalls(t *testing.T) {
	for limit, want := range map[string]int{"40": 4, "5": 1, "0": 60} {
		srv := httptest.NewServer(build(t, append(limitedEnv(), "LIMIT_TOKEN="+limit)...).Handler())
		defer srv.Close()
		statuses, _, _ := spend(t, srv, 60, "POST", "/oauth/token", "203.0.113.7", "Origin", "https://evil.example")
		if passed := len(statuses) - count(statuses, 429); passed != want {
			t.Errorf("limit %s: %d calls passed, want %d", limit, passed, want)
		}
	}
}

// A revocation goes to the authorization server with the proxy's secret, as a token
// request does: both count together, from foreign pages too.
func TestRevocationsAreLimited(t *testing.T) {
	srv := httptest.NewServer(build(t, append(limitedEnv(), "OAUTH_REVOCATION_URL=http://127.0.0.1:1/revoke")...).Handler())
	defer srv.Close()
	const client = "203.0.113.7"
	if statuses, _, _ := spend(t, srv, 3, "POST", "/oauth/token", client); count(statuses, 429) != 0 {
		t.Errorf("tokens: %v", statuses)
	}
	if statuses, _, _ := spend(t, srv, 10, "POST", "/oauth/revoke", client); count(statuses, 429) != 8 {
		t.Errorf("revocations: %v", statuses)
	}
	if statuses, _, _ := spend(t, srv, 10, "POST", "/oauth/revoke", client, "Origin", "https://evil.example"); count(statuses, 429) != 9 {
		t.Errorf("a foreign page: %v", statuses)
	}
}

// A page that cannot read the refusal cannot act on it.
func TestLimitIsReadableByThePage(t *testing.T) {
	srv := httptest.NewServer(build(t, limitedEnv()...).Handler())
	defer srv.Close()
	for path, origin := range map[string]string{"/oauth-agent/login/start": testOrigin, "/oauth/token": "http://127.0.0.1:4000"} {
		_, last, _ := spend(t, srv, 6, "POST", path, "192.0.2.1", "Origin", origin)
		h := last.Header
		if last.StatusCode != 429 || h.Get("Access-Control-Allow-Origin") != origin || !strings.Contains(h.Get("Access-Control-Expose-Headers"), "Retry-After") {
			t.Errorf("%s: %d %v", path, last.StatusCode, h)
		}
	}
}

func TestLimitIsCounted(t *testing.T) {
	a := build(t, limitedEnv()...)
	srv, admin := httptest.NewServer(a.Handler()), httptest.NewServer(a.Admin())
	defer srv.Close()
	defer admin.Close()
	spend(t, srv, 8, "POST", "/oauth-agent/login/start", "192.0.2.1", "Origin", testOrigin)
	_, _, metrics := spend(t, admin, 1, "GET", "/metrics", "")
	if !strings.Contains(metrics, `oauth_agent_refusals_total{reason="rate_limit"} 3`) {
		t.Errorf("%s", metrics)
	}
}

func TestLimitsOff(t *testing.T) {
	srv := httptest.NewServer(build(t, append(limitedEnv(), "LIMIT_LOGIN_START=0", "LIMIT_TOKEN=0")...).Handler())
	defer srv.Close()
	for _, path := range []string{"/oauth-agent/login/start", "/oauth/token"} {
		if statuses, _, _ := spend(t, srv, 400, "POST", path, "192.0.2.1", "Origin", testOrigin); count(statuses, 429) != 0 {
			t.Errorf("%s: %v", path, statuses)
		}
	}
}

// A reload forgives nobody, and new numbers hold from then on; those of settings
// that are refused never do.
func TestLimitsOutliveAReload(t *testing.T) {
	load := func(environ ...string) *config.Config {
		cfg, err := config.Load("", append([]string{
			"ISSUER=http://127.0.0.1:1", "CLIENT_ID=spa", "CLIENT_SECRET=c4nary-secret",
			"REDIRECT_URI=" + testOrigin + "/", "TRUSTED_WEB_ORIGIN=" + testOrigin,
			"COOKIE_ENCRYPTION_KEY=" + strings.Repeat("a1", 32),
		}, append(limitedEnv(), environ...)...))
		if err != nil {
			t.Fatal(err)
		}
		return cfg
	}
	const refusedIssuer = "http://127.0.0.1:2" // nobody is there
	now := time.Now()                          // it does not pass
	live, err := New(context.Background(), load(), Options{Clock: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = live.Close() }()
	srv := httptest.NewServer(live.Handler())
	defer srv.Close()
	for _, tt := range []struct {
		name    string
		environ []string
		client  string
		refused int // of ten
	}{
		{"before", nil, "192.0.2.1", 5},
		{"the same settings", nil, "192.0.2.1", 10},
		{"more, for who has used his", []string{"LIMIT_LOGIN_START=8", "LIMIT_TOKEN=8"}, "192.0.2.1", 10},
		{"more, for another", []string{"LIMIT_LOGIN_START=8", "LIMIT_TOKEN=8"}, "192.0.2.2", 2},
		{"off, by settings that are refused", []string{"LIMIT_LOGIN_START=0", "LIMIT_TOKEN=0", "ISSUER=" + refusedIssuer}, "192.0.2.2", 10},
		{"few, by settings that are refused", []string{"LIMIT_LOGIN_START=1", "LIMIT_TOKEN=1", "ISSUER=" + refusedIssuer}, "192.0.2.3", 2},
		{"off", []string{"LIMIT_LOGIN_START=0", "LIMIT_TOKEN=0"}, "192.0.2.2", 0},
	} {
		err := live.Reload(context.Background(), load(tt.environ...), slog.New(slog.DiscardHandler))
		if wanted := slices.Contains(tt.environ, "ISSUER="+refusedIssuer); errors.Is(err, ErrUnreachable) != wanted || (err != nil) != wanted {
			t.Fatalf("%s: %v", tt.name, err)
		}
		for path, origin := range map[string]string{"/oauth-agent/login/start": testOrigin, "/oauth/token": "http://127.0.0.1"} {
			if statuses, _, _ := spend(t, srv, 10, "POST", path, tt.client, "Origin", origin); count(statuses, 429) != tt.refused {
				t.Errorf("%s, %s: %v", tt.name, path, statuses)
			}
		}
	}
}
