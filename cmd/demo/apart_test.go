package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"oauth-agent/test/double"
	"oauth-agent/test/idp"
)

func TestSecretsAreMadeOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	text := func(name string) string {
		if err := run(t.Context(), []string{"secrets", dir}, io.Discard, io.Discard); err != nil {
			t.Fatal(err)
		}
		content, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(content)
	}
	key, secret := text("cookie-keys"), text("client-secret")
	if len(key) != 65 || key == secret || key != text("cookie-keys") {
		t.Errorf("%d characters; the same as the secret: %v", len(key), key == secret)
	}
	if info, err := os.Stat(filepath.Join(dir, "cookie-keys")); err != nil || info.Mode() != 0o400 {
		t.Errorf("%v %v", info.Mode(), err)
	}
}

func TestPartsWantWhatTheyNeed(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{
		{"secrets"}, {"secrets", "/does/not/exist"}, {"secrets", "a", "b"}, {"secrets", "-x"},
		{"provider"}, {"provider", "x"}, {"provider", "-client-secret-file", "/does/not/exist"},
		{"api", "x"}, {"api", "-listen", "nowhere:x"}, {"health"}, {"health", "::"}, {"health", "http://127.0.0.1:1"},
	} {
		if err := run(t.Context(), args, io.Discard, io.Discard); err == nil {
			t.Errorf("%v: no error", args)
		}
	}
}

// The API knows its users by the provider alone, each in a process of its own.
func TestPartsWorkTogether(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	secret := filepath.Join(dir, "client-secret")
	if err := os.WriteFile(secret, []byte("c4nary\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	provider, api := double.FreeAddress(t), double.FreeAddress(t)
	issuer := "http://" + provider
	startPart(t, issuer+"/.well-known/openid-configuration", "provider", "-listen", provider, "-issuer", issuer, "-client-secret-file", secret)
	startPart(t, "http://"+api, "api", "-listen", api, "-userinfo", issuer+"/userinfo")
	token := accessToken(t, issuer)
	for authorization, want := range map[string]int{"Bearer " + token: 200, "Bearer x": 401, "": 401} {
		req, _ := http.NewRequestWithContext(t.Context(), "GET", "http://"+api+"/api/orders", nil)
		req.Header.Set("Authorization", authorization)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("%.10s: %d", authorization, resp.StatusCode)
		}
	}
}

// startPart runs a part until the test ends, and waits until it is healthy.
func startPart(t *testing.T, url string, args ...string) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- run(ctx, args, io.Discard, io.Discard) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	for range 500 {
		if run(t.Context(), []string{"health", url}, io.Discard, io.Discard) == nil {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("%s is not healthy", url)
}

// accessToken logs in as the agent would, but for PKCE, which is not asked of a
// client with a secret.
func accessToken(t *testing.T, issuer string) string {
	t.Helper()
	back, err := idp.Login(t.Context(), nil, fmt.Sprintf(
		"%s/authorize?response_type=code&client_id=%s&redirect_uri=http://localhost:8080/&scope=openid&state=s", issuer, clientID), "ada", "ada")
	if err != nil {
		t.Fatal(err)
	}
	_, query, _ := strings.Cut(back, "code=")
	code, _, _ := strings.Cut(query, "&")
	body := "grant_type=authorization_code&redirect_uri=http://localhost:8080/&code=" + code
	req, _ := http.NewRequestWithContext(t.Context(), "POST", issuer+"/token", bytes.NewReader([]byte(body)))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.SetBasicAuth(clientID, "c4nary")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	var answer struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil || answer.AccessToken == "" {
		t.Fatalf("%d %v", resp.StatusCode, err)
	}
	return answer.AccessToken
}
