package cookie

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// joinable returns a request with n sets of pieces of one byte, which can be joined
// in 10,000 ways each, in less than 500 bytes.
func joinable(n int) *http.Request {
	var pairs []string
	for set := range n {
		pairs = append(pairs, fmt.Sprintf("a-%02d=5.x", set))
		for piece := 1; piece < MaxPieces; piece++ {
			pairs = append(pairs, strings.Split(strings.Repeat(fmt.Sprintf("a-%02d-%d=x;", set, piece), 10), ";")[:10]...)
		}
	}
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Header.Set("Cookie", strings.Join(pairs, "; "))
	return r
}

// A request of a few hundred bytes must not cost milliseconds: what is tried is
// bounded for a request, however many names it has and how often they are opened.
func TestWorkOnOneRequest(t *testing.T) {
	for _, sets := range []int{1, 50} {
		got, tried := Read(joinable(sets)), 0
		for range 3 {
			for set := range sets {
				for range got.values(fmt.Sprintf("a-%02d", set)) {
					tried++
				}
			}
		}
		if most := maxJoined / joinCost; tried == 0 || tried > most {
			t.Errorf("%d sets of pieces: %d values were tried, and %d are the most", sets, tried, most)
		}
	}
}

// Values of one piece are as many as the header holds, or as net/http takes, and ours
// may be the last.
func TestValuesOfOnePiece(t *testing.T) {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Header.Set("Cookie", strings.Repeat("a=x; ", 2_500)+"a=ours")
	last := ""
	for value := range Read(r).values("a") {
		last = value
	}
	if last != "ours" {
		t.Errorf("the last of many values was not tried, but %q", last)
	}
}
