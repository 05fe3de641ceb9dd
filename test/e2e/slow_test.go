package e2e

import (
	"testing"
	"time"

	"oauth-agent/test/idp"
)

// A server that has rotated the refresh token and then takes too long to say so
// would be asked again with the spent one, and revoke the whole session.
func TestSlowAnswerOfARotatedTokenIsNotLost(t *testing.T) {
	t.Parallel()
	w := newWorld(t, with("AUTHORIZATION_SERVER_TIMEOUT", "1200ms"), server(func(c *idp.Config) { c.OmitIDTokenOnRefresh = true }))
	c := w.login()
	// About 250 bytes: they end between one time-out and two.
	w.idp.SetFault(idp.Token, idp.Fault{Drip: 5 * time.Millisecond, Times: 1, GrantType: "refresh_token"})
	late := c.post("/refresh", "")
	if late.Status != 204 {
		late.want(502, "authorization_server_error")
	}
	c.works()
}

// Who comes while a dripping answer is still awaited waits with it, and then
// asks again.
func TestDripThatNeverEndsCostsNobodyTheNextRefresh(t *testing.T) {
	t.Parallel()
	w := newWorld(t, with("AUTHORIZATION_SERVER_TIMEOUT", "700ms"))
	c := w.login()
	w.idp.SetFault(idp.Token, idp.Fault{Status: 200, ContentType: "application/json", Body: longJSON, Drip: 50 * time.Millisecond, Times: 1})
	began := time.Now()
	if a := c.post("/refresh", ""); a.Status != 204 {
		a.want(502, "authorization_server_error")
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("it took %v", took)
	}
	c.works()
}

const longJSON = `{"access_token":"padding padding padding padding padding padding padding padding padding padding padding padding padding"}`
