package httpserver

import (
	"fmt"
	"maps"
	"net"
	"slices"

	"github.com/coreos/go-systemd/v22/activation"
)

// The names of the sockets that a service manager may pass on (FileDescriptorName= of
// systemd).
const (
	publicSocket   = "public"
	gatewaysSocket = "forward-auth"
	adminSocket    = "admin"
)

// sockets are the listeners that were passed on, by name. Several may have one name, such
// as one for IPv4 and one for IPv6.
type sockets map[string][]net.Listener

// passedSockets returns the sockets that this process was started with
// (sd_listen_fds(3)). A single one needs no name.
func passedSockets() (sockets, error) {
	files := activation.Files(true)
	s := sockets{}
	for _, f := range files {
		name := f.Name()
		if !slices.Contains([]string{publicSocket, gatewaysSocket, adminSocket}, name) {
			if len(files) > 1 {
				return s, fmt.Errorf("the socket %q was passed on: name it %s, %s or %s", name, publicSocket, gatewaysSocket, adminSocket)
			}
			name = publicSocket
		}
		listener, err := net.FileListener(f)
		_ = f.Close() // the listener has its own
		if err != nil {
			return s, fmt.Errorf("the socket %q was passed on, and is none to listen at: %w", name, err)
		}
		s[name] = append(s[name], listener)
	}
	return s, nil
}

// listen returns the sockets of that name if there are any, and listens at address
// otherwise. setting is where the address comes from, for the error.
func (s sockets) listen(name, address, setting string) ([]net.Listener, error) {
	if passed := s[name]; len(passed) > 0 {
		delete(s, name)
		return passed, nil
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("cannot listen at %s: %w", setting, err)
	}
	return []net.Listener{listener}, nil
}

// unused returns an error if there are sockets left that the settings have no use for.
func (s sockets) unused() error {
	for name := range s {
		setting := map[string]string{gatewaysSocket: "forward_auth.addr (FORWARD_AUTH_ADDR)", adminSocket: "admin_addr (ADMIN_ADDR)"}[name]
		return fmt.Errorf("the socket %q was passed on, but %s is off", name, setting)
	}
	return nil
}

func (s sockets) close() {
	for _, listener := range slices.Concat(slices.Collect(maps.Values(s))...) {
		_ = listener.Close()
	}
}
