package login

import (
	"cmp"
	"crypto/subtle"
	"errors"
	"net/http"
	"slices"
	"time"

	"oauth-agent/agent/internal/cookie"
)

// maxLogins is how many logins of one browser may be under way. Without a bound, a page
// that starts one after another would fill the request header with their cookies.
const maxLogins = 5

// maxCleared bounds how many unusable logins one answer clears: a request can name
// hundreds, and each takes a header line. The next login clears the others.
const maxCleared = 50

// open finds the login that a state answers, in a cookie of this very browser: that is
// what keeps a stranger's response out (RFC 9700 4.7). The error is for the log.
func (h *Handlers) open(cookies *cookie.RequestCookies, state string) (transaction, error) {
	if state == "" {
		return transaction{}, cookie.ErrNone
	}
	return h.openTag(cookies, tag(state), func(t transaction) bool {
		return subtle.ConstantTimeCompare([]byte(t.State), []byte(state)) == 1
	})
}

// openTag opens the login cookie of one name for which wanted returns true: of several
// of that name, the others may be planted.
//
// A neighbour on the site can set cookies. A login that it copied under another name
// would count as one more login and push out a real one, so the name must fit the
// state. A login that it began in its own browser would log the user in to the
// neighbour's account (login CSRF), so the request must bring the cookie that the login
// is bound to, which no neighbour can plant.
func (h *Handlers) openTag(cookies *cookie.RequestCookies, name string, wanted func(transaction) bool) (found transaction, err error) {
	refused := cookie.ErrNone
	err = h.Jar.OpenThat(cookies, cookie.Login, name, func(plain []byte) bool {
		t, err := readTransaction(plain)
		switch {
		case err != nil:
			refused = err
		case tag(t.State) != name || !wanted(t):
			refused = errors.New("a login under another's name")
		case h.Clock().Sub(t.Created) > cookie.LoginLifetime:
			refused = errors.New("the login took too long")
		case len(t.Browser) > 0 && !h.Jar.Bound(cookies, name, t.Browser):
			refused = errors.New("a login that was begun in another browser")
		default:
			found = t
			return true
		}
		return false
	})
	if err != nil && refused != cookie.ErrNone {
		err = refused
	}
	return found, err
}

// clear clears a login with the cookie that it is bound to.
func (h *Handlers) clear(w http.ResponseWriter, cookies *cookie.RequestCookies, tag string) {
	h.Jar.Clear(w, cookies, cookie.Login, tag)
	h.Jar.Clear(w, cookies, cookie.Browser, tag)
}

// makeRoom clears the logins that can no longer be completed, and then the oldest of the
// others until there is room for another.
func (h *Handlers) makeRoom(w http.ResponseWriter, cookies *cookie.RequestCookies) {
	type entry struct {
		tag     string
		created time.Time
	}
	var live []entry
	unusable := 0
	for _, tag := range h.loginTags(cookies) {
		t, err := h.openTag(cookies, tag, func(transaction) bool { return true })
		if err != nil {
			if unusable++; unusable <= maxCleared {
				h.clear(w, cookies, tag)
			}
			continue
		}
		live = append(live, entry{tag, t.Created})
	}
	slices.SortStableFunc(live, func(x, y entry) int { return cmp.Compare(x.created.Unix(), y.created.Unix()) })
	for len(live) >= maxLogins {
		h.clear(w, cookies, live[0].tag)
		live = live[1:]
	}
}

// loginTags returns the tags of the logins of which a request has one of the two
// cookies.
func (h *Handlers) loginTags(cookies *cookie.RequestCookies) []string {
	tags := append(h.Jar.Tags(cookies, cookie.Login), h.Jar.Tags(cookies, cookie.Browser)...)
	slices.Sort(tags)
	return slices.Compact(tags)
}
