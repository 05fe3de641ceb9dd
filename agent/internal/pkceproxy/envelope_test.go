package pkceproxy

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/go-cmp/cmp"

	"oauth-agent/agent/internal/oauthsyntax"
	"oauth-agent/agent/internal/secret"
)

var (
	testSigning    = secret.New(strings.Repeat("s", keySize))
	testEncryption = secret.New(strings.Repeat("e", keySize))
	testNow        = func() time.Time { return time.Unix(1_795_000_000, 0) }
)

const testIssuer = "https://pkce.example.com"

func testEnvelopes(t testing.TB) *envelopes {
	t.Helper()
	e, err := newEnvelopes(testSigning, testEncryption, testIssuer, testNow)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// ordinary is what a browser client sends: a URL of its own, and a state of 256
// random bits.
var ordinary = grant{
	ClientID:    "single-page-app",
	RedirectURI: "https://app.example.com/callback",
	Challenge:   "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
	State:       "xyzE9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw",
}

func TestEnvelopeOpensAsItWasSealed(t *testing.T) {
	e := testEnvelopes(t)
	for _, k := range []kind{e.state, e.code} {
		for _, g := range []grant{{}, ordinary, {State: `é"\<>&` + "\u2028", Plain: true}, {Code: strings.Repeat("k", maxCode)}} {
			text, err := e.seal(k, g)
			if err != nil {
				t.Fatal(err)
			}
			got, err := e.open(k, text)
			if diff := cmp.Diff(g, got); diff != "" || err != nil {
				t.Error(err, diff)
			}
		}
	}
}

// Servers and browsers limit URLs; a state for ordinary inputs is below 1000
// bytes, and the largest that the proxy makes can be opened.
func TestEnvelopeSizes(t *testing.T) {
	e := testEnvelopes(t)
	size := func(k kind, g grant) int {
		text, err := e.seal(k, g)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := e.open(k, text); err != nil {
			t.Errorf("%d bytes do not open: %v", len(text), err)
		}
		return len(text)
	}
	state := size(e.state, ordinary)
	withCode := ordinary
	withCode.State, withCode.Code = "", strings.Repeat("k", 40)
	code := size(e.code, withCode)
	t.Logf("ordinary: state %d bytes, code %d bytes for the AS's 40", state, code)
	if state >= 1000 || code >= 1000 {
		t.Error("too long")
	}
	largest := grant{
		ClientID:    strings.Repeat(`"`, oauthsyntax.MaxClientID),
		RedirectURI: "https://app.example.com/" + strings.Repeat("p", 1000),
		Challenge:   strings.Repeat("v", 128),
		Plain:       true,
	}
	largest.State = strings.Repeat(`"`, maxClientState)
	state = size(e.state, largest)
	largest.State, largest.Code = "", strings.Repeat(`"`, maxCode)
	code = size(e.code, largest)
	t.Logf("largest: state %d bytes of %d, code %d of %d", state, e.state.maxSize, code, e.code.maxSize)
}

func TestEnvelopeRefuses(t *testing.T) {
	e := testEnvelopes(t)
	sealBy := func(signing, encryption, issuer string, k func(*envelopes) kind) string {
		other, err := newEnvelopes(secret.New(signing), secret.New(encryption), issuer, testNow)
		if err != nil {
			t.Fatal(err)
		}
		text, err := other.seal(k(other), ordinary)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	state := func(e *envelopes) kind { return e.state }
	code := func(e *envelopes) kind { return e.code }
	signing, encryption, wrong := testSigning.Reveal(), testEncryption.Reveal(), strings.Repeat("x", keySize)
	for _, tt := range []struct {
		name, text string
		want       error
	}{
		{"a code", sealBy(signing, encryption, testIssuer, code), errKind},
		{"of another issuer", sealBy(signing, encryption, "https://other.example.com", state), errKind},
		{"signed by another key", sealBy(wrong, encryption, testIssuer, state), errForeign},
		{"encrypted with another key", sealBy(signing, wrong, testIssuer, state), errForeign},
		{"keys swapped", sealBy(encryption, signing, testIssuer, state), errForeign},
		{"not signed", encrypted(t, `{"aud":"`+e.state.audience+`","exp":9999999999}`, encryption, jose.A256GCM), errForeign},
		{"another cipher", encrypted(t, "x", wrong+wrong, jose.A256CBC_HS512), errForeign},
		{"alg none inside", encrypted(t, "eyJhbGciOiJub25lIn0.e30.", encryption, jose.A256GCM), errForeign},
		{"empty", "", errForeign},
		{"dots", "....", errForeign},
		{"a JWS", "eyJhbGciOiJIUzI1NiJ9.e30.AAAA", errForeign},
		{"JSON serialization", `{"protected":"e30","ciphertext":"AA"}`, errForeign},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := e.open(e.state, tt.text); !errors.Is(err, tt.want) {
				t.Errorf("error %v, want %v", err, tt.want)
			}
		})
	}
}

