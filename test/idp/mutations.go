package idp

// IDTokenFault is what is wrong with an ID token.
type IDTokenFault struct {
	Signing Signing
	// Mutate changes the claims before they are signed.
	Mutate func(claims map[string]any)
	Omit   bool // none at all

	GrantType string // authorization_code or refresh_token; empty: both
	Times     int    // how many tokens get it; 0: all, until it is cleared
}

// mutations are the faults within JSON and JWT.
type mutations struct {
	discovery, jwks, userinfo, tokenResponse func(map[string]any)
	idToken                                  IDTokenFault
}

// SetIDTokenFault makes ID tokens wrong from now on. Here as in all Mutate functions,
// the function may run in several requests at once, and may set and delete members of
// the map, but not change nested values in place.
func (p *Provider) SetIDTokenFault(f IDTokenFault) {
	p.change(func(m *mutations) { m.idToken = f })
}

// SetTokenResponseFault changes what the token endpoint answers when all went well;
// nil ends it. The state of the provider is that of the unchanged answer.
func (p *Provider) SetTokenResponseFault(mutate func(answer map[string]any)) {
	p.change(func(m *mutations) { m.tokenResponse = mutate })
}

// MutateUserinfo changes what userinfo answers; nil ends it.
func (p *Provider) MutateUserinfo(mutate func(claims map[string]any)) {
	p.change(func(m *mutations) { m.userinfo = mutate })
}

// MutateDiscovery changes the discovery document, its issuer for one; nil ends it.
func (p *Provider) MutateDiscovery(mutate func(document map[string]any)) {
	p.change(func(m *mutations) { m.discovery = mutate })
}

// MutateJWKS changes the key set; its "keys" are a []any. nil ends it.
func (p *Provider) MutateJWKS(mutate func(set map[string]any)) {
	p.change(func(m *mutations) { m.jwks = mutate })
}

func (p *Provider) change(f func(*mutations)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f(&p.mutate)
}

func (p *Provider) mutations() mutations {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.mutate
}

// mutate calls f, if there is one.
func mutate(f func(map[string]any), m map[string]any) {
	if f != nil {
		f(m)
	}
}

// takeIDTokenFault gives the fault for the next ID token and counts it.
func (p *Provider) takeIDTokenFault(grantType string) IDTokenFault {
	p.mu.Lock()
	defer p.mu.Unlock()
	f := p.mutate.idToken
	if f.GrantType != "" && f.GrantType != grantType {
		return IDTokenFault{}
	}
	if f.Times == 1 {
		p.mutate.idToken = IDTokenFault{}
	} else if f.Times > 1 {
		p.mutate.idToken.Times--
	}
	return f
}
