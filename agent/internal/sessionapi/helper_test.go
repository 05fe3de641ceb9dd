package sessionapi_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"oauth-agent/agent/internal/authserver"
	"oauth-agent/agent/internal/roomtest"
	"oauth-agent/agent/internal/secret"
	"oauth-agent/agent/internal/session"
	"oauth-agent/agent/internal/sessionapi"
)

// fake is the authorization server and what refreshes at it. An ID token is id-SUBJECT.
type fake struct {
	userinfo    string
	userinfoErr error
	askedFor    []string // access token and subject of each call of userinfo

	renewed    session.Tokens
	refreshErr error
	refreshed  []session.Tokens // what was renewed
}

func (f *fake) ReadIDToken(id secret.String) (json.RawMessage, authserver.Identity, error) {
	subject, ok := strings.CutPrefix(id.Reveal(), "id-")
	if !ok {
		return nil, authserver.Identity{}, errors.New("not an ID token")
	}
	return json.RawMessage(`{"sub": "` + subject + `"}`), authserver.Identity{Issuer: "https://as", Subject: subject}, nil
}

func (f *fake) Userinfo(_ context.Context, access secret.String, sub string) (json.RawMessage, error) {
	f.askedFor = append(f.askedFor, access.Reveal()+" "+sub)
	return json.RawMessage(f.userinfo), f.userinfoErr
}

func (f *fake) Refresh(_ context.Context, old session.Tokens) (session.Tokens, error) {
	f.refreshed = append(f.refreshed, old)
	return f.renewed, f.refreshErr
}

// serve mounts the room; change may alter its options.
func serve(t *testing.T, change ...func(*sessionapi.Options)) (*roomtest.Site, *fake) {
	t.Helper()
	site, f := roomtest.New(t), &fake{}
	opt := sessionapi.Options{Server: f, Tokens: f, Sessions: site.Sessions, Log: site.Logger}
	for _, c := range change {
		c(&opt)
	}
	site.Mount(sessionapi.New(opt).Routes())
	return site, f
}

// alice returns the tokens of a login that ends now, good for five minutes.
func alice(site *roomtest.Site) session.Tokens {
	return session.Tokens{
		Access: secret.New("access-1"), Refresh: secret.New("refresh-1"), ID: secret.New("id-alice"),
		Issued: site.Clock.Now(), Expiry: site.Clock.Now().Add(5 * time.Minute),
	}
}