func encrypted(t *testing.T, payload, key string, enc jose.ContentEncryption) string {
	t.Helper()
	encrypter, err := jose.NewEncrypter(enc, jose.Recipient{Algorithm: jose.DIRECT, Key: []byte(key)}, nil)
	if err != nil {
		t.Fatal(err)
	}
	object, err := encrypter.Encrypt([]byte(payload))
	if err != nil {
		t.Fatal(err)
	}
	text, err := object.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// Both hold ordinary, sealed once with the keys and at the time of these tests.
const (
	sealedState = "eyJhbGciOiJkaXIiLCJjdHkiOiJKV1QiLCJlbmMiOiJBMjU2R0NNIn0..0neT9HF4pNhiGHS4.h4xzmbCysP5NiXfzNBWLEUxJpg" +
		"BeVEFx0p5iCvsLYv4oaOb2broKc-UA0TZ_RV4DAEv-1mOA6Qo-ImUxj_xU4wVMXOx12B_9ZtORcqLuRYMzB_nDNnEDddc89gTOyp" +
		"6mp_oOliaHb_eZWM5yF-orf0jECm0UMaGffHPitJw6icPnVDfcLYQUriVI-QjEKzkTITsrR06VYhuxj-V2cvXtmmFictY_g761SA" +
		"UiCreu4HBXdAlvPnxqwGB3XMzQOjhb85Ck5UfstJ_1x1fNd6MzYJSN-LWLrm0tMD9PA29YdhmY7E7HeViWrzg7-GzXK1h1LoKAD7" +
		"m49_68-vJizQuXB6QfRNommO5AcivNzEtfwD-HX8NtVSlzh5alx2k7dytbMMmyATyrjaHgBzDKOc5IjtNAHYlKfGJ0nEzuKIhgSp" +
		"U_0bKYoERdQTvcB8kH42iHNeNDgePBRWJqd-yzkKpG9Yczh51Fqh0o15qlFiwjx1x7uRf7iOHargTg8tu-jqikJezd88dcf4WSDi" +
		"gQCXAiWXVkV8j1mVg.EzSIzj1_3mf7ZSM2rAEmrQ"
	sealedCode = "eyJhbGciOiJkaXIiLCJjdHkiOiJKV1QiLCJlbmMiOiJBMjU2R0NNIn0..P5giF-byPOU4C1uC.zBW9U4UANAFJaII8sG2lzZHa-w" +
		"e9KfQ4adpE_noV_Yk8LdWR362cOBzBn5AhSXHBSeYfmvCBS3FsXD0XkzoHHdITkAVffunYRgg66gwnz3rxKLKjjX1LvPo07lceIF" +
		"7rJCMM7iurvBEewGdLRDjEP6T9KAO4j5h-sodGxYEFu93tOTtKk4b5_Vi78zptIf4rPVK_LtuCxtFqFIM7IUeP1th6J3J9Z2XLYL" +
		"o8YYbohST0ee11A35H6mS6y_-gTEeVChzrPJ_FSvHERDBU5wqIUk_0ejinKxljOR83uLMz_Zt1-DyHx-WW_efrVkPJ6-DFavgEBH" +
		"G8tAO8_63EfOTrUh-WwvmQycZf-vXdOyDSHBOQS60M5J4fHiAtCHgzX1P-RYxGSNW445qZ5taKvs9I3pTudxM4haI5K7mBHflBck" +
		"xIViWoOK93JHKjNKR2xvAjObOGzhvb8qHbeYOxIhHMEbOHBZlvpb-F8AGR1b6qC6sJ0hJfHXsSfglvmjAMpbWEL08AoTKFxdUtao" +
		"_Z-xXpvsZ2lZQUbAuNze0.4n_uJl01acZgyJQfuJX__A"
)

// Nothing opens but what was sealed for that purpose, byte for byte. Another
// version of the program must open these too, since replicas are replaced one
// after the other.
func fuzzOpen(f *testing.F, k func(*envelopes) kind, good, other string) {
	e := testEnvelopes(f)
	for _, seed := range []string{good, other, "", ".", "....", good[:len(good)-1], good + "A", good + "\n", strings.Replace(good, "..", ".A.", 1)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		g, err := e.open(k(e), text)
		if text == good {
			if g != ordinary || err != nil {
				t.Errorf("%+v, %v", g, err)
			}
		} else if err == nil {
			t.Errorf("opened %q as %+v", text, g)
		}
	})
}

func FuzzOpenState(f *testing.F) {
	fuzzOpen(f, func(e *envelopes) kind { return e.state }, sealedState, sealedCode)
}

func FuzzOpenCode(f *testing.F) {
	fuzzOpen(f, func(e *envelopes) kind { return e.code }, sealedCode, sealedState)
}
