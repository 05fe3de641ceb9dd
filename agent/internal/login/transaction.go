package login

import (
	"cmp"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"net/http"
	"slices"
	"time"

	"oauth-agent/agent/internal/authserver"
	"oauth-agent/agent/internal/cookie"
	"oauth-agent/agent/internal/seal"
	"oauth-agent/agent/internal/secret"
	"oauth-agent/agent/internal/session"
)

// maxLogins is how many logins of one browser may be under way. Without a
// bound, a page that polls would fill the request header with their cookies.
const maxLogins = 5

// maxCleared bounds how many dead logins one answer clears: a request can name
// hundreds, and each takes a header line. The others go with the next login.
const maxCleared = 50

// transaction is one login between its start and its end. It lives in a cookie
// of its own, named after the state, so that two tabs do not disturb each other.
type transaction struct {
	State    string
	Nonce    string
	Verifier secret.String
	Created  time.Time
	OpenID   bool   // an ID token is expected
	MaxAge   *int   // asked for, in seconds
	ReturnTo string // where the user was: a path of the SPA, or empty
	Seed     session.Seed
	Browser  []byte // hash of the cookie that binds it to this browser; empty: unbound
}

const transactionVersion = 1

// transactionFields is how many fields the record of an unbound login has, such as
// those of earlier releases. One that is bound has one more.
const transactionFields = 8

// tag names the cookie of a state: short, and telling nothing of it.
func tag(state string) string {
	sum := sha256.Sum256([]byte(state))
	return base64.RawURLEncoding.EncodeToString(sum[:9])
}

func (t transaction) record() []byte {
	flags := []byte{transactionVersion, 0}
	if t.OpenID {
		flags[1] = 1
	}
	var maxAge []byte
	if t.MaxAge != nil {
		maxAge = binary.BigEndian.AppendUint32(nil, uint32(*t.MaxAge))
	}
	created := binary.BigEndian.AppendUint64(nil, uint64(t.Created.Unix()))
	fields := [][]byte{flags, []byte(t.State), []byte(t.Nonce), []byte(t.Verifier.Reveal()), created, maxAge, []byte(t.ReturnTo), t.Seed[:]}
	if len(t.Browser) > 0 {
		fields = append(fields, t.Browser)
	}
	return seal.Pack(fields...)
}

func readTransaction(plain []byte) (transaction, error) {
	f, err := seal.Unpack(plain, transactionFields)
	if err != nil {
		f, err = seal.Unpack(plain, transactionFields+1)
	}
	if err != nil {
		return transaction{}, err
	}
	if len(f[0]) != 2 || f[0][0] != transactionVersion || len(f[4]) != 8 || len(f[7]) != len(session.Seed{}) {
		return transaction{}, errors.New("a login of another version")
	}
	t := transaction{
		State: string(f[1]), Nonce: string(f[2]), Verifier: secret.New(string(f[3])),
		Created: time.Unix(int64(binary.BigEndian.Uint64(f[4])), 0),
		OpenID:  f[0][1] == 1, ReturnTo: string(f[6]), Seed: session.Seed(f[7]),
	}
	if len(f[5]) == 4 {
		seconds := int(binary.BigEndian.Uint32(f[5]))
		t.MaxAge = &seconds
	}
	if len(f) > transactionFields {
		if len(f[transactionFields]) == 0 {
			return transaction{}, errors.New("a login that is bound to nothing")
		}
		t.Browser = f[transactionFields]
	}
	return t, nil
}

// grant is what the token endpoint is given for a code.
func (t transaction) grant(code string) authserver.CodeGrant {
	return authserver.CodeGrant{
		Code: secret.New(code), Verifier: t.Verifier, Nonce: t.Nonce, OpenID: t.OpenID, MaxAge: t.MaxAge,
	}
}

// open finds the login that a state answers, in a cookie of this very browser:
// that is what keeps a stranger's response out (RFC 9700 4.7). The error is for the
// log.
func (a *Agent) open(got *cookie.RequestCookies, state string) (transaction, error) {
	if state == "" {
		return transaction{}, cookie.ErrNone
	}
	return a.openTag(got, tag(state), func(t transaction) bool {
		return subtle.ConstantTimeCompare([]byte(t.State), []byte(state)) == 1
	})
}

// openTag opens the login cookie of one name, that is wanted: of several, the
// others may be planted.
//
// A login that was copied under another name, by a neighbour who may set cookies,
// would count as a login more and push out a real one. One that another browser
// began would log the user in to that browser's account (login CSRF), so it needs
// the cookie that came with it, which no neighbour can plant.
func (a *Agent) openTag(got *cookie.RequestCookies, name string, wanted func(transaction) bool) (found transaction, err error) {
	refused := cookie.ErrNone
	err = a.jar.OpenThat(got, cookie.Login, name, func(plain []byte) bool {
		t, err := readTransaction(plain)
		switch {
		case err != nil:
			refused = err
		case tag(t.State) != name || !wanted(t):
			refused = errors.New("a login under another's name")
		case a.clock().Sub(t.Created) > cookie.LoginLifetime:
			refused = errors.New("the login took too long")
		case len(t.Browser) > 0 && !a.jar.Bound(got, name, t.Browser):
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

// spend clears a login with the cookie that it is bound to.
func (a *Agent) spend(w http.ResponseWriter, got *cookie.RequestCookies, tag string) {
	a.jar.Clear(w, got, cookie.Login, tag)
	a.jar.Clear(w, got, cookie.Browser, tag)
}

// makeRoom clears what is of no use any more, and then the oldest logins until
// there is room for another.
func (a *Agent) makeRoom(w http.ResponseWriter, got *cookie.RequestCookies) {
	type entry struct {
		tag     string
		created time.Time
	}
	var live []entry
	dead := 0
	for _, tag := range a.loginTags(got) {
		t, err := a.openTag(got, tag, func(transaction) bool { return true })
		if err != nil {
			if dead++; dead <= maxCleared {
				a.spend(w, got, tag)
			}
			continue
		}
		live = append(live, entry{tag, t.Created})
	}
	slices.SortStableFunc(live, func(x, y entry) int { return cmp.Compare(x.created.Unix(), y.created.Unix()) })
	for len(live) >= maxLogins {
		a.spend(w, got, live[0].tag)
		live = live[1:]
	}
}

// loginTags lists the logins of which a request has a cookie, or that to which it
// was bound.
func (a *Agent) loginTags(got *cookie.RequestCookies) []string {
	tags := append(a.jar.Tags(got, cookie.Login), a.jar.Tags(got, cookie.Browser)...)
	slices.Sort(tags)
	return slices.Compact(tags)
}
