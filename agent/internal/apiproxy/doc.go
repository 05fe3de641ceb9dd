// Package apiproxy decides about calls to APIs: may this call go up, and with
// which token. It turns the session cookie of a call into the access token, in two
// shapes. [Proxy] is a reverse proxy, which sends the call by package upstream;
// [Proxy.ForwardAuth] answers a gateway that does the proxying (nginx, Caddy,
// Traefik, Envoy). Both ask the same [authorizer].
//
// The path that was matched is the path that is sent: it is compared, checked and
// passed on in the bytes in which it came, never decoded and never cleaned.
//
// The room is larger than others by path.go: what other servers may take a path
// for is a subject of its own, and the table of routes is its only user.
package apiproxy
