package e2e

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// metadataElsewhere serves the document of the world's server with changes.
func metadataElsewhere(t *testing.T, w *world, changes map[string]any) string {
	t.Helper()
	resp, err := http.Get(w.idp.Issuer + "/.well-known/openid-configuration")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	doc := map[string]any{}
	if err := json.NewDecoder(resp.Body).Decode(&doc); err != nil {
		t.Fatal(err)
	}
	for name, value := range changes {
		doc[name] = value
	}
	text, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		_, _ = rw.Write(append([]byte("\xef\xbb\xbf"), text...))
	}))
	t.Cleanup(srv.Close)
	return srv.URL + "/metadata"
}

// withIssuer is the page of an authorization response with another iss, or without.
func withIssuer(t *testing.T, page, iss string) string {
	t.Helper()
	u, err := url.Parse(page)
	if err != nil {
		t.Fatal(err)
	}
	query := u.Query()
	if query.Del("iss"); iss != "" {
		query.Set("iss", iss)
	}
	u.RawQuery = query.Encode()
	return u.String()
}

// TestTenants: the users of some tenants log in at a server whose metadata is of all of
// them, is elsewhere, and does not make sense in part.
func TestTenants(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	issuer := w.idp.Issuer + "/{tenantid}/v2.0"
	metadata := metadataElsewhere(t, w, map[string]any{
		"issuer": issuer, "token_endpoint_auth_methods_supported": "client_secret_basic", "revocation_endpoint": 5,
		"authorization_response_iss_parameter_supported": false,
	})
	w.agent = w.replica("ISSUER="+issuer, "TENANTS=blue,green", "METADATA_URL="+metadata)
	for tid, status := range map[string]int{"blue": 200, "green": 200, "red": 400} {
		w.idp.SetIDTokenFault(claims(map[string]any{"iss": strings.Replace(issuer, "{tenantid}", tid, 1), "tid": tid}))
		// The response says which tenant it is of, or nothing (RFC 9207).
		for _, iss := range []string{strings.Replace(issuer, "{tenantid}", tid, 1), ""} {
			c := w.client()
			if a := c.end(withIssuer(t, w.authorize(c.start()), iss)); a.Status != status {
				t.Errorf("tenant %s, iss %q: %d %s", tid, iss, a.Status, a.Body)
			}
		}
	}
	c := w.client()
	if a := c.end(w.authorize(c.start())); a.Status != 400 {
		t.Errorf("an authorization response of no tenant: %d %s", a.Status, a.Body)
	}
	w.idp.ClearFaults()

	var out bytes.Buffer
	if err := w.agents[len(w.agents)-1].Check(t.Context(), &out); err != nil {
		t.Error(err)
	}
	for _, want := range []string{
		issuer + ": found", "[blue green]", "metadata         makes no sense in part: revocation_endpoint must be a text; it is ignored",
		"token_endpoint_auth_methods_supported must be a list of texts",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("check does not say %q:\n%s", want, &out)
		}
	}
}
