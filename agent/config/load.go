package config

import (
	"bytes"
	"os"
	"strings"

	"github.com/caarlos0/env/v11"
	"go.yaml.in/yaml/v4"

	"oauth-agent/agent/internal/secret"
)

// Load reads the settings from a YAML file ("" for none) and from environ,
// which has the form of [os.Environ] and wins. Whatever is wrong is told at
// once, as [Mistakes].
func Load(path string, environ []string) (*Config, error) { return loadBy(os.Open, path, environ) }

// Reload is [Load] for a process that runs. It takes regular files alone, see
// [OpenRegular]: what came through a pipe is gone.
func Reload(path string, environ []string) (*Config, error) {
	return loadBy(OpenRegular, path, environ)
}

func loadBy(open opener, path string, environ []string) (*Config, error) {
	var ms Mistakes
	c := defaults()
	readable := c.readFile(path, open, &ms)
	c.readEnvironment(environ, &ms)
	c.readSecretFiles(open, &ms)
	if !readable {
		return nil, ms // the rest would be "not set" over and over
	}
	c.trimLists()
	var invalid Mistakes
	c.validate(&invalid)
	ms = append(ms, ms.beyond(invalid)...)
	ms.inSyntaxOf(variables(environ))
	if len(ms) > 0 {
		return nil, ms
	}
	return c, nil
}

// readFile is false when the file gave no settings that could be looked at.
func (c *Config) readFile(path string, open opener, ms *Mistakes) bool {
	if path == "" {
		return true
	}
	text, err := open.read(path)
	if err != nil {
		ms.addUnread(path, "", path, err)
		return false
	}
	if len(bytes.TrimSpace(text)) == 0 {
		return true
	}
	err = c.readYAML(text, true)
	if hasTwice(err) {
		// The library has left out all that stands beside a key that is there
		// twice. It is refused, and read once more for the other mistakes.
		tellTwice(ms, path, text, err)
		*c = *defaults()
		err = c.readYAML(text, false)
	}
	if err != nil {
		return tellYAML(ms, path, text, err)
	}
	return true
}

func (c *Config) readYAML(text []byte, unique bool) error {
	return yaml.Load(text, c, yaml.WithV4Defaults(), yaml.WithKnownFields(), yaml.WithUniqueKeys(unique))
}

func (c *Config) readEnvironment(environ []string, ms *Mistakes) {
	vars := variables(environ)
	takeLeftovers(vars, ms)
	for _, s := range c.secrets() {
		s.preferEnvironment(vars)
	}
	if err := env.ParseWithOptions(c, env.Options{Environment: vars, FuncMap: parsers()}); err != nil {
		tellEnvironment(ms, err)
	}
}

// variables returns the environment by name.
func variables(environ []string) map[string]string {
	vars := map[string]string{}
	for _, kv := range environ {
		// An empty variable is an unset one: composition files pass those. One
		// without a name is none of ours, and would confuse the library.
		if k, v, _ := strings.Cut(kv, "="); k != "" && v != "" {
			vars[k] = v
		}
	}
	return vars
}

// secretSetting is a secret that may come from a file.
type secretSetting struct {
	key, env string
	file     *string
	empty    func() bool
	set      func(text string)
}

func (c *Config) secrets() []secretSetting {
	one := func(key, env string, value *secret.String, file *string) secretSetting {
		return secretSetting{key, env, file,
			func() bool { return value.Empty() }, // not value.Empty, which would be asked of today's value
			func(text string) { *value = secret.New(text) }}
	}
	keys := &c.Cookie.EncryptionKeys
	return []secretSetting{
		one("client_secret", "CLIENT_SECRET", &c.ClientSecret, &c.ClientSecretFile),
		{"cookie.encryption_keys", "COOKIE_ENCRYPTION_KEY", &c.Cookie.EncryptionKeysFile,
			func() bool { return len(*keys) == 0 },
			func(text string) { *keys = splitKeys(text) }},
		one("log.subject_key", "LOG_SUBJECT_KEY", &c.Log.SubjectKey, &c.Log.SubjectKeyFile),
		one("pkce_proxy.client_secret", "OAUTH_CLIENT_SECRET", &c.PKCEProxy.ClientSecret, &c.PKCEProxy.ClientSecretFile),
		one("pkce_proxy.signing_key", "JWT_SIGNING_KEY", &c.PKCEProxy.SigningKey, &c.PKCEProxy.SigningKeyFile),
		one("pkce_proxy.encryption_key", "ENCRYPTION_KEY", &c.PKCEProxy.EncryptionKey, &c.PKCEProxy.EncryptionKeyFile),
	}
}

// take sets what a file has.
func (s secretSetting) take(text string, ms *Mistakes) {
	s.set(text)
	if s.empty() {
		ms.add(s.key+"_file", s.env+"_FILE", "the file is empty", "Write the secret into it.")
		return
	}
	if strings.HasPrefix(s.key, "pkce_proxy.") && isRawKey(text) {
		return // any bytes
	}
	if reason, remedy := leftover(text); reason != "" {
		ms.add(s.key+"_file", s.env+"_FILE", "the content of the file "+reason, remedy)
	}
}

// splitKeys reads the keys of a file: one a line, or separated by commas.
func splitKeys(text string) Secrets {
	var keys Secrets
	for key := range strings.FieldsFuncSeq(text, func(r rune) bool { return r == '\n' || r == '\r' || r == ',' }) {
		keys = append(keys, secret.New(key))
	}
	return keys
}

// preferEnvironment forgets what the YAML file says of a secret that the
// environment sets, be it there by value and here by file.
func (s secretSetting) preferEnvironment(vars map[string]string) {
	if vars[s.env] != "" || vars[s.env+"_FILE"] != "" {
		s.set("")
		*s.file = ""
	}
}

func (c *Config) readSecretFiles(open opener, ms *Mistakes) {
	for _, s := range c.secrets() {
		if *s.file == "" {
			continue
		}
		if !s.empty() {
			ms.add(s.key, s.env, "set twice, by value and by file", "Keep one of the two.")
			continue
		}
		text, err := open.read(*s.file)
		if err != nil {
			ms.addUnread(s.key+"_file", s.env+"_FILE", *s.file, err)
			continue
		}
		s.take(strings.TrimRight(string(text), "\r\n"), ms)
	}
}
