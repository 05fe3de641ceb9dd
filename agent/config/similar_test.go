package config

import (
	"strings"
	"testing"
)

func TestDidYouMean(t *testing.T) {
	for yaml, remedy := range map[string]string{
		"prot: 80":                             "Did you mean port?",
		"Port: 80":                             "Did you mean port?",
		"clientId: x":                          "Did you mean client_id?",
		"client-id: x":                         "Did you mean client_id?",
		"CLIENT_ID: x":                         "Did you mean client_id?",
		"isuer: x":                             "Did you mean issuer?",
		"redirect_url: x":                      "Did you mean redirect_uri?",
		"trusted_web_origin: [x]":              "Did you mean trusted_web_origins?",
		"TRUSTED_WEB_ORIGIN: [x]":              "Did you mean trusted_web_origins?",
		"cookies: {domain: x}":                 "Did you mean cookie?",
		"pkce-proxy: {}":                       "Did you mean pkce_proxy?",
		"name_prefix: x":                       "Did you mean name_prefix, in the section cookie?",
		"cookie_name_prefix: x":                "Did you mean name_prefix, in the section cookie?",
		"cookie.name_prefix: x":                "Did you mean name_prefix, in the section cookie?",
		"cookie: {name-prefix: x}":             "Did you mean name_prefix?",
		"cookie: {encryption_key: x}":          "Did you mean encryption_keys?",
		"cookie: {issuer: x}":                  "Did you mean issuer, outside of any section?",
		"endpoints: {jwks_uri: x}":             "Compare with the list of settings.",
		"endpoints: {authorise: x}":            "Did you mean authorize?",
		"routes: [{path: /a, upsteam: x}]":     "Did you mean upstream?",
		"routes: [{path: /a, strip-prefix: }]": "Did you mean strip_prefix?",
		"frobnicate: x":                        "Compare with the list of settings.",
		canary + ": x":                         "Compare with the list of settings.",
	} {
		ms := mistakes(t, writeFile(t, "agent.yaml", yaml), agentEnv(nil))
		if ms[0].Reason[:7] != "unknown" || ms[0].Remedy != remedy {
			t.Errorf("%s: %v", yaml, ms)
		}
	}
}

// A variable beside the one that is missing is probably it.
func TestMissingVariableUnderAnotherName(t *testing.T) {
	for missing, there := range map[string]string{
		"TRUSTED_WEB_ORIGIN": "TRUSTED_WEB_ORIGINS", "COOKIE_ENCRYPTION_KEY": "COOKIE_ENCRYPTION_KEYS_FILE", "CLIENT_SECRET": "CLIENT_SECERT",
		"REDIRECT_URI": "REDIRECT_URL",
	} {
		ms := mistakes(t, "", append(agentEnv(vars{missing: ""}), there+"="+canary))
		if len(ms) != 1 || !strings.HasSuffix(ms[0].Remedy, "The environment has "+there+": did you mean "+missing+"?") {
			t.Errorf("%s: %v", there, ms)
		}
	}
	ms := mistakes(t, "", append(agentEnv(vars{"CLIENT_SECRET": ""}), "SECRET="+canary, "OAUTH_ALLOW_PLAIN=true"))
	if m, _ := ms.find("client_secret"); strings.Contains(m.Remedy, "did you mean") {
		t.Errorf("%v", m)
	}
}
