package e2e

import (
	"testing"
	"time"

	"oauth-agent/test/idp"
)

// A server that has rotated the refresh token and takes too long to say so would
// be asked again with the spent one, and revoke the whole session.
func TestLateAnswerOfARotatedTokenIsNotLost(t *testing.T) {
	t.Parallel()
	w := newWorld(t, impatient)
	c := w.login()
	w.idp.SetFault(idp.Token, idp.Fault{Late: patience * 3 / 2, Times: 1, GrantType: "refresh_token"})
	if a := c.post("/refresh", "").want(502, "authorization_server_error"); len(a.setCookies()) != 0 {
		t.Errorf("cookies were touched: %v", a.setCookies())
	}
	c.works()
}

// An answer that never comes is awaited by those who call meanwhile, and then
// asked for again: nobody is stuck behind it.
func TestHangCostsNobodyTheNextRefresh(t *testing.T) {
	t.Parallel()
	w := newWorld(t, impatient)
	c := w.login()
	w.idp.SetFault(idp.Token, idp.Fault{Hang: true, Times: 1})
	began := time.Now()
	if a := c.post("/refresh", "").want(502, "authorization_server_error"); len(a.setCookies()) != 0 {
		t.Errorf("cookies were touched: %v", a.setCookies())
	}
	if took := time.Since(began); took > 3*patience {
		t.Errorf("the first caller waited %v", took)
	}
	c.works()
}
