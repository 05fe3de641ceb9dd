package config

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"time"
)

// DefaultAdminAddr is where the operator's endpoints listen unless the settings
// say where.
const DefaultAdminAddr = "127.0.0.1:7090"

// HasAdmin reports whether there are operator's endpoints.
func (c *Config) HasAdmin() bool { return c.AdminAddr != "off" }

// AdminListener returns the address of the operator's endpoints, where there are
// any, and whether the settings name it. One that they do not name may belong to
// another program, and that is no reason not to start.
func (c *Config) AdminListener() (address string, set bool) {
	if c.AdminAddr == "" {
		return DefaultAdminAddr, false
	}
	return c.AdminAddr, true
}

// validateOperations checks what an operator sets, whichever parts run.
func (c *Config) validateOperations(ms *Mistakes) {
	c.validateAdmin(ms)
	c.Tracing.validate(ms, c.InsecureHTTP)
	c.Limits.validate(ms)
	c.validateTrustedProxies(ms)
	if c.ShutdownDelay < 0 || c.ShutdownDelay > 10*time.Minute {
		ms.add("shutdown_delay", "SHUTDOWN_DELAY", c.ShutdownDelay.String()+" is out of range", "Use 0s to 10m.")
	}
	if c.ReloadEvery != 0 && (c.ReloadEvery < time.Second || c.ReloadEvery > time.Hour) {
		ms.add("reload_every", "RELOAD_EVERY", c.ReloadEvery.String()+" is out of range", "Use 1s to 1h, or 0s for SIGHUP alone.")
	}
}

func (c *Config) validateAdmin(ms *Mistakes) {
	if c.AdminAddr == "" || !c.HasAdmin() {
		return
	}
	port, ok := listenPort(c.AdminAddr)
	switch {
	case !ok:
		ms.add("admin_addr", "ADMIN_ADDR", "not an address with a port", "Write one such as 127.0.0.1:7090, or off.")
	case port == c.Port:
		ms.add("admin_addr", "ADMIN_ADDR", "the port is the public one", "Use a port that browsers cannot reach.")
	case c.AdminAddr == c.ForwardAuth.Addr:
		ms.add("admin_addr", "ADMIN_ADDR", "the address is forward_auth.addr", "Give each listener its own.")
	}
}

// listenPort is the port of an address to listen at: an IP address, localhost, or
// no host for all.
func listenPort(addr string) (port int, ok bool) {
	host, text, err := net.SplitHostPort(addr)
	if err != nil {
		return 0, false
	}
	number, err := strconv.ParseUint(text, 10, 16)
	if err != nil || number == 0 {
		return 0, false
	}
	_, err = netip.ParseAddr(host)
	return int(number), err == nil || host == "" || host == "localhost"
}

func (t Tracing) validate(ms *Mistakes, insecure bool) {
	if t.Endpoint != "" {
		urlRules{insecure: insecure}.check(ms, "tracing.endpoint", "TRACING_ENDPOINT", t.Endpoint)
	}
	if !(t.SampleRatio >= 0 && t.SampleRatio <= 1) { // NaN is neither
		ms.add("tracing.sample_ratio", "TRACING_SAMPLE_RATIO", fmt.Sprintf("%v is out of range", t.SampleRatio), "Use 0 to 1.")
	}
	required(ms, "tracing.service_name", "TRACING_SERVICE_NAME", t.ServiceName == "", "Name the service, or leave it unset.")
}

func (l Limits) validate(ms *Mistakes) {
	for _, n := range []struct {
		key, env string
		value    int
	}{
		{"limits.login_start", "LIMIT_LOGIN_START", l.LoginStart},
		{"limits.token", "LIMIT_TOKEN", l.TokenCalls},
	} {
		if n.value < 0 || n.value > 1_000_000 {
			ms.add(n.key, n.env, fmt.Sprintf("%d is out of range", n.value), "Use requests a minute, or 0 for no limit.")
		}
	}
	if l.Connections < 16 || l.Connections > 1<<20 {
		ms.add("limits.connections", "LIMIT_CONNECTIONS", fmt.Sprintf("%d is out of range", l.Connections), "Use 16 to 1048576; 4096 is the default.")
	}
	if l.PerAddress != 0 && (l.PerAddress < leastPerAddress || l.PerAddress > 1<<20) {
		ms.add("limits.per_address", "LIMIT_PER_ADDRESS", fmt.Sprintf("%d is out of range", l.PerAddress), "Use 4 to 1048576, or 0 for a quarter of limits.connections.")
	}
	if l.Addresses < 1 || l.Addresses > 1<<24 {
		ms.add("limits.addresses", "LIMIT_ADDRESSES", fmt.Sprintf("%d is out of range", l.Addresses), "Use 1 to 16777216; 65536 is the default.")
	}
}

// leastPerAddress lets one client work at all.
const leastPerAddress = 4

// OfAddress is how many of so many places one client address may take.
func (l Limits) OfAddress(places int) int {
	if l.PerAddress > 0 {
		return min(l.PerAddress, places)
	}
	return min(max(places/4, leastPerAddress), places)
}

// KeyCreatedDay is cookie.key_created as a time; zero when that is not set.
func (c *Config) KeyCreatedDay() time.Time {
	day, _ := time.Parse(time.DateOnly, c.Cookie.KeyCreated) // validated
	return day
}
