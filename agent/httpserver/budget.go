package httpserver

import "syscall"

// How many files are kept for what has no limit of its own (listeners, the operator's
// port, the authorization server, settings), and for connections to upstreams that wait
// for the next request.
const (
	reserve    = 32
	maxWaiting = 512
)

// ConnBudget is how many connections each port accepts, and as many requests are served
// at a time, and how many connections to upstreams there are.
type ConnBudget struct{ Public, Gateways, Upstreams int }

// NewConnBudget returns the shares of the ports in most connections, as far as the
// process may open so many files: each connection may need another one, to an upstream
// or an authorization server.
func NewConnBudget(most int, withGateways bool) ConnBudget {
	var files syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &files); err != nil {
		files.Cur = 1024
	}
	return shareFiles(most, files.Cur, withGateways)
}

func shareFiles(most int, limit uint64, withGateways bool) (b ConnBudget) {
	files := int(min(limit, 1<<30)) - reserve
	waiting := max(min(maxWaiting, files/4), 0)
	all := min(most, (files-waiting)/2)
	if withGateways {
		b.Gateways = max(all/4, leastConns)
	}
	b.Public = max(all-b.Gateways, leastConns)
	b.Upstreams = b.Public + waiting
	return b
}

// leastConns is how many connections a port needs to be of use.
const leastConns = 4
