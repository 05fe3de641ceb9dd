package cookie

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"time"
)

// Bind sets a small cookie that no other host of the site can plant, since it is
// named __Host-Http-…, and returns a hash of its value: what is sealed together
// with that hash is of use to this browser alone ([Jar.Bound]). It returns nil
// where cookies cannot have that name: over plain http, with a domain, and
// without prefixes.
//
// The cookie has a tag, as what it guards: of one name for all, two tabs that
// begin at the same time would overwrite each other's.
func (j *Jar) Bind(w http.ResponseWriter, tag string, maxAge time.Duration) (sum []byte) {
	if !j.policy.guarded() {
		return nil
	}
	value := rand.Text()
	c := j.policy.make(Browser, j.Name(Browser, tag), value)
	c.MaxAge = int(maxAge / time.Second)
	http.SetCookie(w, c)
	return hash(value)
}

// Bound reports whether the browser has the cookie of that tag and hash. A name
// may come several times where browsers do not know the prefix.
func (j *Jar) Bound(got *RequestCookies, tag string, sum []byte) bool {
	for _, value := range got.byName[j.Name(Browser, tag)] {
		if subtle.ConstantTimeCompare(hash(value), sum) == 1 {
			return true
		}
	}
	return false
}

func hash(value string) []byte {
	sum := sha256.Sum256([]byte(value))
	return sum[:]
}
