package config

import (
	"strings"
	"testing"
)

// Settings that could never work, since a browser writes them otherwise or
// refuses what comes of them. Each would end in logins that fail, or never end.
func TestMistakesThatABrowserWouldFind(t *testing.T) {
	for _, tt := range []struct{ variable, value, key, reason string }{
		{"TRUSTED_WEB_ORIGIN", "https://*.example.com", "trusted_web_origins", "how a browser writes"},
		{"TRUSTED_WEB_ORIGIN", "https://www.example.*", "trusted_web_origins", "how a browser writes"},
		{"TRUSTED_WEB_ORIGIN", "https://(www).example.com", "trusted_web_origins", "how a browser writes"},
		{"TRUSTED_WEB_ORIGIN", "https://www..example.com", "trusted_web_origins", "how a browser writes"},
		{"TRUSTED_WEB_ORIGIN", "http://[0:0:0:0:0:0:0:1]:3000", "trusted_web_origins", "how a browser writes"},
		{"TRUSTED_WEB_ORIGIN", "https://[2001:DB8::1]", "trusted_web_origins", "how a browser writes"},
		{"TRUSTED_WEB_ORIGIN", "http://[::ffff:127.0.0.1]", "trusted_web_origins", "how a browser writes"},
		{"TRUSTED_WEB_ORIGIN", "https://[fe80::1%25eth0]", "trusted_web_origins", "how a browser writes"},
		{"TRUSTED_WEB_ORIGIN", "http://127.1", "trusted_web_origins", "how a browser writes"},
		{"TRUSTED_WEB_ORIGIN", "http://127.0.0.01", "trusted_web_origins", "how a browser writes"},
		{"TRUSTED_WEB_ORIGIN", "http://0x7f000001", "trusted_web_origins", "how a browser writes"},
		{"PUBLIC_URL", "https://*.example.com", "public_url", "how a browser writes"},

		{"COOKIE_DOMAIN", "com", "cookie.domain", "not a domain"},
		{"COOKIE_DOMAIN", ".com", "cookie.domain", "not a domain"},
		{"COOKIE_DOMAIN", "127.0.0.1", "cookie.domain", "not a domain"},

		{"REDIRECT_URI", "https://münchen.example/", "redirect_uri", "how a browser writes"},
		{"REDIRECT_URI", "https://m%C3%BCnchen.example/", "redirect_uri", "how a browser writes"},
		{"REDIRECT_URI", "http://[0::1]:3000/", "redirect_uri", "how a browser writes"},
		{"REDIRECT_URI", "https://*.example.com/", "redirect_uri", "wildcard"},
		{"REDIRECT_URI", "https://www.example.com/a/../b", "redirect_uri", "dot segment"},
		{"REDIRECT_URI", "https://www.example.com/a/.", "redirect_uri", "dot segment"},
		{"REDIRECT_URI", "https://www.example.com/a/%2E%2e/b", "redirect_uri", "dot segment"},
		{"REDIRECT_URI", "https://www.example.com/a/.%2e", "redirect_uri", "dot segment"},
		{"REDIRECT_URI", `https://www.example.com/a\b`, "redirect_uri", "absolute URI"},
		{"REDIRECT_URI", "https://www.example.com/ä", "redirect_uri", "absolute URI"},
		{"REDIRECT_URI", "https://www.example.com/?state=x&code=1", "redirect_uri", "code in its query"},
		{"REDIRECT_URI", "https://www.example.com/?a=b&%73tate=x", "redirect_uri", "state in its query"},
		{"REDIRECT_URI", "https://www.example.com/?error", "redirect_uri", "error in its query"},
		{"REDIRECT_URI", "https://www.example.com/?iss=x", "redirect_uri", "iss in its query"},
	} {
		t.Run(tt.variable+"="+tt.value, func(t *testing.T) {
			want(t, mistakes(t, "", agentEnv(vars{tt.variable: tt.value})), tt.key, tt.reason)
		})
	}
}

