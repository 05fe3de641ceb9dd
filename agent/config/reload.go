package config

import (
	"net"
	"strconv"

	"go.yaml.in/yaml/v4"
)

// Files lists the files that [Load] reads with the same arguments: the settings
// themselves, secrets, certificates. Of settings that cannot be read, or that
// come through a pipe, it lists those that the environment names.
func Files(path string, environ []string) []string {
	c, ignored := defaults(), Mistakes{}
	c.readFile(path, OpenRegular, &ignored)
	c.readEnvironment(environ, &ignored)
	candidates := []string{path, c.TLS.CertFile, c.TLS.KeyFile}
	for _, s := range c.secrets() {
		candidates = append(candidates, *s.file)
	}
	var files []string
	for _, file := range candidates {
		if file != "" {
			files = append(files, file)
		}
	}
	return files
}

// Successor tells, as [Mistakes], what of next cannot take the place of c while
// the process runs: the addresses of its listeners, and for how many they are.
func (c *Config) Successor(next *Config) error {
	var ms Mistakes
	adminBefore, _ := c.AdminListener()
	adminAfter, _ := next.AdminListener()
	for _, s := range []struct{ key, env, before, after string }{
		{"port", "PORT", strconv.Itoa(c.Port), strconv.Itoa(next.Port)},
		{"bind_address", "BIND_ADDRESS", c.BindAddress, next.BindAddress},
		{"admin_addr", "ADMIN_ADDR", adminBefore, adminAfter},
		{"forward_auth.addr", "FORWARD_AUTH_ADDR", c.ForwardAuth.Addr, next.ForwardAuth.Addr},
		{"limits.connections", "LIMIT_CONNECTIONS", strconv.Itoa(c.Limits.Connections), strconv.Itoa(next.Limits.Connections)},
	} {
		if s.before != s.after {
			ms.add(s.key, s.env, strconv.Quote(s.before)+" has become "+strconv.Quote(s.after)+", which takes a restart", "Restart, or set it back.")
		}
	}
	if on := c.TLS.CertFile != ""; on != (next.TLS.CertFile != "") {
		ms.add("tls", "SERVER_CERT_FILE", "TLS has been switched "+map[bool]string{true: "off", false: "on"}[on]+", which takes a restart", "Restart, or set it back.")
	}
	if len(ms) > 0 {
		return ms
	}
	return nil
}

// AdminAddress is admin_addr as one can dial it, and what is said of that alone:
// of settings that are wrong otherwise it is told all the same, since a process
// goes on with what they were before. It is empty for off.
func AdminAddress(path string, environ []string) (string, error) {
	c, ignored := defaults(), Mistakes{}
	if text, err := opener(OpenRegular).read(path); err == nil {
		var only struct {
			AdminAddr *string `yaml:"admin_addr"`
		}
		if yaml.Load(text, &only, yaml.WithV4Defaults()) == nil && only.AdminAddr != nil {
			c.AdminAddr = *only.AdminAddr
		}
	}
	c.readEnvironment(environ, &ignored)
	if !c.HasAdmin() {
		return "", nil
	}
	address, _ := c.AdminListener()
	if _, ok := listenPort(address); !ok {
		var ms Mistakes
		c.validateAdmin(&ms)
		return "", ms
	}
	host, port, _ := net.SplitHostPort(address)
	switch host {
	case "", "0.0.0.0":
		host = "127.0.0.1"
	case "::":
		host = "::1"
	}
	return net.JoinHostPort(host, port), nil
}
