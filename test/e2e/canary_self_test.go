package e2e

import (
	"encoding/base64"
	"net/url"
	"strings"
	"testing"
)

// The search finds what it is for, wherever it stands and however it is written.
func TestCanariesAreFound(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.login()
	secrets := append(w.idp.Issued(), w.wire.verifiers()...)
	if len(secrets) < 5 {
		t.Fatalf("%d secrets of a login, want code, tokens and verifier", len(secrets))
	}
	for _, secret := range append(secrets, clientSecret, keyA) {
		for _, text := range []string{
			secret, url.QueryEscape(secret), base64.StdEncoding.EncodeToString([]byte(secret + "tail")), base64.RawURLEncoding.EncodeToString([]byte(secret)),
		} {
			if len(w.leaked("x "+text+" y")) == 0 {
				t.Errorf("not found: %s", text)
			}
		}
	}
	if found := w.leaked(strings.Repeat("nothing here ", 10)); len(found) != 0 {
		t.Errorf("found %q", found)
	}
}
