//go:build interop

package interop

import (
	"net/http"
	"sync"
	"time"
)

func refreshes(f *fixture) {
	u := f.user
	u.logIn("jane")
	for range 3 {
		before := u.cookies()
		u.refresh()
		u.userInfo()
		after := u.cookies()
		if before["example-at"] == after["example-at"] || before["example-auth"] == after["example-auth"] {
			f.t.Error("the cookies are what they were")
		}
		if u.object("/claims")["sub"] == nil {
			f.t.Error("the ID token is lost")
		}
	}
	csrf := u.csrf
	if !u.loggedIn() || u.csrf != csrf {
		f.t.Error("another session after the refresh")
	}
	if n := f.tap.count("refresh_token"); n != 3 {
		f.t.Errorf("%d exchanges for 3 refreshes", n)
	}
}

// refreshesAtOnce: twenty calls with one cookie, as a page with many scripts
// makes them, against a server that takes a second use for theft.
func refreshesAtOnce(f *fixture) {
	const calls = 20
	u := f.user
	u.logIn("jane")
	users := make([]*user, calls)
	for i := range users {
		users[i] = u.clone() // so that each keeps the cookies of its own answer
	}
	var wait sync.WaitGroup
	for _, c := range users {
		wait.Go(func() {
			answer, err := c.tryPost("/refresh", "")
			if err != nil || answer.Status != http.StatusNoContent {
				f.t.Errorf("refresh: %v %v", err, answer)
			}
		})
	}
	wait.Wait()
	if n := f.tap.count("refresh_token"); n != 1 {
		f.t.Errorf("%d exchanges for %d calls", n, calls)
	}
	for _, c := range users {
		c.userInfo()
		if !c.loggedIn() {
			f.t.Error("logged out")
		}
	}
	users[calls-1].refresh()
	users[calls-1].userInfo()
}

// refreshesLate: a call with the cookies from before a rotation, some seconds
// after it, is answered like the first and hurts nobody.
func refreshesLate(f *fixture) {
	u := f.user
	u.logIn("jane")
	late := u.clone()
	u.refresh()
	time.Sleep(4 * time.Second)
	late.refresh()
	late.userInfo()
	u.userInfo()
	if n := f.tap.count("refresh_token"); n != 1 {
		f.t.Errorf("%d exchanges", n)
	}
	u.refresh()
	u.userInfo()
}

// refreshesTwoBehind: the same when two rotations were missed.
func refreshesTwoBehind(f *fixture) {
	u := f.user
	u.logIn("jane")
	late := u.clone()
	u.refresh()
	u.refresh()
	late.refresh()
	if answer := late.get("/userInfo"); answer.Status == http.StatusUnauthorized {
		late.refresh() // a refresh may have killed the access token that was due
	}
	late.userInfo()
	u.userInfo()
	u.refresh()
	u.userInfo()
}

// expires: the access token, which lives 6 seconds, dies, and the session does not.
func expires(f *fixture) {
	u := f.user
	u.logIn("jane")
	u.userInfo()
	time.Sleep(6500 * time.Millisecond)
	want(f.t, u.get("/userInfo"), http.StatusUnauthorized, "token_expired")
	if !u.loggedIn() {
		f.t.Error("logged out with the access token")
	}
	u.refresh()
	u.userInfo()
	time.Sleep(6500 * time.Millisecond)
	u.logOut() // needs no access token
	u.noSession()
}

// endsAtTheServer: the tokens are revoked there, so the session is over here.
func endsAtTheServer(f *fixture) {
	u := f.user
	u.logIn("jane")
	f.endSessions(f)
	want(f.t, u.get("/userInfo"), http.StatusForbidden, "userinfo_refused") // the token is not a minute old
	if !u.loggedIn() {
		f.t.Error("logged out before the refresh token was tried")
	}
	want(f.t, u.post("/refresh", ""), http.StatusUnauthorized, "session_expired")
	u.noCookies()
	u.csrf = ""
	if u.loggedIn() {
		f.t.Error("still logged in")
	}
	u.logIn("jane")
	u.userInfo()
}

// refusesItsOwnTokens: the access tokens are an API's, and userinfo takes none of
// them. A page that refreshes and asks again is told so, and keeps its session.
func refusesItsOwnTokens(f *fixture) {
	u := f.user
	u.logIn("jane")
	want(f.t, u.get("/userInfo"), http.StatusForbidden, "userinfo_refused")
	u.refresh()
	want(f.t, u.get("/userInfo"), http.StatusForbidden, "userinfo_refused")
	if u.object("/claims")["sub"] == nil || !u.loggedIn() {
		f.t.Error("the session is lost")
	}
}
