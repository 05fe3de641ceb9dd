package config

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// What an env-file, a shell, an editor or Windows leaves in a value.
func leftovers(value string) map[string]string {
	return map[string]string{
		"in double quotes":       `"` + value + `"`,
		"in single quotes":       `'` + value + `'`,
		"in quotes with \\n":     `"` + value + `\n"`,
		"with \\n":               value + `\n`,
		"with a line break":      value + "\n",
		"with one of Windows":    value + "\r",
		"after a mark":           "\ufeff" + value,
		"after a mark of UTF-16": "\xff\xfe" + value,
	}
}

// Every variable of the settings: one mistake, which names it, and no other.
func TestLeftoversInTheEnvironment(t *testing.T) {
	both := append(agentEnv(nil), pkceEnv(nil)...)
	for _, s := range settings(reflect.TypeFor[Config](), "") {
		_, value, _ := samples(s.kind)
		if s.key == "routes" {
			value = "/api=http://127.0.0.1:9000"
		}
		if strings.HasSuffix(s.key, "_file") {
			value = writeFile(t, "secret", strings.Repeat("c4", 32))
		}
		for _, kv := range both {
			if v, ok := strings.CutPrefix(kv, s.env+"="); ok {
				value = v
			}
		}
		for name, text := range leftovers(value) {
			if s.isList() && strings.TrimSpace(text) == strings.TrimSpace(value) {
				continue // the items of lists are trimmed
			}
			_, err := Load("", append(slices.Clone(both), s.env+"="+text))
			var found Mistakes
			if ms, ok := err.(Mistakes); ok {
				found = slices.DeleteFunc(ms, func(m Mistake) bool { return m.Env != s.env })
			}
			if len(found) != 1 || !strings.Contains(found[0].String(), "("+s.env+")") || strings.Contains(fmt.Sprint(err), canary) {
				t.Errorf("%s %s: %v", s.env, name, err)
			}
		}
	}
}

// Every id and secret, wherever it comes from (RFC 6749 A.1, A.2).
func TestIDsAndSecretsAreOfTheirCharacters(t *testing.T) {
	for key, variable := range map[string]string{
		"client_id": "CLIENT_ID", "client_secret": "CLIENT_SECRET",
		"pkce_proxy.client_id": "OAUTH_CLIENT_ID", "pkce_proxy.client_secret": "OAUTH_CLIENT_SECRET",
	} {
		both := append(agentEnv(nil), pkceEnv(nil)...)
		without := slices.DeleteFunc(slices.Clone(both), func(kv string) bool { return strings.HasPrefix(kv, variable+"=") })
		bad := leftovers(canary)
		bad["with a blank before"], bad["with a blank behind"], bad["with a tab"] = " "+canary, canary+" ", canary+"\t"
		bad["with a line break inside"], bad["beyond ASCII"], bad["with a control character"] = canary+"\nx", canary+"ä", canary+"\x01"
		for name, text := range bad {
			want(t, mistakes(t, "", append(without, variable+"="+text)), key, "")
			section, last, nested := strings.Cut(key, ".")
			yaml := fmt.Sprintf("%s: %s", section, yamlText(text))
			if nested {
				yaml = fmt.Sprintf("%s: {%s: %s}", section, last, yamlText(text))
			}
			if strings.Contains(name, "UTF-16") {
				continue // no YAML has that in a text
			}
			want(t, mistakes(t, writeFile(t, "agent.yaml", yaml), without), key, "")
		}
		for _, good := range []string{"a b", `a"b`, `"a`, "'", `\`, "!#$%&()*+,-./:;<=>?@[]^_`{|}~", `a\nb`} {
			load(t, "", append(without, variable+"="+good))
		}
	}
}

// yamlText writes a text in double quotes, as YAML escapes it.
func yamlText(text string) string {
	escaped := strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\r", `\r`, "\t", `\t`, "\x01", `\x01`, "\ufeff", `\ufeff`).Replace(text)
	return `"` + escaped + `"`
}

// Every file with a secret.
func TestLeftoversInFiles(t *testing.T) {
	both := append(agentEnv(nil), pkceEnv(nil)...)
	var c Config
	for _, s := range c.secrets() {
		value := strings.Repeat("c4", 32)
		without := slices.DeleteFunc(slices.Clone(both), func(kv string) bool { return strings.HasPrefix(kv, s.env+"=") })
		for name, text := range leftovers(value) {
			environ := append(without, s.env+"_FILE="+writeFile(t, "secret", text))
			if strings.TrimSpace(text) == value {
				load(t, "", environ) // a line break at the end is taken off
				continue
			}
			ms := mistakes(t, "", environ)
			if len(ms) != 1 || ms[0].Key != s.key+"_file" || ms[0].Env != s.env+"_FILE" {
				t.Errorf("%s %s: %v", s.env, name, ms)
			}
		}
	}
	for name, content := range map[string]string{"a blank": canary + " ", "two lines": canary + "\nx"} {
		environ := agentEnv(vars{"CLIENT_SECRET": "", "CLIENT_SECRET_FILE": writeFile(t, "secret", content)})
		if ms := mistakes(t, "", environ); len(ms) != 1 || ms[0].Key != "client_secret" {
			t.Errorf("%s: %v", name, ms)
		}
	}
}

