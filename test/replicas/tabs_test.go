//go:build interop

package replicas

import (
	"errors"
	"sync"
	"testing"
)

// Two tabs without locks refresh at once, with the same cookies. One replica makes
// one exchange of it. Two make two, and the authorization server, which takes the
// second for theft, ends the session (RFC 9700 4.14.2). So nginx has to send both
// to one: by the cookie that they bring.
func TestTwoTabsRefreshAtOnce(t *testing.T) {
	for _, tt := range []struct {
		name, balancing string
		safe            bool
	}{
		{"sticky by the refresh token's cookie", sticky, true},
		{"round robin", roundRobin, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			const sessions = 100
			w := behindNginx(t, tt.balancing, 0)
			oneByOne, lost := 0, 0
			for range sessions {
				s, err := w.login(w.transport(1))
				if err != nil {
					t.Fatal(err)
				}
				for range 2 {
					err = errors.Join(err, s.refresh(), s.work())
				}
				if err != nil {
					oneByOne++
				}
				if !s.twoTabs() {
					lost++
				}
			}
			t.Logf("of %d sessions: %d lost by refreshes one after the other, %d by two at once", sessions, oneByOne, lost)
			if oneByOne > 0 || tt.safe && lost > 0 {
				t.Errorf("sessions were lost:\n%s", w.tally)
			}
		})
	}
}

// twoTabs refreshes in two tabs, and tells whether the session lives on.
func (s *session) twoTabs() bool {
	other := s.clone()
	var both sync.WaitGroup
	for _, tab := range []*session{s, other} {
		both.Go(func() { _ = tab.refresh() })
	}
	both.Wait()
	return s.refresh() == nil && s.work() == nil
}
