//go:build interop

package interop

import "testing"

func TestOIDCProvider(t *testing.T) {
	run(t, oidcProvider(t), []scenario{
		{name: "login", run: logsIn},
		{name: "login over TLS", tls: true, run: logsInOverTLS},
		{name: "login in two tabs", run: twoTabsLogIn},
		{name: "login replayed", run: replaysLogin},
		{name: "consent denied", run: deniesConsent},
		{name: "silent login", run: asksSilently},
		{name: "large tokens", as: map[string]string{"TOKEN_CHARS": "4500", "CLAIM_CHARS": "5000"}, run: carriesLargeTokens},
		{name: "ES256", as: map[string]string{"ID_TOKEN_ALG": "ES256"}, run: refreshes},
		{name: "PS256", as: map[string]string{"ID_TOKEN_ALG": "PS256"}, run: refreshes},
		{name: "EdDSA", as: map[string]string{"ID_TOKEN_ALG": "EdDSA"}, run: refreshes},

		{name: "refresh", run: refreshes},
		{name: "twenty refreshes at once", run: refreshesAtOnce},
		{name: "late refresh", run: refreshesLate},
		{name: "refresh two behind", run: refreshesTwoBehind},
		{name: "expiry", as: map[string]string{"ACCESS_TOKEN_TTL": "6"}, run: expires},
		{name: "session ended at the server", run: endsAtTheServer},
		{name: "tokens of an API", as: map[string]string{"API": "https://api.example.com"}, run: refusesItsOwnTokens},

		{name: "logout", run: logsOut},
		{name: "direct logout", agent: map[string]string{"LOGOUT_URL": "direct"}, run: logsOutDirectly},
		{name: "logout while the server is away", run: logsOutWithoutTheServer},

		{name: "check", run: checks},
		{name: "the server restarts", run: outlivesTheServer},
		{name: "the agent starts first", late: true, run: startsFirst},
		{name: "the agent restarts", run: restarts},
	})
}

func TestDjango(t *testing.T) {
	run(t, django(t), []scenario{
		{name: "login", run: logsIn},
		{name: "login in two tabs", run: twoTabsLogIn},
		{name: "login replayed", run: replaysLogin},
		{name: "consent denied", run: deniesConsent},
		{name: "without OpenID Connect", agent: map[string]string{"SCOPE": "read"}, run: logsInWithoutOpenID},

		{name: "refresh", run: refreshes},
		{name: "twenty refreshes at once", run: refreshesAtOnce},
		{name: "late refresh", run: refreshesLate},
		{name: "refresh two behind", run: refreshesTwoBehind},
		{name: "expiry", as: map[string]string{"ACCESS_TOKEN_TTL": "6"}, run: expires},
		{name: "session ended at the server", run: endsAtTheServer},

		{name: "logout", run: logsOutHere},

		{name: "check", run: checks},
		{name: "the server restarts", run: outlivesTheServer},
		{name: "the agent starts first", late: true, run: startsFirst},
		{name: "the agent restarts", run: restarts},
	})
}