func TestWhatABrowserTakes(t *testing.T) {
	for _, changes := range []vars{
		{"TRUSTED_WEB_ORIGIN": "http://[::1]:3000,https://[2001:db8::1],http://[::ffff:7f00:1]:3000"},
		{"TRUSTED_WEB_ORIGIN": "http://127.0.0.1:3000,https://a_b.example.com,https://xn--mnchen-3ya.example,https://1.example.com."},
		{"REDIRECT_URI": "https://xn--mnchen-3ya.example/a.b/.well-known/...?tab=1&encode=2"},
		{"REDIRECT_URI": "https://WWW.example.com:443"},
		{"REDIRECT_URI": "http://[::1]:3000/"},
		{"COOKIE_DOMAIN": "www.example.com"},
		{"COOKIE_DOMAIN": ".example.com"},
		{"COOKIE_DOMAIN": "other.example", "TRUSTED_WEB_ORIGIN": "https://www.example.com,https://app.other.example"},
	} {
		load(t, "", agentEnv(changes))
	}
}

// An agent on a host of its own has a domain that the page is not under, as with
// Curity's agents: that can be right, and is told.
func TestCookieDomainBesideThePageIsTold(t *testing.T) {
	for domain, told := range map[string]bool{"api.example.com": true, "ample.com": true, "localhost": true, "example.com": false} {
		c := load(t, "", agentEnv(vars{"COOKIE_DOMAIN": domain}))
		if got := strings.Contains(strings.Join(c.Warnings(), " "), "does not cover www.example.com"); got != told {
			t.Errorf("%s: %v", domain, c.Warnings())
		}
	}
	for _, domain := range []string{"ample.com", "a.api.example.com"} {
		want(t, mistakes(t, "", agentEnv(vars{"PUBLIC_URL": "https://api.example.com", "COOKIE_DOMAIN": domain})), "cookie.domain", "does not cover api.example.com")
	}
}

// The host that sets the cookies is the agent's own, where it is known.
func TestCookieDomainCoversThePublicURL(t *testing.T) {
	load(t, "", agentEnv(vars{"PUBLIC_URL": "https://api.example.com:8443", "COOKIE_DOMAIN": "example.com"}))
	want(t, mistakes(t, "", agentEnv(vars{"PUBLIC_URL": "https://api.example.com", "COOKIE_DOMAIN": "www.example.com"})),
		"cookie.domain", "does not cover api.example.com")
	// What cannot be read is told once.
	want(t, mistakes(t, "", agentEnv(vars{"PUBLIC_URL": "api.example.com", "COOKIE_DOMAIN": "www.example.com"})), "public_url", "not a web origin")
}

func TestPlaceholdersAreNoKeys(t *testing.T) {
	for _, digit := range []string{"0", "f", "F"} {
		placeholder := strings.Repeat(digit, 64)
		want(t, mistakes(t, "", agentEnv(vars{"COOKIE_ENCRYPTION_KEY": keyA + "," + placeholder})), "cookie.encryption_keys", "key 2 is a placeholder")
		for variable, key := range map[string]string{"JWT_SIGNING_KEY": "pkce_proxy.signing_key", "ENCRYPTION_KEY": "pkce_proxy.encryption_key"} {
			for _, text := range []string{placeholder, placeholder[:32]} {
				want(t, mistakes(t, "", pkceEnv(vars{variable: text})), key, "a placeholder")
			}
		}
	}
	nothing := vars{"JWT_SIGNING_KEY": "", "JWT_SIGNING_KEY_FILE": writeFile(t, "key", strings.Repeat("\x00", 32))}
	want(t, mistakes(t, "", pkceEnv(nothing)), "pkce_proxy.signing_key", "a placeholder")
	load(t, "", agentEnv(vars{"COOKIE_ENCRYPTION_KEY": "0" + keyA[1:]}))
}
