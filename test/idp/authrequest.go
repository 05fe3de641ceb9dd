package idp

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// authRequest is an authorization request that may be answered by redirect: its
// client and its redirect URI are good.
type authRequest struct {
	client                        *Client
	redirectURI, state            string
	nonce, challenge, loginHint   string
	scopes, prompts               []string
	maxAge                        time.Duration
	hasMaxAge, redirectURIOmitted bool
}

// parseTarget finds out where an answer may go. Without a known client and one of
// its own redirect URIs nothing is redirected anywhere (RFC 6749 4.1.2.1).
func (p *Provider) parseTarget(form url.Values) (*authRequest, *oauthError) {
	if len(form["client_id"]) > 1 || len(form["redirect_uri"]) > 1 {
		return nil, invalidRequest("The request has a parameter twice.")
	}
	client := p.cfg.client(form.Get("client_id"))
	if client == nil {
		return nil, invalidRequest("The application is not registered here.")
	}
	req := &authRequest{client: client, redirectURI: form.Get("redirect_uri"), state: form.Get("state")}
	if req.redirectURI == "" && len(client.RedirectURIs) == 1 {
		req.redirectURI, req.redirectURIOmitted = client.RedirectURIs[0], true
	}
	if !slices.Contains(client.RedirectURIs, req.redirectURI) {
		return nil, invalidRequest("The application gave a redirect URI that is not registered.")
	}
	return req, nil
}

// parse reads the rest of the request. Its errors go back to the client.
func (req *authRequest) parse(form url.Values, cfg *Config) *oauthError {
	if duplicate(form) {
		return invalidRequest("a parameter is there twice")
	}
	req.nonce, req.loginHint = form.Get("nonce"), form.Get("login_hint")
	req.prompts = strings.Fields(form.Get("prompt"))
	for _, check := range []func(url.Values, *Config) *oauthError{
		req.checkSupported, req.parseScope, req.parsePKCE, req.parseMaxAge,
	} {
		if err := check(form, cfg); err != nil {
			return err
		}
	}
	return nil
}

func (req *authRequest) checkSupported(form url.Values, _ *Config) *oauthError {
	fail := func(code string) *oauthError {
		return &oauthError{status: http.StatusBadRequest, code: code, description: "not supported"}
	}
	switch {
	case form.Has("request"):
		return fail("request_not_supported")
	case form.Has("request_uri"):
		return fail("request_uri_not_supported")
	case !form.Has("response_type"):
		return invalidRequest("response_type is missing")
	case form.Get("response_type") != "code":
		return fail("unsupported_response_type")
	case form.Has("response_mode") && form.Get("response_mode") != "query":
		return invalidRequest("response_mode is not supported")
	case slices.Contains(req.prompts, "none") && len(req.prompts) > 1:
		return invalidRequest("prompt none stands alone")
	}
	return nil
}

func (req *authRequest) parseScope(form url.Values, cfg *Config) *oauthError {
	asked := strings.Fields(form.Get("scope"))
	known := cfg.scopes()
	for _, scope := range asked {
		if slices.Contains(known, scope) && !slices.Contains(req.scopes, scope) {
			req.scopes = append(req.scopes, scope)
		}
	}
	if len(asked) > 0 && len(req.scopes) == 0 {
		return invalidScope("no scope of the request is known")
	}
	return nil
}

// parsePKCE takes S256 and nothing else (RFC 7636 4.3, RFC 9700 2.1.1).
func (req *authRequest) parsePKCE(form url.Values, cfg *Config) *oauthError {
	challenge := form.Get("code_challenge")
	switch {
	case cfg.IgnorePKCE:
		return nil
	case challenge == "" && form.Has("code_challenge_method"):
		return invalidRequest("code_challenge is missing")
	case challenge == "" && (cfg.RequirePKCE || req.client.Secret == ""):
		return invalidRequest("PKCE is required")
	case challenge == "":
		return nil
	case form.Get("code_challenge_method") != "S256":
		return invalidRequest("code_challenge_method must be S256")
	case !regexp.MustCompile(`^[A-Za-z0-9_-]{43}$`).MatchString(challenge):
		return invalidRequest("code_challenge is malformed")
	}
	req.challenge = challenge
	return nil
}

func (req *authRequest) parseMaxAge(form url.Values, _ *Config) *oauthError {
	if !form.Has("max_age") {
		return nil
	}
	seconds, err := strconv.ParseUint(form.Get("max_age"), 10, 31)
	if err != nil {
		return invalidRequest("max_age is malformed")
	}
	req.maxAge, req.hasMaxAge = time.Duration(seconds)*time.Second, true
	return nil
}

// satisfiedBy tells whether the session saves the user from logging in again.
func (req *authRequest) satisfiedBy(s *session, now time.Time) bool {
	switch {
	case s == nil, slices.Contains(req.prompts, "login"), slices.Contains(req.prompts, "select_account"):
		return false
	}
	// A max_age of 0 is a login in any case.
	return !req.hasMaxAge || req.maxAge > 0 && now.Sub(s.authTime) <= req.maxAge
}