// A raw key of the PKCE proxy is any bytes.
func TestRawKeysMayLookLikeLeftovers(t *testing.T) {
	for _, key := range []string{`"` + strings.Repeat("a", 30) + `"`, "\xff\xfe" + strings.Repeat("a", 30), strings.Repeat("a", 31) + "\n"} {
		load(t, "", pkceEnv(vars{"JWT_SIGNING_KEY": key}))
	}
}

// The settings themselves may come from an editor of Windows.
func TestSettingsFileOfWindows(t *testing.T) {
	const yaml = "port: 9000\r\nclient_id: other\r\n"
	for name, text := range map[string]string{"line ends": yaml, "a byte order mark": "\ufeff" + yaml} {
		if c := load(t, text, agentEnv(vars{"CLIENT_ID": ""})); c.Port != 9000 || c.ClientID != "other" {
			t.Errorf("%s: port %d, client id %q", name, c.Port, c.ClientID)
		}
	}
}

func TestScopeTokens(t *testing.T) {
	for _, wrong := range []string{"openid,profile", "openid, profile", "openid;profile", "openid+profile", "openid%20profile",
		"openid|email", ",openid", "orders,email", `op"enid`, `open\id`, "'openid'", "ö"} {
		want(t, mistakes(t, "", agentEnv(vars{"SCOPE": wrong})), "scope", "")
	}
	for _, right := range []string{"openid", "openid  profile", "openid https://api.example.com/orders.read", "openid urn:a:openid",
		"openid api+read", "openid a%2Fb", "openid 'x"} {
		if got := load(t, "", agentEnv(vars{"SCOPE": right})).Warnings(); len(got) != 0 {
			t.Errorf("%s: %v", right, got)
		}
	}
	// Some servers do have a comma in a scope, or separate scopes by it.
	if got := load(t, "", agentEnv(vars{"SCOPE": "read,write"})).Warnings(); len(got) != 1 || !strings.Contains(got[0], "scope has a comma") {
		t.Errorf("%v", got)
	}
}

func TestAddressOfMetadata(t *testing.T) {
	for _, variable := range []string{"ISSUER", "AUTHORIZE_ENDPOINT", "TOKEN_ENDPOINT", "JWKS_ENDPOINT"} {
		ms := mistakes(t, "", agentEnv(vars{variable: "https://login.example.com/realms/a/.well-known/openid-configuration"}))
		if len(ms) != 1 || ms[0].Env != variable || !strings.Contains(ms[0].Remedy, `"https://login.example.com/realms/a"`) {
			t.Errorf("%s: %v", variable, ms)
		}
	}
	for written, issuer := range map[string]string{
		"https://login.example.com/.well-known/openid-configuration":                  "https://login.example.com",
		"https://login.example.com/.well-known/openid-configuration/":                 "https://login.example.com/",
		"https://login.example.com/.well-known/openid-configuration?appid=1":          "https://login.example.com",
		"https://login.example.com/.well-known/oauth-authorization-server/tenant":     "https://login.example.com/tenant",
		"https://login.example.com/.well-known/oauth-authorization-server":            "https://login.example.com",
		"https://login.example.com/tenant/.well-known/oauth-authorization-server?a=b": "https://login.example.com/tenant",
	} {
		ms := mistakes(t, "", agentEnv(vars{"ISSUER": written}))
		if len(ms) != 1 || !strings.Contains(ms[0].Remedy, fmt.Sprintf("%q", issuer)) {
			t.Errorf("%s: %v", written, ms)
		}
	}
	load(t, "", agentEnv(vars{"JWKS_ENDPOINT": "https://login.example.com/.well-known/jwks.json"}))
	want(t, mistakes(t, "", pkceEnv(vars{"OAUTH_AUTH_URL": "https://login.example.com/.well-known/openid-configuration"})), "pkce_proxy.auth_url", "metadata")
	for _, blank := range []string{"https://login.example.com/ ", " https://login.example.com", "https://login.example.com/a b"} {
		if ms := mistakes(t, "", agentEnv(vars{"ISSUER": blank})); len(ms) != 1 || ms[0].Key != "issuer" {
			t.Errorf("%q: %v", blank, ms)
		}
	}
}
