package authserver

import (
	"encoding/base64"
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"oauth-agent/agent/internal/secret"
)

func TestExchange(t *testing.T) {
	as := newAS(t)
	c, g := as.client(), goodGrant()
	got, err := c.RedeemCode(t.Context(), g)
	if err != nil {
		t.Fatal(err)
	}
	if got.Access.Reveal() != "access-1" || got.Refresh.Reveal() != "refresh-1" || got.ID.Empty() {
		t.Errorf("tokens %q %q", got.Access.Reveal(), got.Refresh.Reveal())
	}
	if want := as.Clock.Now().Add(300 * time.Second); !got.Expiry.Equal(want) {
		t.Errorf("expiry %v, want %v", got.Expiry, want)
	}
	if !got.Issued.Equal(as.Clock.Now()) {
		t.Errorf("issued %v, want now", got.Issued)
	}
	if got.Identity != (Identity{as.URL, "alice"}) {
		t.Errorf("identity %v", got.Identity)
	}
	want := url.Values{
		"grant_type": {"authorization_code"}, "code": {g.Code.Reveal()},
		"redirect_uri": {redirectURI}, "code_verifier": {g.Verifier.Reveal()},
	}
	if len(as.Forms) != 1 || as.Forms[0].Encode() != want.Encode() {
		t.Errorf("form %v, want %v", as.Forms, want)
	}
	basic := base64.StdEncoding.EncodeToString([]byte("spa+agent:c4nary%2Bclient+secret"))
	if as.Auth[0] != "Basic "+basic {
		t.Errorf("Authorization %q", as.Auth[0])
	}
}

func TestExchangeByForm(t *testing.T) {
	as := newAS(t)
	as.Metadata["token_endpoint_auth_methods_supported"] = []string{"client_secret_post"}
	as.enter(as.client())
	if f := as.Forms[0]; as.Auth[0] != "" || f.Get("client_id") != clientID || f.Get("client_secret") != clientSecret {
		t.Errorf("Authorization %q, form %v", as.Auth[0], f)
	}
}

// TestExchangeErrors: whose fault an answer is. The code is sent once, and
// nothing of the answer but a plain error code is told.
func TestExchangeErrors(t *testing.T) {
	for _, tt := range []struct {
		name   string
		status int
		body   any
		want   error
		tells  string
	}{
		{"invalid_grant", 400, m{"error": "invalid_grant", "error_description": "c4nary"}, ErrCodeRefused, "(invalid_grant)"},
		{"invalid_client", 401, m{"error": "invalid_client"}, ErrClientRefused, "(invalid_client)"},
		{"invalid_client, 200", 200, m{"error": "invalid_client"}, ErrClientRefused, "(invalid_client)"},
		{"invalid_grant, 200", 200, m{"error": "invalid_grant"}, ErrCodeRefused, "(invalid_grant)"},
		{"bad_verification_code, 200, form", 200, "error=bad_verification_code&error_description=c4nary", ErrCodeRefused, "(bad_verification_code)"},
		{"temporarily_unavailable, 200", 200, m{"error": "temporarily_unavailable"}, ErrUnavailable, "(temporarily_unavailable)"},
		{"server_error, 400", 400, m{"error": "server_error"}, ErrUnavailable, "(server_error)"},
		{"odd code", 400, m{"error": "c4nary text"}, ErrCodeRefused, "status 400"},
		{"long code", 400, m{"error": strings.Repeat("c4nary", 20)}, ErrCodeRefused, "status 400"},
		{"code of another type", 400, m{"error": m{"c4nary": 1}}, ErrCodeRefused, "status 400"},
		{"HTML 404", 404, "<p>c4nary</p>", ErrUnavailable, "status 404"},
		{"HTML 403", 403, "<p>c4nary</p>", ErrUnavailable, "status 403"},
		{"JSON 400", 400, m{"message": "c4nary"}, ErrCodeRefused, "status 400"},
		{"text 422", 422, "c4nary", ErrCodeRefused, "status 422"},
		{"empty 403", 403, "", ErrCodeRefused, "status 403"},
		{"408", 408, "", ErrUnavailable, "408"},
		{"429", 429, m{"error": "invalid_grant"}, ErrUnavailable, "429"},
		{"500", 500, m{"error": "invalid_grant"}, ErrUnavailable, "500"},
		{"form-encoded", 200, "access_token=c4nary&token_type=bearer", ErrUnavailable, "JSON"},
		{"no access token", 200, m{"id_token": "c4nary"}, ErrUnavailable, "access_token"},
		{"no ID token", 200, m{"access_token": "c4nary"}, ErrUnavailable, "id_token"},
		{"ID token of another type", 200, m{"access_token": "c4nary", "id_token": 5}, ErrUnavailable, "id_token"},
		{"ID token is garbage", 200, m{"access_token": "c4nary", "id_token": "c4nary"}, ErrIDToken, "signed JWT"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			as := newAS(t)
			as.Answer = func(url.Values) (int, any) { return tt.status, tt.body }
			_, err := as.client().RedeemCode(t.Context(), goodGrant())
			if !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.tells) {
				t.Errorf("error is %v, want %v that tells %q", err, tt.want, tt.tells)
			}
			for _, other := range []error{ErrUnavailable, ErrCodeRefused, ErrClientRefused, ErrIDToken, ErrSessionOver} {
				if other != tt.want && errors.Is(err, other) {
					t.Errorf("error is %v as well", other)
				}
			}
			if err != nil && strings.Contains(err.Error(), "c4nary") {
				t.Errorf("error quotes the server: %v", err)
			}
			if len(as.Forms) != 1 {
				t.Errorf("the code was sent %d times", len(as.Forms))
			}
		})
	}
}

