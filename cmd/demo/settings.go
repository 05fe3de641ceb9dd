package main

import (
	"crypto/rand"
	"encoding/hex"

	"oauth-agent/test/idp"
)

const (
	basePath     = "/oauth-agent"
	cookiePrefix = "agent"
	clientID     = "demo"
)

// randomHex gives 256 random bits: a cookie key, or a client secret.
func randomHex() string {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // never fails
	return hex.EncodeToString(b)
}

// users can log in; one has a name beyond ASCII, which must arrive unharmed.
func users() []idp.User {
	return []idp.User{
		{Username: "ada", Password: "ada", Sub: "248289761001", Claims: map[string]any{
			"name": "Ada Lovelace", "preferred_username": "ada", "email": "ada@example.com",
		}},
		{Username: "zoe", Password: "zoe", Sub: "248289761002", Claims: map[string]any{
			"name": "Zoë Łukasiewicz", "preferred_username": "zoe", "email": "zoe@example.com",
		}},
	}
}

// providerConfig registers the agent at the identity provider.
func providerConfig(origin, clientSecret string, opts options) idp.Config {
	return idp.Config{
		Clients: []idp.Client{{
			ID: clientID, Secret: clientSecret, Name: "OAuth Agent demo",
			RedirectURIs:           []string{origin + "/"},
			PostLogoutRedirectURIs: []string{origin + "/"},
		}},
		Users:               users(),
		ShowUsers:           true,
		AccessTokenLifetime: opts.accessTokenLifetime,
	}
}

// environ is the agent's settings, as a shell would give them.
func environ(origin, issuer, api, clientSecret string, opts options) []string {
	return []string{
		"BASE_PATH=" + basePath,
		"ISSUER=" + issuer,
		"CLIENT_ID=" + clientID,
		"CLIENT_SECRET=" + clientSecret,
		"REDIRECT_URI=" + origin + "/",
		"POST_LOGOUT_REDIRECT_URI=" + origin + "/",
		"SCOPE=openid profile email",
		"TRUSTED_WEB_ORIGIN=" + origin,
		"CORS_ENABLED=false", // page and agent have one origin
		"COOKIE_NAME_PREFIX=" + cookiePrefix,
		"COOKIE_ENCRYPTION_KEY=" + randomHex(),
		"SESSION_LIFETIME=" + opts.sessionLifetime.String(),
		"ROUTES=/api=" + api,
	}
}
