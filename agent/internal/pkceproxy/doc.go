// Package pkceproxy puts PKCE (RFC 7636) in front of an authorization server
// that lacks it, for public clients that insist on it.
//
// To its clients the proxy is an authorization server of its own: it has an
// issuer, metadata (RFC 8414) and an authorization, a token and a revocation
// endpoint. To the real authorization server (AS) it is one confidential
// client. A login takes these steps:
//
//  1. [Proxy.Authorize] checks the client's request, seals the challenge and
//     the way back to the client into `state`, and redirects to the AS.
//  2. [Proxy.Callback] opens `state`, seals the AS's code together with the
//     challenge into a code of its own, and redirects to the client.
//  3. [Proxy.Token] opens that code, checks the verifier against the challenge,
//     exchanges the AS's code with the client secret, and hands the answer on.
//
// All that must be remembered between the steps travels in state and code, as
// nested JWTs that the proxy alone can read and make: any replica with the same
// keys takes any step. What a replica keeps in memory (codes that it has sent,
// clients of refresh tokens) only ever refuses more, and is bounded.
//
// Two rules carry the security. A response goes to no URI but a registered one
// (RFC 9700 2.1), which is checked when the request comes and again before each
// redirect. And the AS's code leaves only towards the AS, and only for the
// verifier of the challenge that came with the request.
package pkceproxy
