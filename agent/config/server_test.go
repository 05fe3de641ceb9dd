package config

import (
	"slices"
	"testing"
)

// An https issuer has https endpoints, none on loopback or link-local unless it is
// there itself; those set by hand are held to it too.
func TestEndpointsOfAnHTTPSIssuer(t *testing.T) {
	for variable, key := range map[string]string{
		"AUTHORIZE_ENDPOINT": "endpoints.authorize", "TOKEN_ENDPOINT": "endpoints.token", "USERINFO_ENDPOINT": "endpoints.userinfo",
		"LOGOUT_ENDPOINT": "endpoints.logout", "JWKS_ENDPOINT": "endpoints.jwks", "REVOCATION_ENDPOINT": "endpoints.revocation",
	} {
		for endpoint, reason := range map[string]string{
			"http://127.0.0.1:9000/x":        "must be https",
			"https://foo.localhost/x":        "loopback",
			"https://[::ffff:127.0.0.1]/x":   "loopback",
			"https://0.0.0.0/x":              "loopback",
			"https://169.254.169.254/x":      "link-local",
			"https://2130706433/x":           "plain name",
			"http://login.internal.example/": "in clear",
		} {
			want(t, mistakes(t, "", agentEnv(vars{variable: endpoint})), key, reason)
		}
		want(t, mistakes(t, "", agentEnv(vars{variable: "http://login.example.com/x", "INSECURE_HTTP": "true"})), key, "must be https")
		load(t, "", agentEnv(vars{variable: "https://inside.example.com/x"}))
		load(t, "", agentEnv(vars{variable: "https://127.0.0.1:9000/x", "ISSUER": "https://localhost:9000"}))
		load(t, "", agentEnv(vars{variable: "http://127.0.0.1:9000/x", "ISSUER": "http://localhost:9000"}))
	}
}

func TestTenants(t *testing.T) {
	const entra = "https://login.microsoftonline.com/{tenantid}/v2.0"
	const one, two = "72f988bf-86f1-41af-91ab-2d7cd011db47", "9188040d-6c67-4c5b-b112-36a304b66dad"
	for _, tt := range []struct {
		issuer, tenants, key, reason string // no key: good
	}{
		{entra, one, "", ""},
		{entra, one + ", " + two, "", ""},
		{entra, "any", "", ""},
		{"https://sts.windows.net/{tenantid}/", one, "", ""},
		{entra, "", "tenants", "not set, though issuer has {tenantid}"},
		{"https://login.example.com", one, "tenants", "set, though issuer has no {tenantid}"},
		{entra, "any," + one, "tenants", "any beside others"},
		{entra, "common", "tenants", `"common" is not the id of a tenant`},
		{entra, "a/b", "tenants", "not the id of a tenant"},
		{"https://login.example.com/{tenantId}", one, "issuer", "braces"},
		{"https://login.example.com/{tenantid}/{tenantid}", one, "issuer", "braces"},
		{"https://login.example.com/{tenantid", "", "issuer", "braces"},
		{"https://{tenantid}.example.com/", one, "issuer", "absolute http(s) URL"},
	} {
		env := agentEnv(vars{"ISSUER": tt.issuer, "TENANTS": tt.tenants})
		if tt.key != "" {
			want(t, mistakes(t, "", env), tt.key, tt.reason)
			continue
		}
		load(t, "", env)
	}
	for text, tenants := range map[string]Tenants{"any": {"any"}, "[" + one + ", " + two + "]": {one, two}, one: {one}} {
		c := load(t, "tenants: "+text+"\n", agentEnv(vars{"ISSUER": entra}))
		if !slices.Equal(c.Tenants, tenants) {
			t.Errorf("%s: %q", text, c.Tenants)
		}
	}
}

func TestMetadataURL(t *testing.T) {
	const inside = "https://keycloak.internal:8443/realms/shop/.well-known/openid-configuration"
	for _, tt := range []struct {
		change vars
		reason string // empty: good
	}{
		{vars{"METADATA_URL": inside}, ""},
		{vars{"METADATA_URL": inside + "?p=B2C_1_signin"}, ""},
		{vars{"METADATA_URL": "http://127.0.0.1:8080/metadata"}, ""},
		{vars{"METADATA_URL": "http://keycloak:8080/metadata", "ISSUER": "http://login.internal", "INSECURE_HTTP": "true"}, ""},
		{vars{"METADATA_URL": "http://keycloak:8080/metadata"}, "in clear"},
		{vars{"METADATA_URL": "http://keycloak:8080/metadata", "INSECURE_HTTP": "true"}, "must be https"},
		{vars{"METADATA_URL": "/metadata"}, "absolute http(s) URL"},
		{vars{"METADATA_URL": inside + "#x"}, "fragment"},
		{vars{"METADATA_URL": "https://me:" + canary + "@keycloak/metadata"}, "user name"},
		{vars{"METADATA_URL": inside, "ISSUER": "", "AUTHORIZE_ENDPOINT": "https://a.example/a", "TOKEN_ENDPOINT": "https://a.example/t", "JWKS_ENDPOINT": "https://a.example/k"}, "issuer is not"},
	} {
		if tt.reason != "" {
			want(t, mistakes(t, "", agentEnv(tt.change)), "metadata_url", tt.reason)
			continue
		}
		load(t, "", agentEnv(tt.change))
	}
}
