// Package idp is an OpenID provider for development and tests: the real
// protocol over real HTTP, small enough to read, with switches for every way in
// which a provider can fail.
//
// [Start] binds one to a loopback address, and to no other. [New] gives the bare
// [http.Handler] for a listener of your own. [Login] walks through the login
// page as a browser does:
//
//	srv, err := idp.Start(ctx, "127.0.0.1:0", idp.Config{
//		Clients: []idp.Client{{ID: "app", Secret: "…", RedirectURIs: []string{redirectURI}}},
//		Users:   []idp.User{{Username: "ada", Password: "ada", Sub: "248289761001"}},
//	})
//	location, err := idp.Login(ctx, http.DefaultClient, authorizationURL, "ada", "ada")
//
// It speaks the authorization code flow with PKCE (RFC 6749, RFC 7636), refresh
// token rotation with reuse detection (RFC 9700 4.14), the issuer in the
// authorization response (RFC 9207), discovery, ID tokens and userinfo (OpenID
// Connect Core 1.0), revocation (RFC 7009) and RP-initiated logout. The fields of
// [Config] make it less than that, as real providers are.
//
// Faults are set while it runs: [Provider.SetFault] for what HTTP can do,
// [Provider.SetIDTokenFault] for what a JWT can do, and the Mutate functions for
// what JSON can do. [Provider.Issued] has every credential that ever left, so
// that a test can look for them where they must not be.
//
// All state is in memory, bounded, and lost at the end. It is no provider for
// production: passwords are plain text and the login page may show them.
package idp
