package authserver

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"oauth-agent/agent/internal/authserver/authservertest"
)

const (
	tenantA = "72f988bf-86f1-41af-91ab-2d7cd011db47"
	tenantB = "9188040d-6c67-4c5b-b112-36a304b66dad"
)

// entra makes the server one of many tenants, as Entra ID is: one document, at common.
func entra(as *fakeAS, tenants ...string) func(*Config) {
	issuer := as.URL + "/{tenantid}/v2.0"
	as.Metadata["issuer"] = issuer
	as.Handle("/common/v2.0"+wellKnownPath, func(w http.ResponseWriter, _ *http.Request) { authservertest.Reply(w, 200, as.Metadata) })
	return func(c *Config) { c.Issuer, c.Tenants = issuer, tenants }
}

func TestTenants(t *testing.T) {
	for _, tt := range []struct {
		name    string
		tenants []string
		iss     string // after the server's URL
		tid     any
		want    string // empty: good
	}{
		{"the one", []string{tenantA}, "/" + tenantA + "/v2.0", tenantA, ""},
		{"one of two", []string{tenantB, tenantA}, "/" + tenantA + "/v2.0", tenantA, ""},
		{"any", []string{"any"}, "/" + tenantB + "/v2.0", tenantB, ""},
		{"not listed", []string{tenantA}, "/" + tenantB + "/v2.0", tenantB, "tid is not among the tenants"},
		{"listed tid, other iss", []string{tenantA}, "/" + tenantB + "/v2.0", tenantA, "iss is not the issuer of its tid"},
		{"listed iss, other tid", []string{tenantA}, "/" + tenantA + "/v2.0", tenantB, "tid is not among"},
		{"any, but iss of another tid", []string{"any"}, "/" + tenantB + "/v2.0", tenantA, "iss is not the issuer of its tid"},
		{"the template", []string{"any"}, "/{tenantid}/v2.0", tenantA, "iss is not the issuer of its tid"},
		{"the template as tid", []string{"any"}, "/{tenantid}/v2.0", "{tenantid}", "tid is not among"},
		{"tid named any", []string{"any"}, "/any/v2.0", "any", ""},
		{"tid with a slash", []string{"any"}, "/a/b/v2.0", "a/b", "tid is not among"},
		{"tid of dots", []string{"any"}, "/../v2.0", "..", "tid is not among"},
		{"tid empty", []string{"any"}, "//v2.0", "", "tid is not among"},
		{"tid missing", []string{"any"}, "/" + tenantA + "/v2.0", nil, "tid is missing"},
		{"tid a list", []string{"any"}, "/" + tenantA + "/v2.0", []string{tenantA}, "tid is missing"},
		{"other version", []string{tenantA}, "/" + tenantA + "/", tenantA, "iss is not the issuer of its tid"},
		{"in capitals", []string{tenantA}, "/" + strings.ToUpper(tenantA) + "/v2.0", strings.ToUpper(tenantA), "tid is not among"},
		{"nobody", nil, "/" + tenantA + "/v2.0", tenantA, "tid is not among"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			as := newAS(t)
			c := as.client(entra(as, tt.tenants...))
			as.Login = m{"iss": as.URL + tt.iss, "tid": tt.tid}
			got, err := c.RedeemCode(t.Context(), goodGrant())
			switch {
			case tt.want == "" && (err != nil || got.Identity.Issuer != as.URL+tt.iss):
				t.Errorf("%v, %v", got.Identity, err)
			case tt.want != "" && (!errors.Is(err, ErrIDToken) || !strings.Contains(err.Error(), tt.want)):
				t.Errorf("error is %v, want %q", err, tt.want)
			}
			if as.Count("/common/v2.0"+wellKnownPath) != 1 {
				t.Error("common was not asked")
			}
		})
	}
}

// TestTenantStays: a session is of one tenant, whichever others may log in.
func TestTenantStays(t *testing.T) {
	as := newAS(t)
	c := as.client(entra(as, "any"))
	as.Login = m{"iss": as.URL + "/" + tenantA + "/v2.0", "tid": tenantA}
	session := as.enter(c)
	as.Set(func() { as.Login = m{"iss": as.URL + "/" + tenantB + "/v2.0", "tid": tenantB} })
	if _, err := c.ExchangeRefreshToken(t.Context(), session.Refresh, session.ID); !errors.Is(err, ErrUnavailable) {
		t.Errorf("%v", err)
	}
}

// TestKeyOfATenant: the server names the tenant whose tokens a key may sign.
func TestKeyOfATenant(t *testing.T) {
	for _, tt := range []struct {
		issuer any // of the key, where a text is after the server's URL
		many   bool
		ok     bool
	}{
		{nil, true, true}, {5, true, true}, {"/{tenantid}/v2.0", true, true}, {"/" + tenantA + "/v2.0", true, true},
		{"/" + tenantB + "/v2.0", true, false}, {"/" + tenantB + "/v2.0", false, true},
	} {
		as := newAS(t)
		change := func(*Config) {}
		if tt.many {
			change = entra(as, "any")
			as.Login = m{"iss": as.URL + "/" + tenantA + "/v2.0", "tid": tenantA}
		}
		if text, isText := tt.issuer.(string); isText {
			tt.issuer = as.URL + text
		}
		as.serveKeys(with(jwk(as.Signer), m{"issuer": tt.issuer}))
		_, err := as.client(change).RedeemCode(t.Context(), goodGrant())
		if (err == nil) != tt.ok || err != nil && (!errors.Is(err, ErrIDToken) || !strings.Contains(err.Error(), "its key is of another tenant")) {
			t.Errorf("key of %v, many tenants %v: %v", tt.issuer, tt.many, err)
		}
	}
}

// TestIssuerInTheResponse, RFC 9207, of a server with tenants: that of one of them, or
// none as before.
func TestIssuerInTheResponse(t *testing.T) {
	as := newAS(t)
	c := as.client(entra(as, tenantA))
	for iss, ok := range map[string]bool{
		"": true, as.URL + "/" + tenantA + "/v2.0": true, as.URL + "/{tenantid}/v2.0": true,
		as.URL + "/" + tenantB + "/v2.0": false, as.URL + "/" + tenantA + "/v2.0/": false, as.URL + "/common/v2.0": false,
		"https://evil.example.com/" + tenantA + "/v2.0": false, as.URL + "/": false, as.URL + "//v2.0": false,
	} {
		if err := c.CheckIssuer(t.Context(), iss); (err == nil) != ok || err != nil && !errors.Is(err, ErrIssuer) {
			t.Errorf("%q: %v", iss, err)
		}
	}
	as.Set(func() { as.Metadata["authorization_response_iss_parameter_supported"] = true })
	as.Clock.Add(metadataLife)
	_ = c.Ready(t.Context())
	settled(c)
	if err := c.CheckIssuer(t.Context(), ""); !errors.Is(err, ErrIssuer) {
		t.Errorf("missing, though announced: %v", err)
	}
}

// TestCommonWithoutTenants: the mistake that everybody makes first is told in the words
// that mend it.
func TestCommonWithoutTenants(t *testing.T) {
	as := newAS(t)
	entra(as)
	c := as.client(func(c *Config) { c.Issuer = as.URL + "/common/v2.0" })
	if err := c.Ready(t.Context()); err == nil || !strings.Contains(err.Error(), "of another issuer: "+as.URL+"/{tenantid}/v2.0") {
		t.Errorf("%v", err)
	}
}
