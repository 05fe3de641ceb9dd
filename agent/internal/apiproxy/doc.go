// Package apiproxy is the OAuth Proxy: it turns the session cookie of an API
// call into the access token, and does so in two shapes. [Proxy] is a reverse
// proxy by itself; [Proxy.ForwardAuth] answers a gateway that does the proxying
// (nginx, Caddy, Traefik, Envoy). Both ask the same [decider].
//
// Two rules hold the rest together. What was matched is what is sent: a path is
// compared, checked and passed on in the bytes in which it came, never decoded
// and never cleaned. And nothing of ours goes up: no cookie of the agent, no
// CSRF token, and no Authorization but the one that we set.
//
// Hop-by-hop headers, upgrades, trailers and streaming are the business of
// [net/http/httputil.ReverseProxy].
package apiproxy
