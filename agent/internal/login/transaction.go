package login

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"time"

	"oauth-agent/agent/internal/authserver"
	"oauth-agent/agent/internal/seal"
	"oauth-agent/agent/internal/secret"
	"oauth-agent/agent/internal/session"
)

// transaction is one login between its start and its end. It lives in a cookie of its
// own, named after the state, so that two tabs do not disturb each other.
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

// transactionFields is how many fields the record of an unbound login has, which is all
// that earlier releases wrote. A bound one has one more.
const transactionFields = 8

// tag returns the end of the cookie names of a login: short, and without a hint at its
// state.
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

// grant returns what is needed to redeem a code of this login.
func (t transaction) grant(code string) authserver.CodeGrant {
	return authserver.CodeGrant{
		Code: secret.New(code), Verifier: t.Verifier, Nonce: t.Nonce, OpenID: t.OpenID, MaxAge: t.MaxAge,
	}
}
