package config

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func TestSecretsFromFiles(t *testing.T) {
	type read struct{ variable, key string }
	secrets := []read{
		{"CLIENT_SECRET", "client_secret"}, {"COOKIE_ENCRYPTION_KEY", "cookie.encryption_keys"},
		{"OAUTH_CLIENT_SECRET", "pkce_proxy.client_secret"}, {"JWT_SIGNING_KEY", "pkce_proxy.signing_key"},
		{"ENCRYPTION_KEY", "pkce_proxy.encryption_key"},
	}
	const value = "c4nary9c4nary9c4nary9c4nary9c4na" // 32 bytes, for the keys that may be raw
	both := append(agentEnv(nil), pkceEnv(nil)...)
	for _, s := range secrets {
		secretText := value
		if s.key == "cookie.encryption_keys" {
			secretText = strings.Repeat("c4", 32)
		}
		without := slices.Clip(slices.DeleteFunc(slices.Clone(both), func(kv string) bool { return strings.HasPrefix(kv, s.variable+"=") }))
		inFile := func(text string) []string {
			return append(without, s.variable+"_FILE="+writeFile(t, "secret", text))
		}
		yamlValue := "{" + strings.ReplaceAll(s.key, ".", ": {") + ": " + yamlOf(s.key, "other-"+canary) + strings.Repeat("}", strings.Count(s.key, ".")+1)
		yamlFile := "{" + strings.ReplaceAll(s.key, ".", ": {") + "_file: /nowhere/" + canary + strings.Repeat("}", strings.Count(s.key, ".")+1)

		for name, got := range map[string]*Config{
			"with a line end":               load(t, "", inFile(secretText+"\n")),
			"of Windows":                    load(t, "", inFile(secretText+"\r\n")),
			"without":                       load(t, "", inFile(secretText)),
			"over a value in YAML":          load(t, yamlValue, inFile(secretText)),
			"over a file in YAML":           load(t, yamlFile, inFile(secretText)),
			"by value, over a file in YAML": load(t, yamlFile, append(without, s.variable+"="+secretText)),
		} {
			if got := text(fieldAt(reflect.ValueOf(got).Elem(), s.key)); strings.Trim(got, "[]") != secretText {
				t.Errorf("%s %s: %q", s.variable, name, got)
			}
		}

		directory, empty := t.TempDir(), writeFile(t, "empty", "\r\n")
		huge := writeFile(t, "huge", strings.Repeat("c4nary9", MaxFile/7+1))
		for name, tt := range map[string]struct {
			environ []string
			yaml    string
			reason  string
		}{
			"twice in the environment": {append(inFile(secretText), s.variable+"="+secretText), "", "twice"},
			"twice in YAML":            {without, joinYAML(s.key, yamlOf(s.key, secretText), empty), "twice"},
			"that is not there":        {append(without, s.variable+"_FILE=/nowhere/file"), "", "no such file or directory: /nowhere/file"},
			"that is the secret":       {append(without, s.variable+"_FILE="+canary), "", "no such file"},
			"that is a directory":      {append(without, s.variable+"_FILE="+directory), "", "directory"},
			"that is empty":            {append(without, s.variable+"_FILE="+empty), "", "empty"},
			"that is huge":             {append(without, s.variable+"_FILE="+huge), "", "larger than"},
			"that never ends":          {append(without, s.variable+"_FILE=/dev/zero"), "", "larger than"},
		} {
			path := ""
			if tt.yaml != "" {
				path = writeFile(t, "agent.yaml", tt.yaml)
			}
			ms := mistakes(t, path, tt.environ)
			if len(ms) != 1 || !strings.HasPrefix(ms[0].Key, s.key) || !strings.HasPrefix(ms[0].Env, s.variable) || !strings.Contains(ms[0].Reason, tt.reason) {
				t.Errorf("%s %s: %v", s.variable, name, ms)
			}
		}
	}
}

// yamlOf writes a secret as its key wants it.
func yamlOf(key, value string) string {
	if strings.HasSuffix(key, "keys") {
		return "[" + value + "]"
	}
	return value
}

// joinYAML sets a secret by value and by file in one file.
func joinYAML(key, value, file string) string {
	section, name, nested := strings.Cut(key, ".")
	if !nested {
		return fmt.Sprintf("%s: %s\n%s_file: %s\n", key, value, key, file)
	}
	return fmt.Sprintf("%s:\n  %s: %s\n  %s_file: %s\n", section, name, value, name, file)
}

func TestKeysInAFileByLineOrComma(t *testing.T) {
	for _, content := range []string{keyA + "\n" + keyB + "\n", keyA + "," + keyB, " " + keyA + " ,\r\n" + keyB + "\r\n\r\n"} {
		c := load(t, "", agentEnv(vars{"COOKIE_ENCRYPTION_KEY": "", "COOKIE_ENCRYPTION_KEY_FILE": writeFile(t, "keys", content)}))
		if keys := c.Cookie.EncryptionKeys; len(keys) != 2 || keys[0].Reveal() != keyA || keys[1].Reveal() != keyB {
			t.Errorf("%q: %d keys", content, len(keys))
		}
	}
}
