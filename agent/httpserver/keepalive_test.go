package httpserver

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"slices"
	"testing"
)

// A connection of HTTP/1 is given up after an answer and without losing one. One of
// HTTP/2 has others beside it.
func TestCloseKeepAlives(t *testing.T) {
	for h2, want := range map[bool][]bool{
		false: {false, true, true, true, false, false},
		true:  {false, true, true, true, true, true},
	} {
		s := &Servers{}
		srv := httptest.NewUnstartedServer(s.closeKeepAlivesWhenDraining(newConnLimiter(100), http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})))
		srv.EnableHTTP2 = h2
		srv.StartTLS()
		defer srv.Close()
		var reused []bool
		trace := &httptrace.ClientTrace{GotConn: func(i httptrace.GotConnInfo) { reused = append(reused, i.Reused) }}
		for i := range 6 {
			s.closing.Store(i >= 3)
			req, _ := http.NewRequestWithContext(httptrace.WithClientTrace(t.Context(), trace), "GET", srv.URL, nil)
			resp, err := srv.Client().Do(req)
			if err != nil {
				t.Fatal(err)
			}
			_, _ = io.Copy(io.Discard, resp.Body)
			_ = resp.Body.Close()
		}
		if !slices.Equal(reused, want) {
			t.Errorf("HTTP/2 %v: connections reused %v, want %v", h2, reused, want)
		}
	}
}
