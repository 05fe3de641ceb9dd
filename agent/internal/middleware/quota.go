package middleware

import (
	"net/netip"
	"sync"
)

// quota is an amount of something that client addresses share.
type quota struct {
	mu                sync.Mutex
	total, perAddress int64 // perAddress 0: no limit for one address
	held              int64
	clients           map[netip.Addr]int64
}

func (q *quota) change(perAddress int64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.perAddress = perAddress
}

// take reports whether there was as much; quarters raises the limits by so many quarters.
// A client that is not valid is bounded by the total alone.
func (q *quota) take(client netip.Addr, n, quarters int64) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	raised := func(limit int64) int64 { return limit + quarters*max(limit/4, 1) }
	if q.held+n > raised(q.total) {
		return false
	}
	if client.IsValid() {
		if q.perAddress > 0 && q.clients[client]+n > raised(q.perAddress) {
			return false
		}
		if q.clients == nil {
			q.clients = map[netip.Addr]int64{}
		}
		q.clients[client] += n
	}
	q.held += n
	return true
}

func (q *quota) give(client netip.Addr, n int64) {
	if n == 0 {
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.held -= n
	if !client.IsValid() {
		return
	}
	if q.clients[client] -= n; q.clients[client] == 0 {
		delete(q.clients, client)
	}
}
