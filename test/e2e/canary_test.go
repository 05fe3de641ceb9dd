package e2e

import (
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"slices"
	"strings"
	"sync"
)

// noLeak greps what an operator sees (the log, the metrics, the spans, the other
// answers of the admin listener) for every secret of the world, for the states,
// which are good for a login until it ends, and for who the users are.
func (w *world) noLeak() {
	w.t.Helper()
	for name, text := range map[string]string{"log": w.log.String(), "telemetry": w.told.String()} {
		for _, state := range w.wire.states() {
			if strings.Contains(text, state) {
				w.t.Errorf("the %s has a state or a nonce: %s", name, state)
			}
		}
		for _, leaked := range w.leaked(text) {
			w.t.Errorf("the %s has a secret: %s", name, leaked)
		}
		for _, user := range []string{"sub-demo", "sub-eve", "zoe@example.com", "Zoë"} {
			if strings.Contains(text, user) {
				w.t.Errorf("the %s tells who a user is: %s", name, user)
			}
		}
	}
}

// leaked lists the secrets that stand in text: as they are, URL-encoded, or in
// base64. Secrets are keys, the client secret, PKCE verifiers, and all that the
// authorization server ever issued.
func (w *world) leaked(text string) []string {
	return w.canaries.in(text, w.idp.Issued(), w.wire.verifiers())
}

// canaries knows the spellings of secrets. There are many of them by the end of
// a test, and all are looked for in every answer.
type canaries struct {
	mu       sync.Mutex
	read     []int // how many of each list are spelled already
	spelling []string
}

func (k *canaries) in(text string, lists ...[]string) []string {
	k.mu.Lock()
	if k.read == nil {
		k.read = make([]int, len(lists))
		key, _ := hex.DecodeString(keyA)
		for _, fixed := range []string{clientSecret, password, keyA, keyB, subjectKey, string(key)} {
			k.spelling = append(k.spelling, spellings(fixed)...)
		}
	}
	for i, list := range lists {
		for ; k.read[i] < len(list); k.read[i]++ { // another caller may have read further
			k.spelling = append(k.spelling, spellings(list[k.read[i]])...)
		}
	}
	all := k.spelling[:len(k.spelling):len(k.spelling)]
	k.mu.Unlock()
	var found []string
	for _, s := range all {
		if strings.Contains(text, s) {
			found = append(found, s)
		}
	}
	return found
}

func spellings(secret string) []string {
	// Without the last group, whose characters depend on what follows.
	whole := secret[:len(secret)/3*3]
	list := []string{secret, base64.StdEncoding.EncodeToString([]byte(whole))}
	for _, other := range []string{base64.URLEncoding.EncodeToString([]byte(whole)), url.QueryEscape(secret), url.PathEscape(secret)} {
		if !slices.Contains(list, other) {
			list = append(list, other)
		}
	}
	return list
}