// TestExchangeWithoutOpenID: an ID token that was not asked for is not kept,
// since nothing says by which keys and nonce to verify it.
func TestExchangeWithoutOpenID(t *testing.T) {
	as := newAS(t)
	got, err := as.client().RedeemCode(t.Context(), CodeGrant{Code: secret.New("c"), Verifier: secret.New("v")})
	if err != nil || !got.ID.Empty() || got.Identity != (Identity{}) || got.Access.Empty() {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestParseTokenAnswer(t *testing.T) {
	for _, tt := range []struct {
		body, access, refresh string
		life                  time.Duration
		wantErr               bool
	}{
		{`{"access_token":"a"}`, "a", "", 0, false},
		{` {"access_token":"a","token_type":"BEARER","expires_in":60,"refresh_token":"r"} `, "a", "r", time.Minute, false},
		{`{"access_token":"a","token_type":null,"refresh_token":null,"id_token":null,"expires_in":null}`, "a", "", 0, false},
		{`{"access_token":"a b~","expires_in":"60"}`, "a b~", "", time.Minute, false},
		{`{"access_token":"a","expires_in":59.9}`, "a", "", 59 * time.Second, false},
		{`{"access_token":"a","expires_in":0}`, "a", "", 0, false},
		{`{"access_token":"a","expires_in":-5}`, "a", "", 0, false},
		{`{"access_token":"a","expires_in":1000000000}`, "a", "", 0, false},
		{`{"access_token":"a","expires_in":1e300}`, "a", "", 0, false},
		{`{"access_token":"a","expires_in":1e999}`, "a", "", 0, false},
		{`{"access_token":"a","expires_in":"NaN"}`, "a", "", 0, false},
		{`{"access_token":"a","expires_in":"Inf"}`, "a", "", 0, false},
		{`{"access_token":"a","expires_in":[60]}`, "a", "", 0, false},
		{`{"access_token":"a","expires_in":true}`, "a", "", 0, false},
		{`{"access_token":"a","refresh_token":""}`, "a", "", 0, false},
		{`{"access_token":""}`, "", "", 0, true},
		{`{"access_token":" "}`, "", "", 0, true},
		{`{"access_token":null}`, "", "", 0, true},
		{`{"access_token":5}`, "", "", 0, true},
		{`{"access_token":["a"]}`, "", "", 0, true},
		{`{"Access_Token":"a"}`, "", "", 0, true},
		{`{"access_token":"a","access_token":"b"}`, "", "", 0, true},
		{`{"access_token":"a\r\nX-Evil: 1"}`, "", "", 0, true},
		{`{"access_token":"ä"}`, "", "", 0, true},
		{`{"access_token":"a","refresh_token":5}`, "", "", 0, true},
		{`{"access_token":"a","refresh_token":"r","token_type":"DPoP"}`, "", "r", 0, true},
		{`{"access_token":"a","token_type":["Bearer"]}`, "", "", 0, true},
		{`{"refresh_token":"r"}`, "", "r", 0, true},
		{`{"access_token":"a"}x`, "", "", 0, true},
		{`[{"access_token":"a"}]`, "", "", 0, true},
		{`"a"`, "", "", 0, true},
		{``, "", "", 0, true},
	} {
		got, err := parseTokenAnswer([]byte(tt.body))
		if (err != nil) != tt.wantErr || got.access.Reveal() != tt.access || got.refresh.Reveal() != tt.refresh || got.life != tt.life {
			t.Errorf("%s: access %q, refresh %q, life %v, error %v",
				tt.body, got.access.Reveal(), got.refresh.Reveal(), got.life, err)
		}
	}
}
